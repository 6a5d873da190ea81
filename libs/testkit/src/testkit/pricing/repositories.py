"""Pricing's repositories in memory and on PostgreSQL, for the test suite that both pass."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from operator import attrgetter
from types import SimpleNamespace
from typing import cast

from contracts.catalogue import PACKAGES, encode
from contracts.events.frameworks import FrameworkPublished
from contracts.examples import COUNCIL, MONDAY_NINE
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import CouncilKey
from pricing.ports import DEFINITION_VERSIONS, DEFINITIONS, PricingQueries, PricingWork
from pricing.store.orders import SAVE_ORDERS, OrderNumbers
from pricing.store.queries import PostgresPricingQueries
from pricing.store.spot_prices import PENDING_STATE
from pricing.store.unit_of_work import PostgresPricingWork
from service_runtime.postgres.database import Database
from service_runtime.projections.projections import ProjectionRow, upsert_rows
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.unit_of_work.wakeups import Wakeups
from testkit.clocks import FixedClock
from testkit.pricing.fakes import InMemoryPricingQueries, InMemoryPricingWork, PricingTables
from testkit.units_of_work import EachCallAlone


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
    """Each call of a repository is a unit of work of its own."""

    @asynccontextmanager
    async def open_work(council: CouncilKey, minute: int) -> AsyncGenerator[PricingWork]:
        clock = FixedClock(MONDAY_NINE + timedelta(minutes=minute))

        def build_executor() -> Executor[PostgresPricingWork]:
            return Executor(
                service="pricing",
                database=database,
                clock=clock,
                unit_of_work=partial(PostgresPricingWork, order_numbers=OrderNumbers(database)),
                wakeups=Wakeups(),
                states=(PENDING_STATE,),
                save_rows=SAVE_ORDERS,
            )

        def open_repository(name: str) -> EachCallAlone:
            return EachCallAlone(build_executor, attrgetter(name), _choose_stream, cause=a_cause(council))

        names = ("orders", "rates", "spot_prices", "frameworks")
        # The suite uses the repositories of the unit of work only.
        yield cast("PricingWork", SimpleNamespace(**{name: open_repository(name) for name in names}))

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


def _choose_stream(subject: object, *_: object, **__: object) -> StreamKey:
    """Chooses the package's stream for a price or a package id, and any stream otherwise."""
    package_id = getattr(subject, "package_id", subject)
    return StreamKey(PACKAGES, str(package_id))
