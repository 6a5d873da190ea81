"""Provider-registry's repositories and unit of work in memory. They pass the same test suite as those on PostgreSQL."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from contracts.catalogue import PROVIDERS
from contracts.events.frameworks import RankedListPublished
from contracts.events.notices import NoticeKind
from contracts.examples import COUNCIL
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, OfferId, PackageId, ProviderId
from contracts.values import ListReach, PlaceState
from provider_registry.domain.notice import NoticeState
from provider_registry.domain.offer_summary import OfferSummary
from provider_registry.domain.places import FrameworkPlace, ListScope
from provider_registry.domain.proposals import Proposal
from provider_registry.domain.provider import Definitions, Provider
from provider_registry.ports import DeliveryTerms, OpenPackage
from service_runtime.unit_of_work.streams import Cause
from service_runtime.webhooks.endpoint_health import EndpointHealth, FailureTerms
from service_runtime.webhooks.endpoints import Endpoint
from testkit.clocks import MONDAY_NINE
from testkit.fake_endpoints import InMemoryEndpointHealth, InMemoryEndpoints
from testkit.fake_unit_of_work import InMemoryUnitOfWork
from testkit.provider_registry.builders import TERMS
from testkit.provider_registry.fake_notices import InMemoryIssuedLists, InMemoryNotices, NoticeTables


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
    proposals: dict[FrameworkKey, Proposal] = field(default_factory=dict[FrameworkKey, Proposal])
    lists: dict[tuple[ListScope, int], RankedListPublished] = field(
        default_factory=dict[tuple[ListScope, int], RankedListPublished]
    )
    endpoints: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    endpoint_health: dict[str, EndpointHealth] = field(default_factory=dict[str, EndpointHealth])
    mailboxes: set[str] = field(default_factory=set[str])
    offer_summaries: dict[tuple[PackageId, OfferId], OfferSummary] = field(
        default_factory=dict[tuple[PackageId, OfferId], OfferSummary]
    )
    sent_offers: set[tuple[PackageId, OfferId]] = field(default_factory=set[tuple[PackageId, OfferId]])
    to_reassess: set[ProviderId] = field(default_factory=set[ProviderId])
    notices: NoticeTables = field(default_factory=NoticeTables)


@dataclass
class InMemoryRegistryWork(InMemoryUnitOfWork):
    """Provider-registry's unit of work in memory."""

    tables: RegistryTables = field(default_factory=RegistryTables)
    secret_overlap: timedelta = timedelta(hours=24)
    failure_terms: FailureTerms = field(default_factory=lambda: FailureTerms(PROVIDERS))
    delivery_terms: DeliveryTerms = TERMS

    @property
    def providers(self) -> "InMemoryProviders":
        return InMemoryProviders(self.tables, self.now)

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
    def notices(self) -> InMemoryNotices:
        return InMemoryNotices(self.tables.notices, self.tables.endpoints, self.tables.mailboxes)

    @property
    def issued_lists(self) -> InMemoryIssuedLists:
        return InMemoryIssuedLists(self.tables.notices)

    @property
    def sent_offers(self) -> "InMemorySentOffers":
        return InMemorySentOffers(self.tables)


def build_unit_of_work(
    tables: RegistryTables | None = None,
    *,
    at: datetime = MONDAY_NINE,
    council: str = COUNCIL,
    actor: str = "officer:first",
) -> InMemoryRegistryWork:
    """Builds a unit of work for a command of a caller from `council`."""
    return InMemoryRegistryWork(now=at, cause=Cause("command:test", actor, council), tables=tables or RegistryTables())


