"""Timers: in order at one instant, once for each, and never after they were cancelled."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from service_runtime.clock import Horizon, SystemClock
from service_runtime.postgres.database import Database
from service_runtime.timers.timers import Precedence, Timer, find_due
from service_runtime.timers.worker import TimerWorker
from testkit.clocks import MovableClock
from testkit.databases import number, rows
from testkit.sample_service import CLOSE, Turnstile, TurnstileWork, running, stream_of
from testkit.waiting import until

NOWHERE = "127.0.0.1:1"
RACES = 200


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def gate(database: Database, clock: MovableClock) -> Turnstile:
    """A turnstile without Kafka, whose time passes when the test says so."""
    return Turnstile("turnstile", database, NOWHERE, clock=clock)


async def arm(gate: Turnstile, package: UUID, *timers: Timer) -> None:
    async def schedule(work: TurnstileWork) -> None:
        work.schedule(*timers)

    await gate.do(package, schedule)


async def cancel(gate: Turnstile, package: UUID, about: str) -> bool:
    """Cancels under the key's lock; True when the timer had not fired before."""
    in_time: list[bool] = []

    async def take_back(work: TurnstileWork) -> None:
        in_time.append(not await closed(gate, about))
        work.cancel(CLOSE, about)

    await gate.do(package, take_back)
    return in_time[-1]


async def closed(gate: Turnstile, about: str) -> int:
    return await number(gate.database, "SELECT count(*) FROM closings WHERE about = :about", about=about)


async def closings(gate: Turnstile) -> Sequence[str]:
    return [row.about for row in await rows(gate.database, "SELECT about FROM closings ORDER BY position")]


async def test_what_falls_due_at_one_instant_happens_in_the_order_of_precedence(
    gate: Turnstile, clock: MovableClock
) -> None:
    package, later = uuid4(), clock.now() + timedelta(minutes=30)
    every = list(Precedence)
    await arm(gate, package, *(Timer(CLOSE, each.name, later, each) for each in reversed(every)))
    clock.set_to(later)
    async with running(gate.sleeper().run()):
        await until(lambda: number(gate.database, "SELECT (count(*) = 0)::int FROM timers"))
    assert await closings(gate) == [each.name for each in every]


async def test_a_timer_does_not_fire_before_its_time(gate: Turnstile, clock: MovableClock) -> None:
    package, later = uuid4(), clock.now() + timedelta(minutes=30)
    await arm(gate, package, Timer(CLOSE, "later", later, Precedence.EXPIRY))
    await arm(gate, package, Timer(CLOSE, "now", clock.now(), Precedence.EXPIRY))
    async with running(gate.sleeper().run()):
        await until(lambda: closed(gate, "now"))
        assert await closings(gate) == ["now"]
        clock.set_to(later)
        gate.wakes.timers.notify()
        await until(lambda: closed(gate, "later"))


async def test_of_several_timers_about_one_thing_the_last_one_counts(gate: Turnstile, clock: MovableClock) -> None:
    package = uuid4()
    early, late = (Timer(CLOSE, "it", clock.now() + timedelta(hours=each), Precedence.EXPIRY) for each in (1, 2))
    await arm(gate, package, early, late)
    armed = await rows(gate.database, "SELECT due_at FROM timers")
    assert [row.due_at for row in armed] == [late.at]
    await arm(gate, package, early)
    armed = await rows(gate.database, "SELECT due_at FROM timers")
    assert [row.due_at for row in armed] == [early.at]


async def test_two_sleepers_fire_each_timer_once(database: Database) -> None:
    gate, other = (Turnstile("turnstile", database, NOWHERE) for _ in range(2))
    for package in [uuid4() for _ in range(100)]:
        await gate.ask(package, close_at=SystemClock().now())
    async with running(gate.sleeper().run(), other.sleeper().run()):
        await until(lambda: number(database, "SELECT (count(*) = 0)::int FROM timers"))
    fired = await closings(gate)
    assert len(fired) == len(set(fired)) == 100


