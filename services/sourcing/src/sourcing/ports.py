"""What sourcing's handlers and routes call: the unit of work, the projections, and read-only queries of searches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from contracts.events.base import PackageEvent
from contracts.events.frameworks import FrameworkPublished, RankedListPublished
from contracts.events.lists import ListIssued, ListRecipient, ListRowAdded
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    ProviderEmbargoed,
)
from contracts.events.rates import RatesSelected, make_rates_key
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import (
    AreaCode,
    CompetitionId,
    CouncilKey,
    FrameworkKey,
    ListId,
    ListingReference,
    OfferId,
    PackageId,
    ProviderId,
)
from contracts.values import Care
from service_runtime.observability.instruments import WAIT_BUCKETS, CounterSpec, HistogramSpec
from service_runtime.projections.projections import Projection
from service_runtime.unit_of_work.unit_of_work import UnitOfWork
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.offer import Offer
from sourcing.domain.search import Search
from sourcing.domain.sent_list import ListedRow, SentList
from sourcing.domain.triggers import Outage
from sourcing.domain.work_items import WorkItem

DEFINITIONS: Final = Projection("definitions", (FrameworkPublished,), lambda event: event.key)
DEFINITION_VERSIONS: Final = Projection(
    "definition-versions", (FrameworkPublished,), lambda event: f"{event.key}/{event.definition.version}"
)
RANKED_LISTS: Final = Projection("ranked-lists", (RankedListPublished,), lambda event: event.key)
RANKED_LIST_VERSIONS: Final = Projection(
    "ranked-list-versions",
    (RankedListPublished,),
    lambda event: f"{event.key}/{event.list_version}",
)
ELIGIBILITY: Final = Projection("eligibility", (EligibilityChanged,), lambda event: event.key)
CHANNELS: Final = Projection("channels", (ChannelsChanged,), lambda event: event.key)
EMBARGOES: Final[Projection[ProviderEmbargoed | EmbargoLifted]] = Projection(
    "embargoes", (ProviderEmbargoed, EmbargoLifted), lambda event: event.key
)
CAPACITY: Final = Projection("capacity", (CapacityDeclared,), lambda event: f"{event.key}/{event.area}")
RATES: Final = Projection(
    "rates", (RatesSelected,), lambda event: make_rates_key(event.provider_id, event.framework, event.area)
)

SEND_LIST: Final = "send-list"
"""Kind of the timer of a list's stream: its rows are sent."""
CLOSE_LIST: Final = "close-list"
"""Kind of the timer of a list's stream: it is closed."""

BY_STAGE: Final = ("council", "stage")
TIME_TO_FIRST_OFFER: Final = HistogramSpec(
    "calloff_time_to_first_offer_seconds", "From the request of a package to its first offer", WAIT_BUCKETS, BY_STAGE
)
TIME_TO_PLACE: Final = HistogramSpec(
    "calloff_time_to_place_seconds", "From the request of a package to its placement", WAIT_BUCKETS, BY_STAGE
)
OFFERS_PER_PLACEMENT: Final = HistogramSpec(
    "calloff_offers_per_placement",
    "How many providers were offered a package that is placed",
    (0, 1, 2, 3, 5, 8, 13),
    BY_STAGE,
)
OFFERS: Final = CounterSpec(
    "calloff_offers", "Offers made, by council, stage and first channel", (*BY_STAGE, "channel")
)


class Searches(Protocol):
    """Repository of searches, one for each package."""

    async def get(self, package_id: PackageId) -> Search | None:
        """Load the package's search; None when the package was never requested."""
        ...

    async def save(self, search: Search, *, before: Search | None) -> None:
        """Save `search`; `before` is the search as it was loaded, None for a new one."""
        ...


