"""Sourcing's unit of work in memory. Its searches pass the same test suite as the PostgreSQL repository."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.events.lists import ListIssued, ListRowAdded
from contracts.events.providers import EligibilityChanged
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import FrameworkKey, ListId, ListingReference, PackageId, ProviderId
from contracts.values import Care
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.search import Search
from sourcing.domain.sent_list import ListedRow, SentList, begin_list, to_listed_row
from sourcing.domain.triggers import Outage
from sourcing.ports import NewText
from testkit.fake_unit_of_work import InMemoryUnitOfWork


@dataclass
class InMemorySearches:
    """Searches in a dictionary."""

    _searches: dict[PackageId, Search] = field(default_factory=dict[PackageId, Search])

    async def get(self, package_id: PackageId) -> Search | None:
        return self._searches.get(package_id)

    async def save(self, search: Search, *, before: Search | None) -> None:
        assert self._searches.get(search.package_id) == before, "the stored search is not the one that was loaded"
        self._searches[search.package_id] = search


@dataclass
class InMemoryMarkets:
    """A market that a test provides; `read_count` is the number of reads."""

    market: Callable[[], MarketSnapshot]
    read_count: int = 0
    named: ProviderId | None = None
    """The further provider of the last read."""

    async def read(  # the port's arguments; the same market for each of them
        self,
        care: Care,  # noqa: ARG002
        search: Search | None,  # noqa: ARG002
        *,
        at: datetime,  # noqa: ARG002
        provider_id: ProviderId | None = None,
        target_version: int | None = None,  # noqa: ARG002
    ) -> MarketSnapshot:
        self.read_count += 1
        self.named = provider_id
        return self.market()


@dataclass
class InMemoryOutages:
    """Outages that a test provides."""

    outages: list[Outage] = field(default_factory=list[Outage])

    async def list_since(self, at: datetime) -> Sequence[Outage]:
        return [outage for outage in self.outages if outage.up_at > at]


@dataclass
class InMemoryLists:
    """Lists and their rows in dictionaries; a test provides the definition and the market."""

    sent: SentList | None = None
    rows: dict[ListId, list[ListRowAdded]] = field(default_factory=dict[ListId, list[ListRowAdded]])
    parts: dict[ListingReference, int] = field(default_factory=dict[ListingReference, int])
    definition: FrameworkDefinition | None = None
    market: list[EligibilityChanged] = field(default_factory=list[EligibilityChanged])
    rows_to_come: bool = False

    def add_row(self, event: ListRowAdded) -> None:
        self.rows.setdefault(event.list_id, []).append(event)

    def get(self) -> SentList | None:
        return self.sent

    async def list_unsent_rows(self, list_id: ListId) -> tuple[SentList, Sequence[ListedRow]] | None:
        unsent = [each for each in self.rows.get(list_id, ()) if each.advert.reference not in self.parts]
        return (self.sent or begin_list(unsent[0]), [to_listed_row(each) for each in unsent]) if unsent else None

    async def has_rows_to_come(self, sent: SentList) -> bool:  # noqa: ARG002  the port's argument
        return self.rows_to_come

    async def count_rows(self, list_id: ListId) -> tuple[int, int]:
        return len(self.rows.get(list_id, ())), 0

    def save(self, sent: SentList, *, issued_at: datetime) -> None:  # noqa: ARG002  the port's argument
        self.sent = sent

    def mark_sent(self, rows: Sequence[ListedRow], issued: ListIssued) -> None:
        self.parts |= {each.row.advert.reference: issued.part for each in rows}

    def find_definition(self, framework: FrameworkKey) -> FrameworkDefinition | None:
        is_wanted = self.definition is not None and self.definition.framework == framework
        return self.definition if is_wanted else None

    def list_market(self) -> Sequence[EligibilityChanged]:
        return self.market


@dataclass
class InMemoryTexts:
    """Texts of competitions in a dictionary."""

    texts: dict[UUID, str] = field(default_factory=dict[UUID, str])

    def put(self, new: NewText) -> None:
        self.texts.setdefault(new.text_id, new.text)

    def delete(self, text_id: UUID) -> None:
        self.texts.pop(text_id, None)

    async def find(self, ids: Sequence[UUID]) -> Mapping[UUID, str]:
        return {each: self.texts[each] for each in ids if each in self.texts}


@dataclass
class InMemorySourcingWork(InMemoryUnitOfWork):
    """A unit of work for the unit tests of handlers."""

    searches: InMemorySearches = field(default_factory=InMemorySearches)
    markets: InMemoryMarkets = field(default_factory=lambda: InMemoryMarkets(MarketSnapshot))
    outages: InMemoryOutages = field(default_factory=InMemoryOutages)
    lists: InMemoryLists = field(default_factory=InMemoryLists)
    texts: InMemoryTexts = field(default_factory=InMemoryTexts)