async def test_a_timer_that_is_cancelled_while_it_falls_due_either_fires_or_does_not(database: Database) -> None:
    """The key before the timer: the other order would deadlock with whoever holds the key and cancels."""
    gate = Turnstile("turnstile", database, NOWHERE)
    in_time: dict[str, bool] = {}

    async def race(about: str) -> None:
        package = uuid4()
        await arm(gate, package, Timer(CLOSE, about, SystemClock().now(), Precedence.EXPIRY))
        await asyncio.sleep(random.uniform(0, 0.005))
        in_time[about] = await cancel(gate, package, about)

    async with running(gate.sleeper().run()):
        for turn in range(0, RACES, 8):
            await asyncio.gather(*(race(str(each)) for each in range(turn, turn + 8)))
        await until(lambda: number(database, "SELECT (count(*) = 0)::int FROM timers"))
    fired = await closings(gate)
    assert sorted(fired) == sorted(about for about, cancelled in in_time.items() if not cancelled)
    assert 0 < len(fired) < RACES, "both were seen"
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await number(database, deadlocks) == 0


async def test_a_timer_is_claimed_after_its_key(gate: Turnstile, clock: MovableClock) -> None:
    """Somebody holds the key and cancels the timer that the sleeper is about to take: nobody deadlocks."""
    package, holding, may_end = uuid4(), asyncio.Event(), asyncio.Event()
    await arm(gate, package, Timer(CLOSE, "it", clock.now(), Precedence.EXPIRY))

    async def accept(work: TurnstileWork) -> None:
        holding.set()
        await may_end.wait()
        work.cancel(CLOSE, "it")

    accepting = asyncio.create_task(gate.do(package, accept))
    await holding.wait()
    async with running(gate.sleeper().run()):
        await until(lambda: number(gate.database, "SELECT count(*) FROM pg_locks WHERE NOT granted"))
        may_end.set()
        await accepting
        await until(lambda: number(gate.database, "SELECT (count(*) = 0)::int FROM pg_locks WHERE NOT granted"))
    assert await closings(gate) == []
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await number(gate.database, deadlocks) == 0


async def test_the_lag_of_what_fired_is_measured(database: Database) -> None:
    gate = Turnstile("turnstile", database, NOWHERE)
    async with running(gate.sleeper().run()):
        for package in [uuid4() for _ in range(20)]:
            await gate.ask(package, close_at=SystemClock().now() + timedelta(milliseconds=30))
        await until(lambda: number(database, "SELECT (count(*) = 20)::int FROM closings"))
    measured = gate.metrics.registry.get_sample_value
    assert measured("calloff_timer_lag_seconds_count") == 20
    total = measured("calloff_timer_lag_seconds_sum")
    assert total is not None
    assert total / 20 < 0.5


async def test_a_timer_of_a_kind_that_nobody_knows_parks_its_key(gate: Turnstile, clock: MovableClock) -> None:
    package = uuid4()
    await arm(gate, package, Timer("unheard-of", "it", clock.now(), Precedence.EXPIRY))
    async with running(gate.sleeper().run()):
        keys = await until(gate.parking.list_keys)
    assert keys[0].stream == stream_of(package)


async def test_the_sleeper_goes_on_after_an_outage(database: Database) -> None:
    gate = Turnstile("turnstile", database, NOWHERE)

    class OnceAway(TurnstileWork):
        away = True

        async def note_closing(self, package: UUID, about: str) -> None:
            if OnceAway.away:
                OnceAway.away = False
                raise ConnectionResetError
            await super().note_closing(package, about)

    away = Turnstile("turnstile", database, NOWHERE, work=OnceAway)
    sleeper: TimerWorker[TurnstileWork] = away.sleeper()
    await gate.ask(uuid4(), close_at=SystemClock().now())
    async with running(sleeper.run()):
        await until(lambda: number(database, "SELECT count(*) FROM closings"))
    assert await away.parking.list_keys() == []


async def test_due_timers_of_a_parked_key_are_skipped(gate: Turnstile, clock: MovableClock) -> None:
    package = uuid4()
    await arm(gate, package, Timer(CLOSE, "it", clock.now(), Precedence.EXPIRY))
    await rows(gate.database, "UPDATE streams SET parked_because = 'a test', parked_at = now()")
    async with gate.database.begin_transaction() as connection:
        assert await find_due(connection, within=Horizon(clock.now()), limit=10) == []
