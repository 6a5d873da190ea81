"""Provider-registry's repositories and unit of work in memory. They pass the same test suite as those on PostgreSQL."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from contracts.catalogue import PROVIDERS
from contracts.events.frameworks import RankedListPublished
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, OfferId, PackageId, ProviderId
from provider_registry.domain.mails import OfferSummary
from provider_registry.domain.provider import Definitions, FrameworkPlace, Provider
from provider_registry.ports import DeliveryTerms
from service_runtime.unit_of_work.streams import Cause
from service_runtime.webhooks.endpoint_health import EndpointHealth, FailureTerms
from service_runtime.webhooks.endpoints import Endpoint
from testkit.clocks import MONDAY_NINE
from testkit.fake_endpoints import InMemoryEndpointHealth, InMemoryEndpoints
from testkit.fake_unit_of_work import InMemoryUnitOfWork
from testkit.provider_registry.builders import COUNCIL, TERMS


@dataclass
class RegistryTables:
    """The rows of the in-memory repositories, shared by all units of work of a test."""

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
    endpoint_health: dict[str, EndpointHealth] = field(default_factory=dict[str, EndpointHealth])
    mailboxes: set[str] = field(default_factory=set[str])
    offer_summaries: dict[tuple[PackageId, OfferId], OfferSummary] = field(
        default_factory=dict[tuple[PackageId, OfferId], OfferSummary]
    )
    sent_offers: set[tuple[PackageId, OfferId]] = field(default_factory=set[tuple[PackageId, OfferId]])
    to_reassess: set[ProviderId] = field(default_factory=set[ProviderId])


@dataclass
class InMemoryRegistryWork(InMemoryUnitOfWork):
    """Provider-registry's unit of work in memory."""

    tables: RegistryTables = field(default_factory=RegistryTables)
    secret_overlap: timedelta = timedelta(hours=24)
    failure_terms: FailureTerms = field(default_factory=lambda: FailureTerms(PROVIDERS))
    delivery_terms: DeliveryTerms = TERMS

    @property
    def providers(self) -> "InMemoryProviders":
        return InMemoryProviders(self.tables)

    @property
    def frameworks(self) -> "InMemoryFrameworks":
        return InMemoryFrameworks(self.tables)

    @property
    def endpoints(self) -> InMemoryEndpoints:
        return InMemoryEndpoints(self.tables.endpoints, self.now)

    @property
    def endpoint_health(self) -> InMemoryEndpointHealth:
        return InMemoryEndpointHealth(self.tables.endpoint_health, self.now)

    @property
    def mailboxes(self) -> "InMemoryMailboxes":
        return InMemoryMailboxes(self.tables)

    @property
    def sent_offers(self) -> "InMemorySentOffers":
        return InMemorySentOffers(self.tables)


def build_unit_of_work(
    tables: RegistryTables | None = None, *, at: datetime = MONDAY_NINE, council: str = COUNCIL
) -> InMemoryRegistryWork:
    """Builds a unit of work for a command of a caller from `council`."""
    return InMemoryRegistryWork(
        now=at, cause=Cause("command:test", "system:test", council), tables=tables or RegistryTables()
    )


@dataclass
class InMemoryProviders:
    """Providers in a dictionary."""

    tables: RegistryTables

    async def get(self, provider_id: ProviderId) -> Provider | None:
        return self.tables.providers.get(provider_id)

    async def save(self, provider: Provider, *, before: Provider | None) -> None:
        assert self.tables.providers.get(provider.provider_id) == before, (
            "the stored provider is not the one that was loaded"
        )
        self.tables.providers[provider.provider_id] = provider

    async def declare_capacity(self, provider_id: ProviderId, area: AreaCode, free_hours: Decimal) -> None:
        self.tables.capacity[provider_id, area] = free_hours

    async def watch_members(self, places: Collection[FrameworkPlace]) -> Mapping[FrameworkPlace, frozenset[ProviderId]]:
        found = {place: frozenset(self._list_members(place)) for place in places}
        return {place: members for place, members in found.items() if members}

    async def find_open_package_recipients(
        self, framework: FrameworkKey, area: AreaCode, *, council: CouncilKey, spot: bool
    ) -> Sequence[ProviderId]:
        recipients = (
            each.provider_id
            for each in self.tables.providers.values()
            if each.council == council
            and each.embargo is None
            and (each.is_member_of(framework, area) or (spot and area in each.spot_areas))
        )
        return sorted(each for each in recipients if str(each) in self.tables.endpoints)

    async def schedule_reassessment(self, framework: FrameworkKey) -> None:
        self.tables.to_reassess |= {
            provider.provider_id
            for provider in self.tables.providers.values()
            if any(place.framework == framework for place in provider.places)
        }

    def _list_members(self, place: FrameworkPlace) -> Iterable[ProviderId]:
        return (provider.provider_id for provider in self.tables.providers.values() if place in provider.places)


@dataclass
class InMemoryFrameworks:
    """Definitions and ranked lists in dictionaries."""

    tables: RegistryTables

    async def load_newest(self, frameworks: Iterable[FrameworkKey]) -> Definitions:
        versions = sorted(self.tables.definitions.items())
        keys = set(frameworks)
        return {key: definition for (key, _), definition in versions if key in keys}

    async def load_version(self, framework: FrameworkKey, version: int) -> FrameworkDefinition | None:
        return self.tables.definitions.get((framework, version))

    async def add(self, definition: FrameworkDefinition) -> None:
        self.tables.definitions[definition.framework, definition.version] = definition

    async def get_newest_list_version(self, place: FrameworkPlace) -> int:
        return max((version for at, version in self.tables.lists if at == place), default=0)

    async def load_ranked_list(self, place: FrameworkPlace, list_version: int) -> RankedListPublished | None:
        return self.tables.lists.get((place, list_version))

    async def add_list(self, ranked: RankedListPublished) -> None:
        self.tables.lists[FrameworkPlace(ranked.framework, ranked.area, ranked.tier), ranked.list_version] = ranked


@dataclass
class InMemoryMailboxes:
    """The providers with a mailbox. Addresses are not stored."""

    tables: RegistryTables

    async def put(self, owner: str, address: str) -> None:  # noqa: ARG002  the port's arguments
        self.tables.mailboxes.add(owner)

    async def has_mailbox(self, owner: str) -> bool:
        return owner in self.tables.mailboxes

    async def remove(self, owner: str) -> None:
        self.tables.mailboxes.discard(owner)


@dataclass
class InMemorySentOffers:
    """The offers that a test marks as sent to providers' systems, and the summaries that it sets."""

    tables: RegistryTables

    async def has_been_sent(self, package_id: PackageId, offer_id: OfferId) -> bool:
        return (package_id, offer_id) in self.tables.sent_offers

    async def find_summary(self, package_id: PackageId, offer_id: OfferId) -> OfferSummary | None:
        return self.tables.offer_summaries.get((package_id, offer_id))
