"""One suite over the unit of work on PostgreSQL and the one in memory: handlers cannot tell them apart."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import pytest

from contracts.catalogue import BY_TYPE, decode
from contracts.events.base import Event
from contracts.events.packages import PackageWithdrawn, WithdrawalRequested
from contracts.examples import an_example_of
from contracts.values import WithdrawalReason
from service_runtime.postgres.database import Database
from service_runtime.projections import projections as views
from service_runtime.projections.projections import Projection, build_row
from service_runtime.timers.timers import Precedence, Timer
from testkit.clocks import MONDAY_NINE, FixedClock
from testkit.databases import rows
from testkit.fake_unit_of_work import InMemoryProjections, InMemoryUnitOfWork
from testkit.sample_service import Turnstile, TurnstileWork

REQUESTS = Projection("requests", event_types=(WithdrawalRequested,), key=lambda event: str(event.package_id))
IT = uuid4()

AnyWork = TurnstileWork | InMemoryUnitOfWork


class Store(Protocol):
    """A place where units of work leave what they did."""

    async def perform(self, handle: Callable[[AnyWork], Awaitable[None]]) -> None: ...
    async def hear(self, event: WithdrawalRequested, *, sequence: int) -> bool: ...
    async def published(self) -> list[Event]: ...
    async def timers(self) -> set[tuple[str, str, Timer]]: ...


@dataclass
class OnPostgres:
    gate: Turnstile

    async def perform(self, handle: Callable[[AnyWork], Awaitable[None]]) -> None:
        async def run(work: TurnstileWork) -> None:
            await handle(work)

        await self.gate.do(IT, run)

    async def hear(self, event: WithdrawalRequested, *, sequence: int) -> bool:
        async with self.gate.database.begin_transaction() as connection:
            return await views.upsert_rows(connection, [build_row(REQUESTS, event, sequence=sequence)], now=MONDAY_NINE)

    async def published(self) -> list[Event]:
        found = await rows(self.gate.database, "SELECT type, payload FROM journal ORDER BY position")
        return [decode(BY_TYPE[row.type].event, row.payload) for row in found]

    async def timers(self) -> set[tuple[str, str, Timer]]:
        found = await rows(
            self.gate.database, "SELECT kind, about, due_at, precedence FROM timers WHERE kind <> 'view-moved'"
        )
        return {
            (row.kind, row.about, Timer(row.kind, row.about, row.due_at, Precedence(row.precedence))) for row in found
        }


@dataclass
class InMemory:
    views: InMemoryProjections = field(default_factory=InMemoryProjections)
    armed: dict[tuple[str, str], Timer] = field(default_factory=dict[tuple[str, str], Timer])
    events: list[Event] = field(default_factory=list[Event])

    async def perform(self, handle: Callable[[AnyWork], Awaitable[None]]) -> None:
        await handle(InMemoryUnitOfWork(projections=self.views, timers=self.armed, published=self.events))

    async def hear(self, event: WithdrawalRequested, *, sequence: int) -> bool:
        return self.views.hear(REQUESTS, event, sequence=sequence)

    async def published(self) -> list[Event]:
        return self.events

    async def timers(self) -> set[tuple[str, str, Timer]]:
        return {(kind, about, timer) for (kind, about), timer in self.armed.items()}


@pytest.fixture(params=["on PostgreSQL", "in memory"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "in memory":
        return InMemory()
    database: Database = request.getfixturevalue("database")
    return OnPostgres(Turnstile("turnstile", database, "127.0.0.1:1", clock=FixedClock()))


def close(about: str, *, hours: int = 1) -> Timer:
    return Timer("close", about, MONDAY_NINE + timedelta(hours=hours), Precedence.EXPIRY)


def requested(reason: WithdrawalReason = WithdrawalReason.MOVED_AWAY) -> WithdrawalRequested:
    return an_example_of(WithdrawalRequested, package_id=IT, reason=reason)


async def test_events_are_published_in_their_order(store: Store) -> None:
    withdrawn = an_example_of(PackageWithdrawn, package_id=IT)

    async def tell(work: AnyWork) -> None:
        work.publish(requested())
        work.publish(withdrawn, requested())

    await store.perform(tell)
    assert await store.published() == [requested(), withdrawn, requested()]


async def test_of_timers_about_one_thing_the_last_word_counts(store: Store) -> None:
    async def arm(work: AnyWork) -> None:
        work.schedule(close("a"), close("b"), close("a", hours=2))
        work.cancel("close", "b")
        work.cancel("close", "c")
        work.schedule(close("c"))

    await store.perform(arm)
    assert await store.timers() == {("close", "a", close("a", hours=2)), ("close", "c", close("c"))}

    async def put_off(work: AnyWork) -> None:
        work.cancel("close", "a")
        work.cancel("close", "nothing")
        work.schedule(close("c", hours=3))

    await store.perform(put_off)
    assert await store.timers() == {("close", "c", close("c", hours=3))}


async def test_it_is_the_instant_of_the_unit_of_work_and_ids_are_fresh(store: Store) -> None:
    async def look(work: AnyWork) -> None:
        assert work.now == MONDAY_NINE
        assert work.cause.council == "essex"
        assert len({work.new_id() for _ in range(10)}) == 10

    await store.perform(look)


async def test_a_view_tells_the_newest_and_nothing_of_what_was_not_heard(store: Store) -> None:
    newest = requested(WithdrawalReason.FAMILY_WILL_CARE)
    await store.hear(newest, sequence=2)
    await store.hear(requested(), sequence=1)

    async def look(work: AnyWork) -> None:
        found = await work.projections.get(REQUESTS, str(IT))
        assert found is not None
        assert (found.sequence, found.event) == (2, newest)
        assert await work.projections.get(REQUESTS, "nobody") is None
        assert list(await work.projections.get_many(REQUESTS, [str(IT), "nobody"])) == [str(IT)]
        assert [entry.event for entry in await work.projections.get_by_prefix(REQUESTS, str(IT)[:8])] == [newest]

    await store.perform(look)


async def test_holding_waits_for_news_and_is_refused_when_there_was_some(store: Store) -> None:
    async def hold(work: AnyWork) -> None:
        assert await work.projections.get(REQUESTS, str(IT)) is None
        assert await work.hold([("requests", str(IT))])

    await store.perform(hold)
    assert await store.hear(requested(), sequence=1), "somebody is woken"
    assert not await store.hear(requested(), sequence=2), "nobody holds any more"

    async def hold_without_looking(work: AnyWork) -> None:
        assert not await work.hold([("requests", str(IT))])

    async def hold_for_something_newer(work: AnyWork) -> None:
        assert await work.projections.get(REQUESTS, str(IT)) is not None
        assert await work.hold([("requests", str(IT))])

    await store.perform(hold_without_looking)
    await store.perform(hold_for_something_newer)
    assert await store.hear(requested(), sequence=3), "somebody is woken"
