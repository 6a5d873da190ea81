"""Units of work: one suite for the implementation on PostgreSQL and the one in memory."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import pytest

from contracts.catalogue import BY_TYPE, decode
from contracts.events.base import Event
from contracts.events.packages import PackageWithdrawn, WithdrawalRequested
from contracts.example_words import WithdrawalReasons
from contracts.examples import an_example_of
from contracts.ids import ReasonKey
from contracts.precedence import Precedence
from service_runtime.postgres.database import Database
from service_runtime.projections import projections
from service_runtime.projections.projections import Projection, build_row
from service_runtime.timers.timers import Timer
from testkit.clocks import MONDAY_NINE, FixedClock
from testkit.databases import fetch_rows
from testkit.fake_unit_of_work import InMemoryProjections, InMemoryUnitOfWork
from testkit.sample_service import NO_KAFKA, SampleService, SampleUnitOfWork

REQUESTS = Projection("requests", event_types=(WithdrawalRequested,), key=lambda event: str(event.package_id))
PACKAGE = uuid4()

AnyWork = SampleUnitOfWork | InMemoryUnitOfWork


class Store(Protocol):
    """A store of units of work and of their effects."""

    async def execute(self, handle: Callable[[AnyWork], Awaitable[None]]) -> None: ...
    async def apply_event(self, event: WithdrawalRequested, *, sequence: int) -> bool: ...
    async def list_events(self) -> list[Event]: ...
    async def list_timers(self) -> set[tuple[str, str, Timer]]: ...


@dataclass
class OnPostgres:
    sample: SampleService

    async def execute(self, handle: Callable[[AnyWork], Awaitable[None]]) -> None:
        async def run(work: SampleUnitOfWork) -> None:
            await handle(work)

        await self.sample.execute(PACKAGE, run)

    async def apply_event(self, event: WithdrawalRequested, *, sequence: int) -> bool:
        async with self.sample.database.begin_transaction() as connection:
            released = await projections.upsert_rows(
                connection, [build_row(REQUESTS, event, sequence=sequence)], now=MONDAY_NINE
            )
        self.sample.executor.projections.mark_stale()
        return released

    async def list_events(self) -> list[Event]:
        rows = await fetch_rows(self.sample.database, "SELECT type, payload FROM journal ORDER BY position")
        return [decode(BY_TYPE[row.type].event, row.payload) for row in rows]

    async def list_timers(self) -> set[tuple[str, str, Timer]]:
        rows = await fetch_rows(
            self.sample.database, "SELECT kind, about, due_at, precedence FROM timers WHERE kind <> 'view-moved'"
        )
        return {
            (row.kind, row.about, Timer(row.kind, row.about, row.due_at, Precedence(row.precedence))) for row in rows
        }


@dataclass
class InMemory:
    projections: InMemoryProjections = field(default_factory=InMemoryProjections)
    scheduled: dict[tuple[str, str], Timer] = field(default_factory=dict[tuple[str, str], Timer])
    events: list[Event] = field(default_factory=list[Event])

    async def execute(self, handle: Callable[[AnyWork], Awaitable[None]]) -> None:
        await handle(InMemoryUnitOfWork(projections=self.projections, timers=self.scheduled, published=self.events))

    async def apply_event(self, event: WithdrawalRequested, *, sequence: int) -> bool:
        return self.projections.apply(REQUESTS, event, sequence=sequence)

    async def list_events(self) -> list[Event]:
        return self.events

    async def list_timers(self) -> set[tuple[str, str, Timer]]:
        return {(kind, about, timer) for (kind, about), timer in self.scheduled.items()}


@pytest.fixture(params=[pytest.param("on PostgreSQL", marks=pytest.mark.servers), "in memory"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "in memory":
        return InMemory()
    database: Database = request.getfixturevalue("database")
    return OnPostgres(SampleService("sample", database, NO_KAFKA, clock=FixedClock()))


def a_timer(about: str, *, hours: int = 1) -> Timer:
    return Timer("close", about, MONDAY_NINE + timedelta(hours=hours), Precedence.EXPIRY)


def a_request(reason: ReasonKey = WithdrawalReasons.MOVED_AWAY) -> WithdrawalRequested:
    return an_example_of(WithdrawalRequested, package_id=PACKAGE, reason=reason)


async def test_events_are_published_in_their_order(store: Store) -> None:
    withdrawn = an_example_of(PackageWithdrawn, package_id=PACKAGE)

    async def publish(work: AnyWork) -> None:
        work.publish(a_request())
        work.publish(withdrawn, a_request())

    await store.execute(publish)
    assert await store.list_events() == [a_request(), withdrawn, a_request()]


async def test_the_last_change_of_a_timer_counts(store: Store) -> None:
    async def schedule(work: AnyWork) -> None:
        work.schedule(a_timer("a"), a_timer("b"), a_timer("a", hours=2))
        work.cancel("close", "b")
        work.cancel("close", "c")
        work.schedule(a_timer("c"))

    await store.execute(schedule)
    assert await store.list_timers() == {("close", "a", a_timer("a", hours=2)), ("close", "c", a_timer("c"))}

    async def reschedule(work: AnyWork) -> None:
        work.cancel("close", "a")
        work.cancel("close", "nothing")
        work.schedule(a_timer("c", hours=3))

    await store.execute(reschedule)
    assert await store.list_timers() == {("close", "c", a_timer("c", hours=3))}


async def test_now_is_the_instant_of_the_unit_of_work_and_ids_are_new(store: Store) -> None:
    async def check(work: AnyWork) -> None:
        assert work.now == MONDAY_NINE
        assert work.cause.council == "amberside"
        assert len({work.new_id() for _ in range(10)}) == 10

    await store.execute(check)


async def test_a_projection_returns_the_newest_event_and_none_for_an_unknown_key(store: Store) -> None:
    newest = a_request(WithdrawalReasons.FAMILY_WILL_CARE)
    await store.apply_event(newest, sequence=2)
    await store.apply_event(a_request(), sequence=1)

    async def check(work: AnyWork) -> None:
        row = await work.projections.get(REQUESTS, str(PACKAGE))
        assert row is not None
        assert (row.sequence, row.event) == (2, newest)
        assert await work.projections.get(REQUESTS, "unknown") is None
        assert list(await work.projections.get_many(REQUESTS, [str(PACKAGE), "unknown"])) == [str(PACKAGE)]
        assert [entry.event for entry in await work.projections.get_by_prefix(REQUESTS, str(PACKAGE)[:8])] == [newest]

    await store.execute(check)


async def test_a_hold_waits_for_an_update_and_is_refused_after_one(store: Store) -> None:
    async def hold(work: AnyWork) -> None:
        assert await work.projections.get(REQUESTS, str(PACKAGE)) is None
        assert await work.hold([("requests", str(PACKAGE))])

    await store.execute(hold)
    assert await store.apply_event(a_request(), sequence=1), "the held stream is notified"
    assert not await store.apply_event(a_request(), sequence=2), "no stream is held"

    async def hold_without_looking(work: AnyWork) -> None:
        assert not await work.hold([("requests", str(PACKAGE))])

    async def hold_for_something_newer(work: AnyWork) -> None:
        assert await work.projections.get(REQUESTS, str(PACKAGE)) is not None
        assert await work.hold([("requests", str(PACKAGE))])

    await store.execute(hold_without_looking)
    await store.execute(hold_for_something_newer)
    assert await store.apply_event(a_request(), sequence=3), "the held stream is notified"
