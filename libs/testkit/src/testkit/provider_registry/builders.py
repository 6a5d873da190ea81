"""Builders and an in-memory registry for tests; it passes the same suite as the real one. Every name is invented."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from contracts.events.frameworks import RankedListPublished
from contracts.framework import Area, FrameworkDefinition, SequentialOffers, TierRules
from contracts.ids import AreaCode, BranchId, CouncilKey, FrameworkKey, OfferId, PackageId, ProviderId
from contracts.offer_links import OfferLinks
from contracts.values import Rating, ServiceType, Tier
from provider_registry.domain.mails import OfferSaid
from provider_registry.domain.messages import Addresses
from provider_registry.domain.provider import Branch, BranchStatus, Definitions, Place, Profile, Provider
from provider_registry.ports import DeliveryTerms, MailTerms
from service_runtime.unit_of_work.streams import Cause
from service_runtime.webhooks.endpoints import Endpoint, EndpointNotFound
from testkit.clocks import MONDAY_NINE
from testkit.contract_examples import COLCHESTER, ESSEX, a_definition, an_id
from testkit.fake_unit_of_work import InMemoryUnitOfWork

TENDRING: Final = AreaCode("E07000076")
COUNCIL: Final = CouncilKey("essex")
A_PHONE: Final = "01632 960001"
"""One of the numbers that Ofcom keeps free for drama."""
TERMS: Final = DeliveryTerms(
    addresses=Addresses(sourcing="https://sourcing.example", referral="https://referral.example"),
    offer_given_up_after=timedelta(minutes=2),
    news_given_up_after=timedelta(hours=24),
    secret_overlap=timedelta(hours=24),
    mail=MailTerms(OfferLinks("a key that only tests have, of some length"), timedelta(days=7)),
)


def provider_id(name: str) -> ProviderId:
    """The id of an invented provider; the same name, the same id."""
    return ProviderId(an_id(name))


def a_place(area: AreaCode = COLCHESTER, tier: Tier = Tier.ONE, framework: FrameworkKey = ESSEX) -> Place:
    return Place(framework, area, tier)


def a_framework(
    *,
    version: int = 1,
    framework: FrameworkKey = ESSEX,
    council: CouncilKey = COUNCIL,
    cap: int | None = 10,
    tier_one: Rating = Rating.GOOD,
    turnover: Decimal | None = Decimal("290000.00"),
    unrated_in: Collection[Tier] = (),
) -> FrameworkDefinition:
    """Two districts and two tiers, as in Essex; `cap` is tier 1's."""
    return a_definition(
        framework=framework,
        version=version,
        council=council,
        areas=(Area(code=COLCHESTER, name="Colchester"), Area(code=TENDRING, name="Tendring")),
        tiers=(
            TierRules(
                tier=Tier.ONE,
                providers_per_area=cap,
                minimum_rating=tier_one,
                minimum_turnover=turnover,
                accepts_not_rated=Tier.ONE in unrated_in,
            ),
            TierRules(
                tier=Tier.TWO,
                minimum_rating=Rating.REQUIRES_IMPROVEMENT,
                accepts_not_rated=Tier.TWO in unrated_in,
            ),
        ),
        sourcing=(SequentialOffers(stage="tier-1", procedure="sequential-offers", tier=Tier.ONE),),
    )


def a_branch(
    name: str = "Alder Colchester",
    *,
    rating: Rating = Rating.GOOD,
    domiciliary_care: bool = True,
    status: BranchStatus = BranchStatus.ACTIVE,
    published_on: date | None = date(2026, 1, 5),
) -> Branch:
    """An active home-care branch, rated Good unless something else is said."""
    return Branch(
        branch_id=BranchId(an_id(name)),
        name=name,
        outward_code="CO1",
        domiciliary_care=domiciliary_care,
        status=status,
        rating=rating,
        published_on=None if rating is Rating.NOT_RATED else published_on,
    )