class Markets(Protocol):
    """Reads the projections for one search."""

    async def read(
        self,
        care: Care,
        search: Search | None,
        *,
        at: datetime,
        provider_id: ProviderId | None = None,
        target_version: int | None = None,
    ) -> MarketSnapshot:
        """Read the definition and lists that the search is bound to, or those in force at `at`, and candidates' facts.

        `provider_id` names a further provider whose facts are read: one that proposes, or that delivers the package
        which this one follows. `target_version` is the version to which the search is moved.
        """
        ...


class Lists(Protocol):
    """Repository of lists that are sent out."""

    def add_row(self, event: ListRowAdded) -> None:
        """Add a row in the stream of its package, and have the list sent when all packages have joined it."""
        ...

    def get(self) -> SentList | None:
        """Return the list of this stream; None before its first part was sent."""
        ...

    async def list_unsent_rows(self, list_id: ListId) -> tuple[SentList, Sequence[ListedRow]] | None:
        """List the rows that no part has yet, with the list as they describe it; None without any."""
        ...

    async def has_rows_to_come(self, sent: SentList) -> bool:
        """Return whether a package of this council still has to join lists of this kind that are due."""
        ...

    async def count_rows(self, list_id: ListId) -> tuple[int, int]:
        """Count the list's rows, and those that at least one provider ticked."""
        ...

    def save(self, sent: SentList, *, issued_at: datetime) -> None: ...

    def mark_sent(self, rows: Sequence[ListedRow], issued: ListIssued) -> None:
        """Record that these rows are in a part that was sent, and to whom it goes."""
        ...

    def find_definition(self, framework: FrameworkKey) -> FrameworkDefinition | None:
        """Find the newest version of the framework's definition."""
        ...

    def list_market(self) -> Sequence[EligibilityChanged]:
        """List what every provider may be offered, in the order of their ids."""
        ...


class Outages(Protocol):
    """Past outages of this service."""

    async def list_since(self, at: datetime) -> Sequence[Outage]:
        """List the outages that ended after `at`, the earliest first."""
        ...


@dataclass(frozen=True)
class NewText:
    """A text to store under the id that an event names: a bid, a question, an answer or a note."""

    text_id: UUID
    package_id: PackageId
    text: str = field(repr=False)


