"""One framework with one area, its providers, and their requests, for one test; no other test is disturbed."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID, uuid4, uuid5

from contracts.catalogue import PACKAGES, PROVIDERS
from contracts.events.base import Event
from contracts.events.frameworks import FrameworkPublished, RankedListPublished
from contracts.events.listings import Variation
from contracts.events.packages import (
    Candidate,
    OfferDelivered,
    OfferUndeliverable,
    PackageRequested,
    WithdrawalRequested,
)
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    EmbargoReason,
    Membership,
    ProviderEmbargoed,
)
from contracts.events.rates import RatesSelected, SelectedRate, Selection
from contracts.examples import a_definition, some_care, some_prices
from contracts.framework import Area, OpenList, SequentialOffers, TierRules
from contracts.ids import (
    AreaCode,
    FrameworkKey,
    ListingReference,
    OfferId,
    PackageId,
    ProviderId,
)
from contracts.offer_links import OfferLink, OfferLinks
from contracts.values import (
    Channel,
    DeclineReason,
    PassOverReason,
    PriceUnit,
    Rating,
    ServiceType,
    Tier,
    Urgency,
    Wishes,
    WithdrawalReason,
)
from service_runtime.unit_of_work.streams import StreamKey, stream_key_of
from testkit.databases import number, rows
from testkit.running_services import Reply
from testkit.sourcing.harness import ANSWER, LINK_KEY, WAIT_TIMEOUT, SourcingHarness, retry_as_told
from testkit.sourcing.responses import (
    AvailablePackageResponse,
    AvailablePackagesResponse,
    OfferResponse,
    OffersResponse,
    OfficerProposalResponse,
)
from testkit.waiting import until

_LAST_PROJECTED: Final = "SELECT coalesce(max(sequence), 0) FROM projections WHERE key = :key"
_LAST_PROJECTED_OF_PROVIDER: Final = f"{_LAST_PROJECTED} OR starts_with(key, :key || '/')"
_LIVE_OFFERS: Final = """
    SELECT count(*) FROM offers
    WHERE provider_id = :provider AND package_id = ANY(:packages) AND status IN ('made', 'delivered')
"""
_LISTED: Final = """
    SELECT package_id, listing_reference FROM searches WHERE package_id = ANY(:packages) AND status = 'listed'
