"""Sourcing's unit of work in memory. Its searches pass the same test suite as the PostgreSQL repository."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.ids import PackageId, ProviderId
from contracts.values import Care
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.search import Search
from sourcing.domain.triggers import Outage
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
class InMemorySourcingWork(InMemoryUnitOfWork):
    """A unit of work for the unit tests of handlers."""

    searches: InMemorySearches = field(default_factory=InMemorySearches)
    markets: InMemoryMarkets = field(default_factory=lambda: InMemoryMarkets(MarketSnapshot))
    outages: InMemoryOutages = field(default_factory=InMemoryOutages)