class Texts(Protocol):
    """Texts of competitions; they are encrypted at rest and can be erased."""

    def put(self, new: NewText) -> None: ...

    def delete(self, text_id: UUID) -> None:
        """Delete a text; do nothing if it is not stored."""
        ...

    async def find(self, ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Find the texts that are stored; an erased one is left out."""
        ...


class SourcingWork(UnitOfWork, Protocol):
    """Sourcing's unit of work."""

    @property
    def searches(self) -> Searches: ...
    @property
    def markets(self) -> Markets: ...
    @property
    def outages(self) -> Outages: ...
    @property
    def lists(self) -> Lists: ...
    @property
    def texts(self) -> Texts: ...


@dataclass(frozen=True)
class OfferDetails:
    """An offer with the details of its package that the provider may see."""

    offer: Offer
    package_id: PackageId
    council: CouncilKey
    care: Care


@dataclass(frozen=True)
class OfferPlace:
    """To whom and to which package an offer belongs; it never changes."""

    package_id: PackageId
    provider_id: ProviderId
    council: CouncilKey


@dataclass(frozen=True)
class SearchDetails:
    """A search with the council that it belongs to."""

    search: Search
    council: CouncilKey


@dataclass(frozen=True)
class WorkFilter:
    """Which items of the work list are wanted; None: all."""

    area: AreaCode | None = None
    framework: FrameworkKey | None = None
    officer: str | None = None


@dataclass(frozen=True)
class WorkListEntry:
    """An item of the work list with what officers see of its package."""

    item_id: UUID
    package_id: PackageId
    item: WorkItem
    since: datetime
    due: datetime
    framework: FrameworkKey
    area: AreaCode
    stage: str | None
    officer: str | None
    preferred: tuple[ProviderId, ...]


@dataclass(frozen=True)
class JournalRecord:
    """One event as stored in the journal, with its metadata."""

    event: PackageEvent
    sequence: int
    at: datetime
    actor: str
    cause: str
    hash: str


class SearchQueries(Protocol):
    """Read-only queries of searches and offers."""

    async def find_offer(self, offer_id: OfferId) -> OfferDetails | None: ...

    async def find_offer_place(self, offer_id: OfferId) -> OfferPlace | None: ...

    async def list_offers(
        self,
        provider_id: ProviderId,
        council: CouncilKey,
        *,
        only_live: bool,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> Sequence[OfferDetails]:
        """List a provider's offers of one council, the newest first."""
        ...

    async def find_search(self, package_id: PackageId) -> SearchDetails | None: ...

    async def find_definition(self, search: Search) -> FrameworkDefinition | None:
        """Find the definition version that the search is bound to; None while it is not bound to one."""
        ...

    async def find_listed_search(self, reference: ListingReference) -> SearchDetails | None:
        """Find the search by its package's reference on the open list, whether it is still open or not."""
        ...

    async def list_open_packages(
        self, provider_id: ProviderId, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Search]:
        """List open packages in the areas where the provider works, the newest first."""
        ...

    async def is_open_to(self, provider_id: ProviderId, details: SearchDetails) -> bool:
        """Return whether the listed package is open to this provider."""
        ...

    async def list_work(
        self, council: CouncilKey, filters: WorkFilter, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[WorkListEntry]:
        """List what waits for an officer, what is due first before the others."""
        ...

    async def count_archived_events(self, package_id: PackageId) -> int:
        """Returns how many events of the package were moved into archives of the journal."""
        ...

    async def load_journal(self, package_id: PackageId) -> Sequence[JournalRecord]:
        """Load all events that sourcing has published about a package, in order."""
        ...


@dataclass(frozen=True)
class ListDetails:
    """A list with the council that it belongs to, and when its first part was sent."""

    sent: SentList
    council: CouncilKey
    issued_at: datetime


@dataclass(frozen=True)
class ListRowDetails:
    """A row of a list with its package as it is now."""

    added: ListRowAdded
    part: int
    search: Search


@dataclass(frozen=True)
class RowOfList:
    """The package behind a row of a list."""

    list_id: ListId
    package_id: PackageId
    council: CouncilKey


class ListQueries(Protocol):
    """Read-only queries of lists."""

    async def list_lists(
        self,
        council: CouncilKey,
        provider_id: ProviderId | None,
        *,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> Sequence[ListDetails]:
        """List the council's lists, the newest first; with `provider_id` those that go to this provider."""
        ...

    async def find_list(self, list_id: ListId) -> ListDetails | None: ...

    async def list_recipients(self, list_id: ListId) -> Sequence[ListRecipient]:
        """List to whom the list goes, over all of its parts."""
        ...

    async def list_rows(self, list_id: ListId) -> Sequence[ListRowDetails]:
        """List the rows that were sent, in their order."""
        ...

    async def find_row(self, list_id: ListId, reference: ListingReference) -> RowOfList | None:
        """Find the package behind a row's reference."""
        ...

    async def find_definition(self, sent: SentList) -> FrameworkDefinition | None:
        """Find the newest version of the framework's definition, for the titles of words."""
        ...


class CompetitionQueries(Protocol):
    """Read-only queries of competitions; each is found with its search."""

    async def find_search(self, competition_id: CompetitionId) -> SearchDetails | None: ...

    async def list_of_provider(
        self,
        provider_id: ProviderId,
        council: CouncilKey,
        *,
        only_open: bool,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> Sequence[tuple[CompetitionId, SearchDetails]]:
        """List the competitions to which a provider is invited, the newest first."""
        ...

    async def list_under_way(
        self, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[tuple[CompetitionId, SearchDetails]]:
        """List the competitions of a council that take bids or are judged, the newest first."""
        ...

    async def find_texts(self, ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Find the texts that are stored; an erased one is left out."""
        ...
