"""A market for one test of a running sourcing service: a framework, its providers, their packages and offers."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

from contracts.events.offers import OfferDelivered, OfferUndeliverable
from contracts.events.packages import PackageRequested, WithdrawalRequested
from contracts.example_words import DeclineReasons, Routes, Tiers, WithdrawalReasons
from contracts.examples import some_care
from contracts.framework.stages import OpenList, Stage
from contracts.ids import AreaCode, FrameworkKey, ListingReference, OfferId, PackageId, ReasonKey, TierKey
from contracts.offer_links import OfferLink, OfferLinkSigner
from contracts.values import Channel, Wishes
from testkit.databases import fetch_number, fetch_rows
from testkit.http_response import HttpResponse
from testkit.sourcing.harness import ANSWER, LINK_KEY, WAIT_TIMEOUT, SourcingHarness, send_with_retries
from testkit.sourcing.published_market import PublishedMarket
from testkit.sourcing.responses import (
    AvailablePackageResponse,
    AvailablePackagesResponse,
    OfferResponse,
    OffersResponse,
    OfficerProposalResponse,
)
from testkit.waiting import wait_until

_LIVE_OFFERS: Final = """
    SELECT count(*) FROM offers
    WHERE provider_id = :provider AND package_id = ANY(:packages) AND status IN ('made', 'delivered')
"""
_LISTED: Final = """
    SELECT package_id, listing_reference FROM searches WHERE package_id = ANY(:packages) AND status = 'listed'
