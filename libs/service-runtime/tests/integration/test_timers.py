"""Timers: those of one instant fire in order of precedence, each fires once, and a cancelled one never fires."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from contracts.precedence import Precedence
from service_runtime.clock import SystemClock
from service_runtime.due_policy import DueLimit
from service_runtime.postgres.database import Database
from service_runtime.timers.timers import Timer, find_due
from service_runtime.timers.worker import TimerWorker
from service_runtime.unit_of_work import streams
from testkit.clocks import MovableClock
from testkit.databases import fetch_number, fetch_rows
from testkit.sample_service import NO_KAFKA, SAMPLE_TIMER, SampleService, SampleUnitOfWork, run_tasks, to_stream_key
from testkit.waiting import wait_until

RACES = 200


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def sample(database: Database, clock: MovableClock) -> SampleService:
    """A sample service without Kafka, on a clock that the test moves."""
    return SampleService("sample", database, NO_KAFKA, clock=clock)


async def arm(sample: SampleService, package: UUID, *timers: Timer) -> None:
    async def schedule(work: SampleUnitOfWork) -> None:
        work.schedule(*timers)

    await sample.execute(package, schedule)


async def cancel(sample: SampleService, package: UUID, about: str) -> bool:
    """Cancels under the key's lock; True when the timer had not fired before."""
    in_time: list[bool] = []

    async def cancel_timer(work: SampleUnitOfWork) -> None:
        in_time.append(not await count_fired(sample, about))
        work.cancel(SAMPLE_TIMER, about)

    await sample.execute(package, cancel_timer)
    return in_time[-1]


async def count_fired(sample: SampleService, about: str) -> int:
    return await fetch_number(sample.database, "SELECT count(*) FROM fired_timers WHERE about = :about", about=about)


async def list_fired_timers(sample: SampleService) -> Sequence[str]:
    return [row.about for row in await fetch_rows(sample.database, "SELECT about FROM fired_timers ORDER BY position")]


async def test_timers_due_at_one_instant_fire_in_order_of_precedence(
    sample: SampleService, clock: MovableClock
) -> None:
    package, later = uuid4(), clock.now() + timedelta(minutes=30)
    precedences = list(Precedence)
    await arm(
        sample,
        package,
        *(Timer(SAMPLE_TIMER, precedence.name, later, precedence) for precedence in reversed(precedences)),
    )
    clock.set_to(later)
    async with run_tasks(sample.build_timer_worker().run()):
        await wait_until(lambda: fetch_number(sample.database, "SELECT (count(*) = 0)::int FROM timers"))
    assert await list_fired_timers(sample) == [precedence.name for precedence in precedences]


async def test_a_timer_does_not_fire_before_its_time(sample: SampleService, clock: MovableClock) -> None:
    package, later = uuid4(), clock.now() + timedelta(minutes=30)
    await arm(sample, package, Timer(SAMPLE_TIMER, "later", later, Precedence.EXPIRY))
    await arm(sample, package, Timer(SAMPLE_TIMER, "now", clock.now(), Precedence.EXPIRY))
    async with run_tasks(sample.build_timer_worker().run()):
        await wait_until(lambda: count_fired(sample, "now"))
        assert await list_fired_timers(sample) == ["now"]
        clock.set_to(later)
        sample.wakeups.timers.notify()
        await wait_until(lambda: count_fired(sample, "later"))


async def test_a_timer_replaces_an_earlier_one_about_the_same_subject(
    sample: SampleService, clock: MovableClock
) -> None:
    package = uuid4()
    early, late = (
        Timer(SAMPLE_TIMER, "it", clock.now() + timedelta(hours=hours), Precedence.EXPIRY) for hours in (1, 2)
    )
    await arm(sample, package, early, late)
    armed = await fetch_rows(sample.database, "SELECT due_at FROM timers")
    assert [row.due_at for row in armed] == [late.at]
    await arm(sample, package, early)
    armed = await fetch_rows(sample.database, "SELECT due_at FROM timers")
    assert [row.due_at for row in armed] == [early.at]


async def test_two_timer_workers_fire_each_timer_once(database: Database) -> None:
    sample, other = (SampleService("sample", database, NO_KAFKA) for _ in range(2))
    for package in [uuid4() for _ in range(100)]:
        await sample.request_withdrawal(package, close_at=SystemClock().now())
    async with run_tasks(sample.build_timer_worker().run(), other.build_timer_worker().run()):
        await wait_until(lambda: fetch_number(database, "SELECT (count(*) = 0)::int FROM timers"))
    fired = await list_fired_timers(sample)
    assert len(fired) == len(set(fired)) == 100


async def test_a_timer_that_is_cancelled_while_it_falls_due_either_fires_or_does_not(database: Database) -> None:
    """The worker locks the stream, then the timer. The opposite order deadlocks with a unit of work that cancels."""
    sample = SampleService("sample", database, NO_KAFKA)
    in_time: dict[str, bool] = {}

    async def run_race(about: str) -> None:
        package = uuid4()
        await arm(sample, package, Timer(SAMPLE_TIMER, about, SystemClock().now(), Precedence.EXPIRY))
        await asyncio.sleep(random.uniform(0, 0.005))
        in_time[about] = await cancel(sample, package, about)

    async with run_tasks(sample.build_timer_worker().run()):
        for turn in range(0, RACES, 8):
            await asyncio.gather(*(run_race(str(number)) for number in range(turn, turn + 8)))
        await wait_until(lambda: fetch_number(database, "SELECT (count(*) = 0)::int FROM timers"))
    fired = await list_fired_timers(sample)
    assert sorted(fired) == sorted(about for about, cancelled in in_time.items() if not cancelled)
    assert 0 < len(fired) < RACES, "both outcomes occurred"
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await fetch_number(database, deadlocks) == 0


