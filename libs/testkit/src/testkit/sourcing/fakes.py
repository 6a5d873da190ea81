"""Sourcing's unit of work without a database; its searches pass the same suite as those in PostgreSQL."""

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
        assert self._searches.get(search.package_id) == before, "what is changed is what was loaded"
        self._searches[search.package_id] = search


@dataclass
class InMemoryMarkets:
    """The market that a test has made; `reads` counts how often it was read."""

    market: Callable[[], MarketSnapshot]
    reads: int = 0

    async def read(  # as the port says, whoever it is about
        self,
        care: Care,  # noqa: ARG002
        search: Search | None,  # noqa: ARG002
        *,
        at: datetime,  # noqa: ARG002
        provider_id: ProviderId | None = None,  # noqa: ARG002
    ) -> MarketSnapshot:
        self.reads += 1
        return self.market()


@dataclass
class InMemoryOutages:
    """The outages that a test has made."""

    outages: list[Outage] = field(default_factory=list[Outage])

    async def list_since(self, at: datetime) -> Sequence[Outage]:
        return [outage for outage in self.outages if outage.up_at > at]


@dataclass
class InMemorySourcingWork(InMemoryUnitOfWork):
    """A unit of work for the unit tests of handlers."""

    searches: InMemorySearches = field(default_factory=InMemorySearches)
    markets: InMemoryMarkets = field(default_factory=lambda: InMemoryMarkets(MarketSnapshot))
    outages: InMemoryOutages = field(default_factory=InMemoryOutages)
