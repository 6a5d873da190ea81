"""Pricing's repositories in memory and on PostgreSQL, for the test suite that both pass."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from contracts.catalogue import FRAMEWORKS, encode
from contracts.events.frameworks import FrameworkPublished
from contracts.examples import MONDAY_NINE
from contracts.framework import FrameworkDefinition
from contracts.ids import CouncilKey
from pricing.ports import DEFINITION_VERSIONS, DEFINITIONS, PricingQueries, PricingWork
from pricing.store.queries import PostgresPricingQueries
from pricing.store.unit_of_work import PostgresPricingWork
from service_runtime.postgres.database import Database
from service_runtime.projections.projections import ProjectionRow, upsert_rows
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import WorkContext
from testkit.pricing.builders import COUNCIL
from testkit.pricing.fakes import InMemoryPricingQueries, InMemoryPricingWork, PricingTables


class WorkFactory:
    """Opens units of work of a council; their instant is `minute` minutes past nine."""

    def __init__(self, open_work: Callable[[CouncilKey, int], AbstractAsyncContextManager[PricingWork]]) -> None:
        self._open_work = open_work

    def __call__(self, council: CouncilKey = COUNCIL, *, minute: int = 0) -> AbstractAsyncContextManager[PricingWork]:
        return self._open_work(council, minute)


@dataclass(frozen=True)
class Repositories:
    """Units of work, queries and published definitions over the same data."""

    open_work: WorkFactory
    queries: PricingQueries
    add_definition: Callable[[FrameworkDefinition], Awaitable[None]]


def a_cause(council: CouncilKey) -> Cause:
    return Cause("command:test", "system:test", council)


def build_in_memory() -> Repositories:
    tables = PricingTables()

    @asynccontextmanager
    async def open_work(council: CouncilKey, minute: int) -> AsyncGenerator[PricingWork]:
        now = MONDAY_NINE + timedelta(minutes=minute)
        yield InMemoryPricingWork(now=now, cause=a_cause(council), tables=tables)

    async def add_definition(definition: FrameworkDefinition) -> None:
        tables.add_definition(definition)

    return Repositories(WorkFactory(open_work), InMemoryPricingQueries(tables), add_definition)


def build_on_postgres(database: Database) -> Repositories:
    @asynccontextmanager
    async def open_work(council: CouncilKey, minute: int) -> AsyncGenerator[PricingWork]:
        stream = Stream(StreamKey(FRAMEWORKS, "test"), 0, "", parked=False)
        now = MONDAY_NINE + timedelta(minutes=minute)
        async with database.begin_transaction() as connection:
            yield PostgresPricingWork(connection, WorkContext("pricing", stream, now, a_cause(council)))

    async def add_definition(definition: FrameworkDefinition) -> None:
        event = FrameworkPublished(definition=definition)
        rows = [
            ProjectionRow(
                projection.name, projection.key(event), definition.version, event.get_type_name(), encode(event)
            )
            for projection in (DEFINITIONS, DEFINITION_VERSIONS)
        ]
        async with database.begin_transaction() as connection:
            await upsert_rows(connection, rows, now=MONDAY_NINE)

    return Repositories(WorkFactory(open_work), PostgresPricingQueries(database), add_definition)