async def test_a_timer_that_falls_due_during_the_unit_of_work_that_cancels_it_does_not_fire(
    sample: SampleService, clock: MovableClock
) -> None:
    package, holding, may_end = uuid4(), asyncio.Event(), asyncio.Event()
    await arm(sample, package, Timer(SAMPLE_TIMER, "it", clock.now(), Precedence.EXPIRY))

    async def hold_and_cancel(work: SampleUnitOfWork) -> None:
        holding.set()
        await may_end.wait()
        work.cancel(SAMPLE_TIMER, "it")

    holder = asyncio.create_task(sample.execute(package, hold_and_cancel))
    await holding.wait()
    begun = sample.executor.executed_count
    async with run_tasks(sample.build_timer_worker().run()):
        await wait_until(lambda: sample.executor.executed_count > begun)
        may_end.set()
        await holder
        await arm(sample, package, Timer(SAMPLE_TIMER, "last", clock.now(), Precedence.EXPIRY))
        await wait_until(lambda: count_fired(sample, "last"))
    assert await list_fired_timers(sample) == ["last"]


async def test_a_timer_fires_or_is_cancelled_by_another_process(database: Database, clock: MovableClock) -> None:
    """Without the check of the deleted row, both would count."""
    sample, other = (SampleService("sample", database, NO_KAFKA, clock=clock) for _ in range(2))
    for number in range(50):
        await arm(sample, uuid4(), Timer(SAMPLE_TIMER, str(number), clock.now(), Precedence.EXPIRY))
    async with database.begin_transaction() as connection:
        due = await find_due(connection, due_limit=DueLimit(clock.now()), max_timers=100)
    workers = [each.build_timer_worker() for each in (sample, other)]
    await asyncio.gather(*(worker.fire(timer) for timer in due for worker in workers))
    fired = await list_fired_timers(sample)
    assert sorted(fired) == sorted(map(str, range(50)))


async def test_the_lag_of_fired_timers_is_measured(database: Database) -> None:
    sample = SampleService("sample", database, NO_KAFKA)
    async with run_tasks(sample.build_timer_worker().run()):
        for package in [uuid4() for _ in range(20)]:
            await sample.request_withdrawal(package, close_at=SystemClock().now() + timedelta(milliseconds=30))
        await wait_until(lambda: fetch_number(database, "SELECT (count(*) = 20)::int FROM fired_timers"))
    measured = sample.metrics.registry.get_sample_value
    assert measured("calloff_timer_lag_seconds_count") == 20
    total = measured("calloff_timer_lag_seconds_sum")
    assert total is not None
    assert total / 20 < 0.5


async def test_a_timer_of_an_unknown_kind_parks_its_key(sample: SampleService, clock: MovableClock) -> None:
    package = uuid4()
    await arm(sample, package, Timer("unknown", "it", clock.now(), Precedence.EXPIRY))
    async with run_tasks(sample.build_timer_worker().run()):
        keys = await wait_until(sample.dead_letters.list_keys)
    assert keys[0].stream == to_stream_key(package)


async def test_the_timer_worker_continues_after_an_outage(database: Database) -> None:
    sample = SampleService("sample", database, NO_KAFKA)

    class FailsOnce(SampleUnitOfWork):
        failing = True

        async def record_timer(self, package: UUID, about: str) -> None:
            if FailsOnce.failing:
                FailsOnce.failing = False
                raise ConnectionResetError
            await super().record_timer(package, about)

    failing = SampleService("sample", database, NO_KAFKA, unit_of_work=FailsOnce)
    worker: TimerWorker[SampleUnitOfWork] = failing.build_timer_worker()
    await sample.request_withdrawal(uuid4(), close_at=SystemClock().now())
    async with run_tasks(worker.run()):
        await wait_until(lambda: fetch_number(database, "SELECT count(*) FROM fired_timers"))
    assert await failing.dead_letters.list_keys() == []


async def test_a_timer_whose_key_was_parked_after_it_was_read_stays_due(
    sample: SampleService, clock: MovableClock
) -> None:
    package = uuid4()
    await arm(sample, package, Timer(SAMPLE_TIMER, "it", clock.now(), Precedence.EXPIRY))
    async with sample.database.begin_transaction() as connection:
        (due,) = await find_due(connection, due_limit=DueLimit(clock.now()), max_timers=10)
        await streams.lock_stream(connection, to_stream_key(package))
        await connection.run("UPDATE streams SET parked_because = 'a test', parked_at = now()")
    await sample.build_timer_worker().fire(due)
    assert await list_fired_timers(sample) == []
    assert await fetch_number(sample.database, "SELECT count(*) FROM timers") == 1


async def test_due_timers_of_a_parked_key_are_skipped(sample: SampleService, clock: MovableClock) -> None:
    package = uuid4()
    await arm(sample, package, Timer(SAMPLE_TIMER, "it", clock.now(), Precedence.EXPIRY))
    await fetch_rows(sample.database, "UPDATE streams SET parked_because = 'a test', parked_at = now()")
    async with sample.database.begin_transaction() as connection:
        assert await find_due(connection, due_limit=DueLimit(clock.now()), max_timers=10) == []
