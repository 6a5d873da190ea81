"""The registry's unit of work in memory; it passes the same suite as the one on PostgreSQL."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from contracts.events.frameworks import RankedListPublished
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, OfferId, PackageId, ProviderId
from provider_registry.domain.mails import OfferSummary
from provider_registry.domain.provider import Definitions, FrameworkPlace, Provider
from provider_registry.ports import DeliveryTerms
from service_runtime.unit_of_work.streams import Cause
from service_runtime.webhooks.endpoints import Endpoint, EndpointNotFound
from testkit.clocks import MONDAY_NINE
from testkit.fake_unit_of_work import InMemoryUnitOfWork
from testkit.provider_registry.builders import COUNCIL, TERMS


@dataclass
class InMemoryMarket:
    """All that an in-memory registry knows; units of work come and go over it."""

    providers: dict[ProviderId, Provider] = field(default_factory=dict[ProviderId, Provider])
    capacity: dict[tuple[ProviderId, AreaCode], Decimal] = field(
        default_factory=dict[tuple[ProviderId, AreaCode], Decimal]
    )
    definitions: dict[tuple[FrameworkKey, int], FrameworkDefinition] = field(
        default_factory=dict[tuple[FrameworkKey, int], FrameworkDefinition]
    )
    lists: dict[tuple[FrameworkPlace, int], RankedListPublished] = field(
        default_factory=dict[tuple[FrameworkPlace, int], RankedListPublished]
    )
    endpoints: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    mailboxes: set[str] = field(default_factory=set[str])
    offer_summaries: dict[tuple[PackageId, OfferId], OfferSummary] = field(
        default_factory=dict[tuple[PackageId, OfferId], OfferSummary]
    )
    sent_offers: set[tuple[PackageId, OfferId]] = field(default_factory=set[tuple[PackageId, OfferId]])
    to_reassess: set[ProviderId] = field(default_factory=set[ProviderId])


@dataclass
class InMemoryRegistryWork(InMemoryUnitOfWork):
    """The registry's unit of work in memory."""

    market: InMemoryMarket = field(default_factory=InMemoryMarket)
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


def build_unit_of_work(
    market: InMemoryMarket | None = None, *, at: datetime = MONDAY_NINE, council: str = COUNCIL
) -> InMemoryRegistryWork:
    """A unit of work of a caller from `council`."""
    return InMemoryRegistryWork(
        now=at, cause=Cause("command:test", "system:test", council), market=market or InMemoryMarket()
    )


@dataclass
class InMemoryProviders:
    """Providers in a dictionary."""

    market: InMemoryMarket

    async def get(self, provider_id: ProviderId) -> Provider | None:
        return self.market.providers.get(provider_id)

    async def save(self, provider: Provider, *, before: Provider | None) -> None:
        assert self.market.providers.get(provider.provider_id) == before, "saved over what somebody else has saved"
        self.market.providers[provider.provider_id] = provider

    async def declare_capacity(self, provider_id: ProviderId, area: AreaCode, free_hours: Decimal) -> None:
        self.market.capacity[provider_id, area] = free_hours

    async def lock_members(self, places: Collection[FrameworkPlace]) -> Mapping[FrameworkPlace, frozenset[ProviderId]]:
        found = {place: frozenset(self._list_members(place)) for place in places}
        return {place: members for place, members in found.items() if members}

    async def find_open_package_recipients(
        self, framework: FrameworkKey, area: AreaCode, *, council: CouncilKey, spot: bool
    ) -> Sequence[ProviderId]:
        concerned = (
            each.provider_id
            for each in self.market.providers.values()
            if each.council == council
            and each.embargo is None
            and (each.is_member_of(framework, area) or (spot and area in each.spot_areas))
        )
        return sorted(each for each in concerned if self._has_live_endpoint(each))

    def _has_live_endpoint(self, provider_id: ProviderId) -> bool:
        endpoint = self.market.endpoints.get(str(provider_id))
        return endpoint is not None and endpoint.disabled_because is None

    async def schedule_reassessment(self, framework: FrameworkKey) -> None:
        self.market.to_reassess |= {
            provider.provider_id
            for provider in self.market.providers.values()
            if any(place.framework == framework for place in provider.places)
        }

    def _list_members(self, place: FrameworkPlace) -> Iterable[ProviderId]:
        return (provider.provider_id for provider in self.market.providers.values() if place in provider.places)


@dataclass
class InMemoryFrameworks:
    """Definitions and ranked lists in dictionaries."""

    market: InMemoryMarket

    async def load_newest(self, frameworks: Iterable[FrameworkKey]) -> Definitions:
        versions = sorted(self.market.definitions.items())
        keys = set(frameworks)
        return {key: definition for (key, _), definition in versions if key in keys}

    async def load_version(self, framework: FrameworkKey, version: int) -> FrameworkDefinition | None:
        return self.market.definitions.get((framework, version))

    async def add(self, definition: FrameworkDefinition) -> None:
        self.market.definitions[definition.framework, definition.version] = definition

    async def get_newest_list_version(self, place: FrameworkPlace) -> int:
        return max((version for at, version in self.market.lists if at == place), default=0)

    async def load_ranked_list(self, place: FrameworkPlace, list_version: int) -> RankedListPublished | None:
        return self.market.lists.get((place, list_version))

    async def add_list(self, ranked: RankedListPublished) -> None:
        self.market.lists[FrameworkPlace(ranked.framework, ranked.area, ranked.tier), ranked.list_version] = ranked


@dataclass
class InMemoryEndpoints:
    """Endpoints in a dictionary; their secrets are made up and kept by nobody."""

    market: InMemoryMarket
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

    market: InMemoryMarket

    async def put(self, owner: str, address: str) -> None:  # noqa: ARG002  as the real ones
        self.market.mailboxes.add(owner)

    async def has_mailbox(self, owner: str) -> bool:
        return owner in self.market.mailboxes

    async def remove(self, owner: str) -> None:
        self.market.mailboxes.discard(owner)


@dataclass
class InMemorySentOffers:
    """What a test says that providers' systems have heard of."""

    market: InMemoryMarket

    async def was_sent(self, package_id: PackageId, offer_id: OfferId) -> bool:
        return (package_id, offer_id) in self.market.sent_offers

    async def find_summary(self, package_id: PackageId, offer_id: OfferId) -> OfferSummary | None:
        return self.market.offer_summaries.get((package_id, offer_id))