def a_profile(
    name: str = "Alder Care Ltd",
    *,
    service_types: Sequence[ServiceType] = (ServiceType.PERSONAL_CARE,),
    turnover: Decimal | None = Decimal("400000.00"),
) -> Profile:
    return Profile(name, tuple(service_types), turnover, A_PHONE)


def a_provider(
    name: str = "Alder",
    *,
    branches: Sequence[Branch] | None = None,
    places: Sequence[Place] = (),
    spot_areas: Sequence[AreaCode] = (),
    turnover: Decimal | None = Decimal("400000.00"),
    council: CouncilKey = COUNCIL,
) -> Provider:
    """A provider with one good branch and turnover enough for tier 1."""
    return Provider(
        provider_id=provider_id(name),
        council=council,
        profile=a_profile(f"{name} Care Ltd", turnover=turnover),
        registered_at=MONDAY_NINE,
        branches=(a_branch(f"{name} Colchester"),) if branches is None else tuple(branches),
        places=tuple(places),
        spot_areas=tuple(spot_areas),
    )


@dataclass
class Market:
    """All that an in-memory registry knows; units of work come and go over it."""

    providers: dict[ProviderId, Provider] = field(default_factory=dict[ProviderId, Provider])
    capacity: dict[tuple[ProviderId, AreaCode], Decimal] = field(
        default_factory=dict[tuple[ProviderId, AreaCode], Decimal]
    )
    definitions: dict[tuple[FrameworkKey, int], FrameworkDefinition] = field(
        default_factory=dict[tuple[FrameworkKey, int], FrameworkDefinition]
    )
    lists: dict[tuple[Place, int], RankedListPublished] = field(
        default_factory=dict[tuple[Place, int], RankedListPublished]
    )
    endpoints: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    mailboxes: set[str] = field(default_factory=set[str])
    said: dict[tuple[PackageId, OfferId], OfferSaid] = field(default_factory=dict[tuple[PackageId, OfferId], OfferSaid])
    heard_of: set[tuple[PackageId, OfferId]] = field(default_factory=set[tuple[PackageId, OfferId]])
    to_reconsider: set[ProviderId] = field(default_factory=set[ProviderId])


@dataclass
class InMemoryRegistryWork(InMemoryUnitOfWork):
    """The registry's unit of work in memory."""

    market: Market = field(default_factory=Market)
    delivery_terms: DeliveryTerms = TERMS

    @property
    def providers(self) -> "InMemoryProviders":
        return InMemoryProviders(self.market)

    @property
    def frameworks(self) -> "InMemoryFrameworks":
        return InMemoryFrameworks(self.market)

    @property
    def endpoints(self) -> "InMemoryEndpoints":
        return InMemoryEndpoints(self.market, self.now)

    @property
    def mailboxes(self) -> "InMemoryMailboxes":
        return InMemoryMailboxes(self.market)

    @property
    def sent_offers(self) -> "InMemorySentOffers":
        return InMemorySentOffers(self.market)


def in_memory(
    market: Market | None = None, *, at: datetime = MONDAY_NINE, council: str = COUNCIL
) -> InMemoryRegistryWork:
    """A unit of work of a caller from `council`."""
    return InMemoryRegistryWork(now=at, cause=Cause("command:test", "system:test", council), market=market or Market())


