"""Sourcing's unit of work without a database; its searches pass the same suite as those in PostgreSQL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.ids import PackageId, ProviderId
from contracts.values import Care
from sourcing.domain.market import Market
from sourcing.domain.search import Search
from sourcing.domain.triggers import Outage
from testkit.fake_unit_of_work import InMemoryUnitOfWork


@dataclass
class InMemorySearches:
    """Searches in a dictionary."""

    _kept: dict[PackageId, Search] = field(default_factory=dict[PackageId, Search])

    async def get(self, package_id: PackageId) -> Search | None:
        return self._kept.get(package_id)

    async def save(self, search: Search, *, before: Search | None) -> None:
        assert self._kept.get(search.package_id) == before, "what is changed is what was loaded"
        self._kept[search.package_id] = search


@dataclass
class InMemoryMarkets:
    """The market that a test has made; `looks` counts how often it was read."""

    market: Callable[[], Market]
    looks: int = 0

    async def read(  # as the port says, whoever it is about
        self,
        care: Care,  # noqa: ARG002
        search: Search | None,  # noqa: ARG002
        *,
        at: datetime,  # noqa: ARG002
        about: ProviderId | None = None,  # noqa: ARG002
    ) -> Market:
        self.looks += 1
        return self.market()


@dataclass
class InMemoryOutages:
    """The outages that a test has made."""

    known: list[Outage] = field(default_factory=list[Outage])

    async def since(self, at: datetime) -> Sequence[Outage]:
        return [outage for outage in self.known if outage.up_at > at]


@dataclass
class InMemorySourcingWork(InMemoryUnitOfWork):
    """A unit of work for the unit tests of handlers."""

    searches: InMemorySearches = field(default_factory=InMemorySearches)
    markets: InMemoryMarkets = field(default_factory=lambda: InMemoryMarkets(Market))
    outages: InMemoryOutages = field(default_factory=InMemoryOutages)