@dataclass
class InMemoryProviders:
    """Providers in a dictionary."""

    tables: RegistryTables
    now: datetime

    async def get(self, provider_id: ProviderId) -> Provider | None:
        return self.tables.providers.get(provider_id)

    async def save(self, provider: Provider, *, before: Provider | None) -> None:
        assert self.tables.providers.get(provider.provider_id) == before, (
            "the stored provider is not the one that was loaded"
        )
        self.tables.providers[provider.provider_id] = provider

    async def declare_capacity(self, provider_id: ProviderId, area: AreaCode, free_hours: Decimal) -> None:
        self.tables.capacity[provider_id, area] = free_hours

    async def watch_holders(self, places: Collection[FrameworkPlace]) -> Mapping[FrameworkPlace, frozenset[ProviderId]]:
        found = {place: frozenset(self._list_holders(place)) for place in places}
        return {place: holders for place, holders in found.items() if holders}

    async def find_open_package_recipients(
        self, package: OpenPackage, *, council: CouncilKey, members: bool, spot: bool
    ) -> Sequence[ProviderId]:
        recipients = (
            each.provider_id
            for each in self.tables.providers.values()
            if each.council == council
            and each.embargo is None
            and (
                (members and _has_active_place(each, package))
                or (
                    spot
                    and (package.area in each.spot_areas or (package.reach is ListReach.COUNCIL and each.spot_areas))
                )
            )
        )
        return sorted(recipients)

    async def schedule_reassessment(self, framework: FrameworkKey) -> None:
        self.tables.to_reassess |= {
            provider.provider_id
            for provider in self.tables.providers.values()
            if any(each.place.framework == framework for each in provider.places)
        }

    def _list_holders(self, place: FrameworkPlace) -> Iterable[ProviderId]:
        for provider in self.tables.providers.values():
            held = provider.find_place(place)
            if held is not None and held.is_held(self.now):
                yield provider.provider_id


def _has_active_place(provider: Provider, package: OpenPackage) -> bool:
    if package.reach is ListReach.AREA:
        return provider.published.is_active_in(package.framework, package.lot, package.area)
    places = provider.published.places or ()
    return any(each.framework == package.framework and each.state is PlaceState.ACTIVE for each in places)


@dataclass
class InMemoryFrameworks:
    """Definitions and ranked lists in dictionaries."""

    tables: RegistryTables

    async def load_newest(self, frameworks: Iterable[FrameworkKey]) -> Definitions:
        versions = sorted(self.tables.definitions.items())
        keys = set(frameworks)
        return {key: definition for (key, _), definition in versions if key in keys}

    async def load_in_force(self, frameworks: Iterable[FrameworkKey], *, on: date) -> Definitions:
        keys = set(frameworks)
        found: Definitions = {}
        for (key, _), definition in sorted(self.tables.definitions.items()):
            if key in keys and (definition.first_day <= on or not _is_in_force(found.get(key), on)):
                found[key] = definition
        return found

    async def load_of_council(self, council: CouncilKey, *, on: date) -> Definitions:
        keys = {key for (key, _), definition in self.tables.definitions.items() if definition.council == council}
        return await self.load_in_force(keys, on=on)

    async def list_first_days(self, frameworks: Iterable[FrameworkKey], *, after: date) -> Collection[date]:
        keys = set(frameworks)
        days = {each.first_day for (key, _), each in self.tables.definitions.items() if key in keys}
        return {day for day in days if day > after}

    async def load_version(self, framework: FrameworkKey, version: int) -> FrameworkDefinition | None:
        return self.tables.definitions.get((framework, version))

    async def add(self, proposal: Proposal, *, approved_by: str) -> None:  # noqa: ARG002  the port's arguments
        definition = proposal.definition
        self.tables.definitions[definition.framework, definition.version] = definition

    async def find_proposal(self, framework: FrameworkKey) -> Proposal | None:
        return self.tables.proposals.get(framework)

    async def save_proposal(self, proposal: Proposal) -> None:
        self.tables.proposals[proposal.definition.framework] = proposal

    async def remove_proposal(self, framework: FrameworkKey) -> None:
        self.tables.proposals.pop(framework, None)

    async def get_newest_list_version(self, scope: ListScope) -> int:
        return max((version for at, version in self.tables.lists if at == scope), default=0)

    async def load_ranked_list(self, scope: ListScope, list_version: int) -> RankedListPublished | None:
        return self.tables.lists.get((scope, list_version))

    async def add_list(self, ranked: RankedListPublished) -> None:
        place = FrameworkPlace(ranked.framework, ranked.lot, ranked.area, ranked.tier)
        self.tables.lists[ListScope(place, ranked.group), ranked.list_version] = ranked


def _is_in_force(definition: FrameworkDefinition | None, on: date) -> bool:
    return definition is not None and definition.first_day <= on


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
        if (package_id, offer_id) in self.tables.sent_offers:
            return True
        return any(
            (each.kind, each.about, each.state) == (NoticeKind.OFFER_MADE, offer_id, NoticeState.NOTIFIED)
            for each in self.tables.notices.notices.values()
        )

    async def find_summary(self, package_id: PackageId, offer_id: OfferId) -> OfferSummary | None:
        return self.tables.offer_summaries.get((package_id, offer_id))