@dataclass
class InMemoryProviders:
    """Providers in a dictionary."""

    market: Market

    async def get(self, provider_id: ProviderId) -> Provider | None:
        return self.market.providers.get(provider_id)

    async def save(self, provider: Provider, *, before: Provider | None) -> None:
        assert self.market.providers.get(provider.provider_id) == before, "saved over what somebody else has saved"
        self.market.providers[provider.provider_id] = provider

    async def declare_capacity(self, provider_id: ProviderId, area: AreaCode, free_hours: Decimal) -> None:
        self.market.capacity[provider_id, area] = free_hours

    async def members(self, places: Collection[Place]) -> Mapping[Place, frozenset[ProviderId]]:
        found = {place: frozenset(self._in(place)) for place in places}
        return {place: members for place, members in found.items() if members}

    async def who_hear_of_open_packages(
        self, framework: FrameworkKey, area: AreaCode, *, council: CouncilKey, spot: bool
    ) -> Sequence[ProviderId]:
        concerned = (
            each.provider_id
            for each in self.market.providers.values()
            if each.council == council
            and each.embargo is None
            and (each.is_member_of(framework, area) or (spot and area in each.spot_areas))
        )
        return sorted(each for each in concerned if self._listens(each))

    def _listens(self, provider_id: ProviderId) -> bool:
        endpoint = self.market.endpoints.get(str(provider_id))
        return endpoint is not None and endpoint.disabled_because is None

    async def reconsider_members_of(self, framework: FrameworkKey) -> None:
        self.market.to_reconsider |= {
            provider.provider_id
            for provider in self.market.providers.values()
            if any(place.framework == framework for place in provider.places)
        }

    def _in(self, place: Place) -> Iterable[ProviderId]:
        return (provider.provider_id for provider in self.market.providers.values() if place in provider.places)


@dataclass
class InMemoryFrameworks:
    """Definitions and ranked lists in dictionaries."""

    market: Market

    async def newest(self, frameworks: Iterable[FrameworkKey]) -> Definitions:
        versions = sorted(self.market.definitions.items())
        wanted = set(frameworks)
        return {key: definition for (key, _), definition in versions if key in wanted}

    async def version(self, framework: FrameworkKey, version: int) -> FrameworkDefinition | None:
        return self.market.definitions.get((framework, version))

    async def add(self, definition: FrameworkDefinition) -> None:
        self.market.definitions[definition.framework, definition.version] = definition

    async def newest_list(self, place: Place) -> int:
        return max((version for at, version in self.market.lists if at == place), default=0)

    async def ranked_list(self, place: Place, list_version: int) -> RankedListPublished | None:
        return self.market.lists.get((place, list_version))

    async def add_list(self, ranked: RankedListPublished) -> None:
        self.market.lists[Place(ranked.framework, ranked.area, ranked.tier), ranked.list_version] = ranked


@dataclass
class InMemoryEndpoints:
    """Endpoints in a dictionary; their secrets are made up and kept by nobody."""

    market: Market
    now: datetime

    async def put(self, owner: str, url: str) -> str | None:
        known = self.market.endpoints.get(owner)
        until = known.previous_secret_until if known is not None else None
        self.market.endpoints[owner] = Endpoint(owner, url, None, until, self.now)
        return None if known is not None else "whsec_invented"

    async def get(self, owner: str) -> Endpoint | None:
        return self.market.endpoints.get(owner)

    async def rotate_secret(self, owner: str, *, overlap: timedelta) -> str:
        if owner not in self.market.endpoints:
            message = "there is no webhook endpoint; register one first"
            raise EndpointNotFound(message)
        until = self.now + overlap
        self.market.endpoints[owner] = replace(self.market.endpoints[owner], previous_secret_until=until)
        return "whsec_rotated"

    async def disable(self, owner: str, *, because: str) -> bool:
        known = self.market.endpoints.get(owner)
        if known is None or known.disabled_because is not None:
            return False
        self.market.endpoints[owner] = replace(known, disabled_because=because)
        return True


@dataclass
class InMemoryMailboxes:
    """Who has a mailbox; addresses are kept by nobody."""

    market: Market

    async def put(self, owner: str, address: str) -> None:  # noqa: ARG002  as the real ones
        self.market.mailboxes.add(owner)

    async def is_there(self, owner: str) -> bool:
        return owner in self.market.mailboxes

    async def remove(self, owner: str) -> None:
        self.market.mailboxes.discard(owner)


@dataclass
class InMemorySentOffers:
    """What a test says that providers' systems have heard of."""

    market: Market

    async def was_heard_of(self, package_id: PackageId, offer_id: OfferId) -> bool:
        return (package_id, offer_id) in self.market.heard_of

    async def said(self, package_id: PackageId, offer_id: OfferId) -> OfferSaid | None:
        return self.market.said.get((package_id, offer_id))
