"""A town around the house: one framework with one area in it, of a test's own, so that no other test is disturbed."""

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
from testkit.contract_examples import a_definition, some_care, some_prices
from testkit.databases import number, rows
from testkit.running_services import Reply
from testkit.sourcing.harness import ANSWER, LINK_KEY, PATIENCE, House, patiently
from testkit.sourcing.responses import AvailablePageRead, AvailableRead, OfferRead, OffersRead, ProposalSeenRead
from testkit.waiting import until

_HEARD: Final = "SELECT coalesce(max(sequence), 0) FROM views WHERE key = :key"
_HEARD_OF_PROVIDER: Final = f"{_HEARD} OR starts_with(key, :key || '/')"
_LIVE_OFFERS: Final = """
    SELECT count(*) FROM offers
    WHERE provider_id = :provider AND package_id = ANY(:packages) AND status IN ('made', 'delivered')
"""
_OPEN: Final = """
    SELECT package_id, listing_reference FROM searches WHERE package_id = ANY(:packages) AND status = 'listed'
"""
A_WEEK: Final = timedelta(days=7)


@dataclass
class Town:
    """One framework with one area, its providers, and what the rest of the house says about them."""

    house: House
    framework: FrameworkKey
    area: AreaCode
    tiers: tuple[Tier, ...]
    open_list: OpenList | None = None
    rates_selected: bool = False
    _said: Counter[StreamKey] = field(default_factory=Counter[StreamKey])

    @staticmethod
    async def of(
        house: House, *names: str, tiers: Sequence[Tier] = (Tier.ONE,), open_list: OpenList | None = None
    ) -> "Town":
        """A framework of its own with `names` ranked in tier 1, all of them eligible and reached by webhook."""
        town = Town.empty(house, tiers=tiers, open_list=open_list)
        await town.publishes_definition()
        await town.introduces(*names)
        await town.publishes_list(*names)
        await town.until_heard()
        return town

    @staticmethod
    def empty(
        house: House,
        *,
        tiers: Sequence[Tier] = (Tier.ONE,),
        open_list: OpenList | None = None,
        rates_selected: bool = False,
    ) -> "Town":
        """A framework of which nothing was published yet; with `rates_selected` each provider has rates of its own."""
        name = uuid4().hex[:12]
        framework, area = FrameworkKey(f"town-{name}"), AreaCode(f"area-{name}")
        return Town(house, framework, area, tuple(tiers), open_list, rates_selected)

    def provider(self, name: str) -> ProviderId:
        return ProviderId(uuid5(UUID(int=0), f"{self.framework}/{name}"))

    async def publishes_definition(self, *, version: int = 1) -> None:
        definition = a_definition(
            framework=self.framework,
            version=version,
            council=self.house.council,
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
        await self._registry_says(FrameworkPublished(definition=definition))

    async def publishes_list(
        self, *names: str, tier: Tier = Tier.ONE, version: int = 1, live_from: date = date(2026, 1, 5)
    ) -> None:
        ranking = tuple(Candidate(provider_id=self.provider(name), rank=rank) for rank, name in enumerate(names, 1))
        published = RankedListPublished(
            framework=self.framework,
            area=self.area,
            tier=tier,
            list_version=version,
            issued_on=date(2026, 1, 1),
            live_from=live_from,
            ranking=ranking,
        )
        await self._registry_says(published)

    async def introduces(self, *names: str, channel: Channel = Channel.WEBHOOK) -> None:
        for name in names:
            await self.publishes_eligibility(name)
            await self.publishes_channel(name, channel)

    async def publishes_eligibility(
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
            provider_id=self.provider(name), memberships=memberships, service_types=service_types, rating=rating
        )
        await self._registry_says(event)

    async def introduces_spot(self, *names: str, area: AreaCode | None = None, rating: Rating = Rating.GOOD) -> None:
        """Providers outside every framework that take packages in `area`."""
        for name in names:
            event = EligibilityChanged(
                provider_id=self.provider(name),
                memberships=(),
                service_types=(ServiceType.PERSONAL_CARE,),
                spot_areas=(area or self.area,),
                rating=rating,
            )
            await self._registry_says(event)

    async def selects_rate(self, name: str, rate: str) -> None:
        """The provider's own rate for personal care, from the beginning of the year on; not in `until_heard`."""
        line = SelectedRate(service_type=ServiceType.PERSONAL_CARE, unit=PriceUnit.HOUR, number=1, rate=Decimal(rate))
        event = RatesSelected(
            provider_id=self.provider(name),
            framework=self.framework,
            area=self.area,
            selections=(Selection(valid_from=date(2026, 1, 1), matrix_version=1, rates=(line,)),),
        )
        await self.house.pricing.says(event, at=self.house.now)

    async def publishes_channel(self, name: str, *channels: Channel) -> None:
        await self._registry_says(
            ChannelsChanged(provider_id=self.provider(name), channels=channels or (Channel.WEBHOOK,))
        )

    async def declares(self, name: str, *, free: str) -> None:
        declared = CapacityDeclared(
            provider_id=self.provider(name), area=self.area, free_hours=Decimal(free), declared_at=self.house.now
        )
        await self._registry_says(declared)

    async def embargoes(self, name: str) -> None:
        await self._registry_says(ProviderEmbargoed(provider_id=self.provider(name), reason=EmbargoReason.SAFEGUARDING))

    async def lifts_embargo(self, name: str) -> None:
        await self._registry_says(EmbargoLifted(provider_id=self.provider(name)))

    async def until_heard(self) -> None:
        """Returns when sourcing's views have taken in everything that was said about this town."""
        for stream, said in self._said.items():
            await until(lambda stream=stream, said=said: self._is_heard(stream, said), within=PATIENCE)

    async def _is_heard(self, stream: StreamKey, said: int) -> bool:
        # Capacity is kept by provider and area; below a framework's own key stand the streams of its lists.
        heard = _HEARD_OF_PROVIDER if stream.topic == PROVIDERS else _HEARD
        return await number(self.house.database, heard, key=stream.key) >= said

    async def requests(self, *, urgent: bool = False, refused: Iterable[str] = ()) -> PackageId:
        """One package of 3.5 hours a week."""
        package = PackageId(uuid4())
        urgency = Urgency.HOSPITAL_DISCHARGE if urgent else Urgency.ROUTINE
        care = some_care(framework=self.framework, area=self.area, urgency=urgency)
        wishes = Wishes(refused=tuple(self.provider(name) for name in refused))
        await self.house.referral.says(
            PackageRequested(package_id=package, care=care, wishes=wishes), at=self.house.now
        )
        return package

    async def requests_many(self, count: int, *, urgent: bool = False) -> list[PackageId]:
        return list(await asyncio.gather(*(self.requests(urgent=urgent) for _ in range(count))))

    async def opens_many(self, count: int) -> dict[PackageId, ListingReference]:
        """Packages that are open to all, each with its reference on the list; for a town with nobody in tier 1."""
        packages = await self.requests_many(count, urgent=True)
        return await self.listed(packages)

    async def listed(self, packages: Sequence[PackageId]) -> dict[PackageId, ListingReference]:
        """The references of these packages on the list, as soon as all of them are on it."""

        async def there() -> dict[PackageId, ListingReference] | None:
            found = await rows(self.house.database, _OPEN, packages=list(packages))
            known = {PackageId(each.package_id): ListingReference(each.listing_reference) for each in found}
            return known if len(known) == len(packages) else None

        return await until(there, within=PATIENCE)

    async def available_to(self, name: str) -> list[AvailableRead]:
        answer = await self.asks_as(name, "GET", "/v1/available-packages?limit=200")
        return AvailablePageRead.model_validate(answer.body).items

    async def proposes(
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
        return await self.asks_as(name, "POST", path, body, headers=headers)

    async def proposal_of(self, name: str, package: PackageId) -> ProposalSeenRead:
        """The provider's newest proposal, as officers read it."""
        proposals = (await self.house.proposals(package)).items
        return next(each for each in proposals if each.provider_id == self.provider(name))

    async def withdraws(self, package: PackageId) -> None:
        event = WithdrawalRequested(package_id=package, reason=WithdrawalReason.NO_LONGER_NEEDED)
        await self.house.referral.says(event, at=self.house.now)

    async def offers_of(self, name: str, *, only_live: bool = True) -> list[OfferRead]:
        answer = await self.asks_as(name, "GET", f"/v1/offers?live={str(only_live).lower()}&limit=200")
        return OffersRead.model_validate(answer.body).items

    async def offer_to(self, name: str, package: PackageId) -> OfferRead:
        """The live offer of `package` to this provider, as soon as there is one."""

        async def there() -> OfferRead | None:
            return next((each for each in await self.offers_of(name) if each.package_id == package), None)

        return await until(there, within=PATIENCE)

    async def offers_to(self, name: str, packages: Sequence[PackageId]) -> dict[PackageId, OfferRead]:
        """The live offers of all these packages to this provider, as soon as they are there."""
        await until(lambda: self._has_offers(name, packages), within=PATIENCE)
        found = {each.package_id: each for each in await self.offers_of(name)}
        return {package: found[package] for package in packages}

    async def _has_offers(self, name: str, packages: Sequence[PackageId]) -> bool:
        """Asked of the tables: asking for whole pages of offers again and again is slow."""
        found = await number(self.house.database, _LIVE_OFFERS, provider=self.provider(name), packages=list(packages))
        return found == len(packages)

    async def reads(self, name: str, offer: OfferRead) -> OfferRead:
        answer = await self.asks_as(name, "GET", f"/v1/offers/{offer.offer_id}")
        return OfferRead.model_validate(answer.body)

    async def receives(self, name: str, offer: OfferRead) -> OfferRead:
        """The provider's system takes the offer now; the offer with its clock running."""
        await self.is_told_of_delivery(name, offer)

        async def runs() -> OfferRead | None:
            read = await self.reads(name, offer)
            return read if read.answer_by is not None else None

        return await until(runs, within=PATIENCE)

    async def is_told_of_delivery(self, name: str, offer: OfferRead) -> None:
        event = OfferDelivered(
            package_id=offer.package_id,
            offer_id=offer.offer_id,
            provider_id=self.provider(name),
            channel=Channel.WEBHOOK,
            delivered_at=self.house.now,
        )
        await self._registry_says(event)

    async def cannot_be_reached(self, name: str, offer: OfferRead) -> None:
        event = OfferUndeliverable(
            package_id=offer.package_id,
            offer_id=offer.offer_id,
            provider_id=self.provider(name),
            channel=Channel.WEBHOOK,
            first_attempt_at=self.house.now,
            reason="timed out",
        )
        await self._registry_says(event)

    async def accepts(self, name: str, offer: OfferRead, *, idempotency_key: str | None = None) -> Reply:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
        return await self.asks_as(name, "POST", f"/v1/offers/{offer.offer_id}/accept", headers=headers)

    async def declines(self, name: str, offer: OfferRead, reason: DeclineReason = DeclineReason.NO_CAPACITY) -> Reply:
        return await self.asks_as(name, "POST", f"/v1/offers/{offer.offer_id}/decline", {"reason": reason.value})

    def link_to(self, name: str, offer: OfferRead, *, key: str = LINK_KEY, valid_for: timedelta = A_WEEK) -> str:
        """Where the link leads that the provider has in its mail about the offer."""
        link = OfferLink(offer.offer_id, self.provider(name), self.house.now + valid_for)
        return f"/v1/offer-links/{OfferLinks(key).token(link)}"

    async def calls(self, offer_id: OfferId, result: str = "reached", **answer: str) -> Reply:
        """An officer telephones about an offer and records what came of it."""
        body = {"result": result, **answer}
        return await self.house.ask_as_officer("POST", f"/v1/offers/{offer_id}/calls", body)

    async def asks_as(
        self, name: str, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> Reply:
        provider = str(self.provider(name))
        return await patiently(
            lambda: self.house.sourcing.ask(
                method,
                path,
                ANSWER,
                body=body,
                headers=headers,
                provider_id=provider,
                subject=f"system-{provider}",
                council=self.house.council,
            )
        )

    async def _registry_says(self, event: Event) -> None:
        await self.house.registry.says(event, at=self.house.now)
        stream = stream_key_of(event)
        if stream.topic != PACKAGES:
            self._said[stream] += 1