"""
A_WEEK: Final = timedelta(days=7)


@dataclass
class ScenarioMarket:
    """One framework with one area, its providers, and what the rest of the harness says about them."""

    harness: SourcingHarness
    framework: FrameworkKey
    area: AreaCode
    tiers: tuple[Tier, ...]
    open_list: OpenList | None = None
    rates_selected: bool = False
    _published: Counter[StreamKey] = field(default_factory=Counter[StreamKey])

    @staticmethod
    async def create(
        harness: SourcingHarness, *names: str, tiers: Sequence[Tier] = (Tier.ONE,), open_list: OpenList | None = None
    ) -> "ScenarioMarket":
        """A framework of its own with `names` ranked in tier 1, all of them eligible and reached by webhook."""
        market = ScenarioMarket.create_empty(harness, tiers=tiers, open_list=open_list)
        await market.publish_definition()
        await market.introduce(*names)
        await market.publish_list(*names)
        await market.wait_until_projected()
        return market

    @staticmethod
    def create_empty(
        harness: SourcingHarness,
        *,
        tiers: Sequence[Tier] = (Tier.ONE,),
        open_list: OpenList | None = None,
        rates_selected: bool = False,
    ) -> "ScenarioMarket":
        """A framework of which nothing was published yet; with `rates_selected` each provider has rates of its own."""
        name = uuid4().hex[:12]
        framework, area = FrameworkKey(f"market-{name}"), AreaCode(f"area-{name}")
        return ScenarioMarket(harness, framework, area, tuple(tiers), open_list, rates_selected)

    def get_provider_id(self, name: str) -> ProviderId:
        return ProviderId(uuid5(UUID(int=0), f"{self.framework}/{name}"))

    async def publish_definition(self, *, version: int = 1) -> None:
        definition = a_definition(
            framework=self.framework,
            version=version,
            council=self.harness.council,
            areas=(Area(code=self.area, name="Invented District"),),
            tiers=tuple(TierRules(tier=tier, minimum_rating=Rating.GOOD) for tier in self.tiers),
            prices=some_prices(selected_by_providers=self.rates_selected),
            sourcing=(
                *(
                    SequentialOffers(stage=f"tier-{int(tier)}", procedure="sequential-offers", tier=tier)
                    for tier in self.tiers
                ),
                *(() if self.open_list is None else (self.open_list,)),
            ),
        )
        await self._publish_from_registry(FrameworkPublished(definition=definition))

    async def publish_list(
        self, *names: str, tier: Tier = Tier.ONE, version: int = 1, live_from: date = date(2026, 1, 5)
    ) -> None:
        ranking = tuple(
            Candidate(provider_id=self.get_provider_id(name), rank=rank) for rank, name in enumerate(names, 1)
        )
        published = RankedListPublished(
            framework=self.framework,
            area=self.area,
            tier=tier,
            list_version=version,
            issued_on=date(2026, 1, 1),
            live_from=live_from,
            ranking=ranking,
        )
        await self._publish_from_registry(published)

    async def introduce(self, *names: str, channel: Channel = Channel.WEBHOOK) -> None:
        for name in names:
            await self.publish_eligibility(name)
            await self.publish_channel(name, channel)

    async def publish_eligibility(
        self,
        name: str,
        *,
        against: tuple[PassOverReason, ...] = (),
        service_types: tuple[ServiceType, ...] = (ServiceType.PERSONAL_CARE,),
        rating: Rating = Rating.GOOD,
    ) -> None:
        memberships = tuple(
            Membership(framework=self.framework, area=self.area, tier=tier, eligible=not against, reasons=against)
            for tier in self.tiers
        )
        event = EligibilityChanged(
            provider_id=self.get_provider_id(name), memberships=memberships, service_types=service_types, rating=rating
        )
        await self._publish_from_registry(event)

    async def introduce_spot(self, *names: str, area: AreaCode | None = None, rating: Rating = Rating.GOOD) -> None:
        """Providers outside every framework that take packages in `area`."""
        for name in names:
            event = EligibilityChanged(
                provider_id=self.get_provider_id(name),
                memberships=(),
                service_types=(ServiceType.PERSONAL_CARE,),
                spot_areas=(area or self.area,),
                rating=rating,
            )
            await self._publish_from_registry(event)

    async def select_rate(self, name: str, rate: str) -> None:
        """The provider's own rate for personal care, from the beginning of the year on; not in `until_heard`."""
        line = SelectedRate(service_type=ServiceType.PERSONAL_CARE, unit=PriceUnit.HOUR, number=1, rate=Decimal(rate))
        event = RatesSelected(
            provider_id=self.get_provider_id(name),
            framework=self.framework,
            area=self.area,
            selections=(Selection(valid_from=date(2026, 1, 1), matrix_version=1, rates=(line,)),),
        )
        await self.harness.pricing.says(event, at=self.harness.now)

    async def publish_channel(self, name: str, *channels: Channel) -> None:
        await self._publish_from_registry(
            ChannelsChanged(provider_id=self.get_provider_id(name), channels=channels or (Channel.WEBHOOK,))
        )

    async def declare_capacity(self, name: str, *, free: str) -> None:
        declared = CapacityDeclared(
            provider_id=self.get_provider_id(name),
            area=self.area,
            free_hours=Decimal(free),
            declared_at=self.harness.now,
        )
        await self._publish_from_registry(declared)

    async def embargo(self, name: str) -> None:
        await self._publish_from_registry(
            ProviderEmbargoed(provider_id=self.get_provider_id(name), reason=EmbargoReason.SAFEGUARDING)
        )

    async def lift_embargo(self, name: str) -> None:
        await self._publish_from_registry(EmbargoLifted(provider_id=self.get_provider_id(name)))

    async def wait_until_projected(self) -> None:
        """Returns when sourcing's views have taken in everything that was said about this market."""
        for stream, said in self._published.items():
            await until(lambda stream=stream, said=said: self._is_projected(stream, said), within=WAIT_TIMEOUT)

    async def _is_projected(self, stream: StreamKey, sequence: int) -> bool:
        # Capacity is kept by provider and area; below a framework's own key stand the streams of its lists.
        heard = _LAST_PROJECTED_OF_PROVIDER if stream.topic == PROVIDERS else _LAST_PROJECTED
        return await number(self.harness.database, heard, key=stream.key) >= sequence

    async def request_package(self, *, urgent: bool = False, refused: Iterable[str] = ()) -> PackageId:
        """One package of 3.5 hours a week."""
        package = PackageId(uuid4())
        urgency = Urgency.HOSPITAL_DISCHARGE if urgent else Urgency.ROUTINE
        care = some_care(framework=self.framework, area=self.area, urgency=urgency)
        wishes = Wishes(refused=tuple(self.get_provider_id(name) for name in refused))
        await self.harness.referral.says(
            PackageRequested(package_id=package, care=care, wishes=wishes), at=self.harness.now
        )
        return package

    async def request_packages(self, count: int, *, urgent: bool = False) -> list[PackageId]:
        return list(await asyncio.gather(*(self.request_package(urgent=urgent) for _ in range(count))))

    async def open_packages(self, count: int) -> dict[PackageId, ListingReference]:
        """Packages that are open to all, each with its reference on the list; for a market with nobody in tier 1."""
        packages = await self.request_packages(count, urgent=True)
        return await self.wait_until_listed(packages)

    async def wait_until_listed(self, packages: Sequence[PackageId]) -> dict[PackageId, ListingReference]:
        """The references of these packages on the list, as soon as all of them are on it."""

        async def there() -> dict[PackageId, ListingReference] | None:
            found = await rows(self.harness.database, _LISTED, packages=list(packages))
            known = {PackageId(each.package_id): ListingReference(each.listing_reference) for each in found}
            return known if len(known) == len(packages) else None

        return await until(there, within=WAIT_TIMEOUT)

    async def list_available(self, name: str) -> list[AvailablePackageResponse]:
        answer = await self.request_as_provider(name, "GET", "/v1/available-packages?limit=200")
        return AvailablePackagesResponse.model_validate(answer.body).items

    async def propose(
        self,
        name: str,
        reference: ListingReference,
        rate: str,
        *variations: Variation,
        idempotency_key: str | None = None,
    ) -> Reply:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
        body = {"rate": rate, "variations": [each.value for each in variations]}
        path = f"/v1/available-packages/{reference}/proposals"
        return await self.request_as_provider(name, "POST", path, body, headers=headers)

    async def find_proposal(self, name: str, package: PackageId) -> OfficerProposalResponse:
        """The provider's newest proposal, as officers read it."""
        proposals = (await self.harness.list_proposals(package)).items
        return next(each for each in proposals if each.provider_id == self.get_provider_id(name))

    async def withdraw(self, package: PackageId) -> None:
        event = WithdrawalRequested(package_id=package, reason=WithdrawalReason.NO_LONGER_NEEDED)
        await self.harness.referral.says(event, at=self.harness.now)

    async def list_offers(self, name: str, *, only_live: bool = True) -> list[OfferResponse]:
        answer = await self.request_as_provider(name, "GET", f"/v1/offers?live={str(only_live).lower()}&limit=200")
        return OffersResponse.model_validate(answer.body).items

    async def wait_for_offer(self, name: str, package: PackageId) -> OfferResponse:
        """The live offer of `package` to this provider, as soon as there is one."""

        async def there() -> OfferResponse | None:
            return next((each for each in await self.list_offers(name) if each.package_id == package), None)

        return await until(there, within=WAIT_TIMEOUT)

    async def wait_for_offers(self, name: str, packages: Sequence[PackageId]) -> dict[PackageId, OfferResponse]:
        """The live offers of all these packages to this provider, as soon as they are there."""
        await until(lambda: self._has_offers(name, packages), within=WAIT_TIMEOUT)
        found = {each.package_id: each for each in await self.list_offers(name)}
        return {package: found[package] for package in packages}

    async def _has_offers(self, name: str, packages: Sequence[PackageId]) -> bool:
        """Asked of the tables: asking for whole pages of offers again and again is slow."""
        found = await number(
            self.harness.database, _LIVE_OFFERS, provider=self.get_provider_id(name), packages=list(packages)
        )
        return found == len(packages)

    async def read_offer(self, name: str, offer: OfferResponse) -> OfferResponse:
        answer = await self.request_as_provider(name, "GET", f"/v1/offers/{offer.offer_id}")
        return OfferResponse.model_validate(answer.body)

    async def receive_offer(self, name: str, offer: OfferResponse) -> OfferResponse:
        """The provider's system takes the offer now; the offer with its clock running."""
        await self.confirm_delivery(name, offer)

        async def runs() -> OfferResponse | None:
            read = await self.read_offer(name, offer)
            return read if read.answer_by is not None else None

        return await until(runs, within=WAIT_TIMEOUT)

    async def confirm_delivery(self, name: str, offer: OfferResponse) -> None:
        event = OfferDelivered(
            package_id=offer.package_id,
            offer_id=offer.offer_id,
            provider_id=self.get_provider_id(name),
            channel=Channel.WEBHOOK,
            delivered_at=self.harness.now,
        )
        await self._publish_from_registry(event)

    async def report_undeliverable(self, name: str, offer: OfferResponse) -> None:
        event = OfferUndeliverable(
            package_id=offer.package_id,
            offer_id=offer.offer_id,
            provider_id=self.get_provider_id(name),
            channel=Channel.WEBHOOK,
            first_attempt_at=self.harness.now,
            reason="timed out",
        )
        await self._publish_from_registry(event)

    async def accept(self, name: str, offer: OfferResponse, *, idempotency_key: str | None = None) -> Reply:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
        return await self.request_as_provider(name, "POST", f"/v1/offers/{offer.offer_id}/accept", headers=headers)

    async def decline(
        self, name: str, offer: OfferResponse, reason: DeclineReason = DeclineReason.NO_CAPACITY
    ) -> Reply:
        return await self.request_as_provider(
            name, "POST", f"/v1/offers/{offer.offer_id}/decline", {"reason": reason.value}
        )

    def build_link(self, name: str, offer: OfferResponse, *, key: str = LINK_KEY, valid_for: timedelta = A_WEEK) -> str:
        """Where the link leads that the provider has in its mail about the offer."""
        link = OfferLink(offer.offer_id, self.get_provider_id(name), self.harness.now + valid_for)
        return f"/v1/offer-links/{OfferLinks(key).create_token(link)}"

    async def record_call(self, offer_id: OfferId, result: str = "reached", **answer: str) -> Reply:
        """An officer telephones about an offer and records what came of it."""
        body = {"result": result, **answer}
        return await self.harness.request_as_officer("POST", f"/v1/offers/{offer_id}/calls", body)

    async def request_as_provider(
        self, name: str, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> Reply:
        provider = str(self.get_provider_id(name))
        return await retry_as_told(
            lambda: self.harness.sourcing.ask(
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

    async def _publish_from_registry(self, event: Event) -> None:
        await self.harness.registry.says(event, at=self.harness.now)
        stream = stream_key_of(event)
        if stream.topic != PACKAGES:
            self._published[stream] += 1