"""
A_WEEK: Final = timedelta(days=7)
UNTIL_CARE_STARTS: Final = timedelta(days=14)


@dataclass
class ScenarioMarket(PublishedMarket):
    """A published market, the packages that are requested from it, and the requests of its providers."""

    @staticmethod
    async def create(
        harness: SourcingHarness,
        *names: str,
        tiers: Sequence[TierKey] = (Tiers.ONE,),
        open_list: OpenList | None = None,
        stages: Sequence[Stage] = (),
    ) -> "ScenarioMarket":
        """Publishes a new framework with `names` ranked in tier 1, and waits until sourcing has projected it.

        The providers are eligible in all `tiers` and reached by webhook.
        """
        market = ScenarioMarket.create_empty(harness, tiers=tiers, open_list=open_list, stages=stages)
        await market.publish_definition()
        await market.add_providers(*names)
        await market.publish_ranked_list(*names)
        await market.wait_until_projected()
        return market

    @staticmethod
    def create_empty(
        harness: SourcingHarness,
        *,
        tiers: Sequence[TierKey] = (Tiers.ONE,),
        open_list: OpenList | None = None,
        rates_selected: bool = False,
        stages: Sequence[Stage] = (),
    ) -> "ScenarioMarket":
        """Creates a market of which nothing is published yet.

        With `rates_selected` its framework has the providers select their own rates. `stages` replace the usual ones.
        """
        name = uuid4().hex[:12]
        framework, area = FrameworkKey(f"market-{name}"), AreaCode(f"area-{name}")
        return ScenarioMarket(harness, framework, area, tuple(tiers), open_list, rates_selected, tuple(stages))

    async def request_package(self, *, urgent: bool = False, refused: Iterable[str] = ()) -> PackageId:
        """Requests, as referral, a package of 3.5 hours a week; `refused` names providers that the person refuses."""
        package = PackageId(uuid4())
        route = Routes.HOSPITAL_DISCHARGE if urgent else Routes.COMMUNITY
        starts_on = (self.harness.now + UNTIL_CARE_STARTS).date()
        care = some_care(framework=self.framework, area=self.area, route=route, urgent=urgent, starts_on=starts_on)
        wishes = Wishes(refused=tuple(self.get_provider_id(name) for name in refused))
        await self.harness.referral.publish(
            PackageRequested(package_id=package, care=care, wishes=wishes), at=self.harness.now
        )
        return package

    async def request_packages(self, count: int, *, urgent: bool = False) -> list[PackageId]:
        return list(await asyncio.gather(*(self.request_package(urgent=urgent) for _ in range(count))))

    async def request_listed_packages(self, count: int) -> dict[PackageId, ListingReference]:
        """Requests packages and waits until they are on the open list; returns the reference of each.

        The market's tier 1 must be empty.
        """
        packages = await self.request_packages(count, urgent=True)
        return await self.wait_until_listed(packages)

    async def wait_until_listed(self, packages: Sequence[PackageId]) -> dict[PackageId, ListingReference]:
        """Waits until all these packages are on the open list and returns the reference of each."""

        async def find_references() -> dict[PackageId, ListingReference] | None:
            rows = await fetch_rows(self.harness.database, _LISTED, packages=list(packages))
            references = {PackageId(row.package_id): ListingReference(row.listing_reference) for row in rows}
            return references if len(references) == len(packages) else None

        return await wait_until(find_references, within=WAIT_TIMEOUT)

    async def list_available(self, name: str) -> list[AvailablePackageResponse]:
        answer = await self.request_as_provider(name, "GET", "/v1/available-packages?limit=200")
        return AvailablePackagesResponse.model_validate(answer.body).items

    async def propose(
        self,
        name: str,
        reference: ListingReference,
        rate: str,
        *variations: ReasonKey,
        idempotency_key: str | None = None,
    ) -> HttpResponse:
        """Sends the provider's proposal for a listed package; `rate` is in pounds."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
        body = {"rate": rate, "variations": list(variations)}
        path = f"/v1/available-packages/{reference}/proposals"
        return await self.request_as_provider(name, "POST", path, body, headers=headers)

    async def find_proposal(self, name: str, package: PackageId) -> OfficerProposalResponse:
        """Finds the provider's newest proposal among those that officers read."""
        proposals = (await self.harness.list_proposals(package)).items
        return next(each for each in proposals if each.provider_id == self.get_provider_id(name))

    async def withdraw_package(self, package: PackageId) -> None:
        event = WithdrawalRequested(package_id=package, reason=WithdrawalReasons.NO_LONGER_NEEDED)
        await self.harness.referral.publish(event, at=self.harness.now)

    async def list_offers(self, name: str, *, only_live: bool = True) -> list[OfferResponse]:
        answer = await self.request_as_provider(name, "GET", f"/v1/offers?live={str(only_live).lower()}&limit=200")
        return OffersResponse.model_validate(answer.body).items

    async def wait_for_offer(self, name: str, package: PackageId) -> OfferResponse:
        """Waits until this provider has a live offer of `package`, and returns it."""

        async def find_offer() -> OfferResponse | None:
            return next((offer for offer in await self.list_offers(name) if offer.package_id == package), None)

        return await wait_until(find_offer, within=WAIT_TIMEOUT)

    async def wait_for_offers(self, name: str, packages: Sequence[PackageId]) -> dict[PackageId, OfferResponse]:
        """Waits until this provider has live offers of all these packages, and returns them by package."""
        await wait_until(lambda: self._has_offers(name, packages), within=WAIT_TIMEOUT)
        found = {each.package_id: each for each in await self.list_offers(name)}
        return {package: found[package] for package in packages}

    async def _has_offers(self, name: str, packages: Sequence[PackageId]) -> bool:
        """Reads the table, because polling the API for whole pages of offers is slow."""
        found = await fetch_number(
            self.harness.database, _LIVE_OFFERS, provider=self.get_provider_id(name), packages=list(packages)
        )
        return found == len(packages)

    async def read_offer(self, name: str, offer: OfferResponse) -> OfferResponse:
        answer = await self.request_as_provider(name, "GET", f"/v1/offers/{offer.offer_id}")
        return OfferResponse.model_validate(answer.body)

    async def receive_offer(self, name: str, offer: OfferResponse) -> OfferResponse:
        """Reports the offer's delivery, waits until its answer clock runs, and returns the offer."""
        await self.confirm_delivery(name, offer)

        async def find_running_offer() -> OfferResponse | None:
            current = await self.read_offer(name, offer)
            return current if current.answer_by is not None else None

        return await wait_until(find_running_offer, within=WAIT_TIMEOUT)

    async def confirm_delivery(self, name: str, offer: OfferResponse) -> None:
        event = OfferDelivered(
            package_id=offer.package_id,
            offer_id=offer.offer_id,
            provider_id=self.get_provider_id(name),
            channel=Channel.WEBHOOK,
            delivered_at=self.harness.now,
        )
        await self.publish_from_registry(event)

    async def report_undeliverable(self, name: str, offer: OfferResponse) -> None:
        event = OfferUndeliverable(
            package_id=offer.package_id,
            offer_id=offer.offer_id,
            provider_id=self.get_provider_id(name),
            channel=Channel.WEBHOOK,
            first_attempt_at=self.harness.now,
            reason="timed out",
        )
        await self.publish_from_registry(event)

    async def accept(self, name: str, offer: OfferResponse, *, idempotency_key: str | None = None) -> HttpResponse:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
        return await self.request_as_provider(name, "POST", f"/v1/offers/{offer.offer_id}/accept", headers=headers)

    async def decline(
        self, name: str, offer: OfferResponse, reason: ReasonKey = DeclineReasons.NO_CAPACITY
    ) -> HttpResponse:
        return await self.request_as_provider(name, "POST", f"/v1/offers/{offer.offer_id}/decline", {"reason": reason})

    def build_link(self, name: str, offer: OfferResponse, *, key: str = LINK_KEY, valid_for: timedelta = A_WEEK) -> str:
        """Builds the path of the offer's page, as the link in the mail to the provider has it."""
        link = OfferLink(offer.offer_id, self.get_provider_id(name), self.harness.now + valid_for)
        return f"/v1/offer-links/{OfferLinkSigner(key).create_token(link)}"

    async def record_call(self, offer_id: OfferId, result: str = "reached", **answer: str) -> HttpResponse:
        """Records, as an officer, the result of a telephone call about an offer."""
        body = {"result": result, **answer}
        return await self.harness.request_as_officer("POST", f"/v1/offers/{offer_id}/calls", body)

    async def request_as_provider(
        self, name: str, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        provider = str(self.get_provider_id(name))
        return await send_with_retries(
            lambda: self.harness.sourcing.request(
                method,
                path,
                ANSWER,
                body=body,
                headers=headers,
                provider_id=provider,
                subject=f"system-{provider}",
                council=self.harness.council,
            )
        )
