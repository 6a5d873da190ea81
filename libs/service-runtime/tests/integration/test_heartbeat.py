"""Heartbeat: renewals update one row, a gap is recorded as one outage, and streams with paused timers are notified."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from contracts.precedence import Precedence
from service_runtime.heartbeat import OUTAGE_OVER, Heartbeat, Outage, find_outages_since
from service_runtime.observability.logs import build_logger
from service_runtime.postgres.database import Database
from service_runtime.timers.timers import Timer
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups
from testkit.clocks import FixedClock, MovableClock
from testkit.databases import fetch_rows
from testkit.sample_service import SAMPLE_TIMER
from testkit.units_of_work import UnitsOfWork

A_MINUTE = timedelta(minutes=1)
A_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def heartbeat(database: Database, clock: MovableClock) -> Heartbeat:
    return build_heartbeat(database, clock)


def build_heartbeat(database: Database, clock: MovableClock) -> Heartbeat:
    """Builds the heartbeat of one process; it pauses timers of the kind SAMPLE_TIMER during an outage."""
    return Heartbeat(database, clock, paused=[SAMPLE_TIMER], log=build_logger("test", level="error"))


async def fetch_seen_at(database: Database) -> list[datetime]:
    return [row.seen_at for row in await fetch_rows(database, "SELECT seen_at FROM heartbeat")]


async def fetch_outages(database: Database) -> list[Outage]:
    found = await fetch_rows(database, "SELECT down_from, up_at FROM outages ORDER BY down_from")
    return [Outage(row.down_from, row.up_at) for row in found]


async def find_outages(database: Database, since: datetime, *, now: datetime) -> Sequence[Outage]:
    async with database.begin_transaction() as connection:
        return await find_outages_since(connection, since, now=now)


async def a_stream_with(database: Database, *kinds: str, at: datetime) -> StreamKey:
    """Creates a stream with a timer of each kind."""
    stream = StreamKey("test", str(uuid4()))
    cause = Cause(id="test", actor="service:test", council="amberside")
    executor = Executor(
        service="test", database=database, clock=FixedClock(), unit_of_work=PostgresUnitOfWork, wakeups=Wakeups()
    )
    async with UnitsOfWork(executor).open(stream, cause=cause) as work:
        work.schedule(*(Timer(kind, kind, at, Precedence.EXPIRY) for kind in kinds))
    return stream


async def fetch_wakeups(database: Database) -> list[tuple[str, datetime]]:
    """Returns the streams with a timer for an outage's end, and its instant."""
    found = await fetch_rows(
        database, "SELECT key, due_at FROM timers WHERE kind = :kind ORDER BY key", kind=OUTAGE_OVER
    )
    return [(row.key, row.due_at) for row in found]


async def test_renewals_update_one_row(heartbeat: Heartbeat, database: Database, clock: MovableClock) -> None:
    for _ in range(3):
        await heartbeat.renew()
        assert await fetch_seen_at(database) == [clock.now()]
        clock.advance(timedelta(seconds=1))
    assert await fetch_outages(database) == []


async def test_the_first_renewal_records_no_outage(heartbeat: Heartbeat, database: Database) -> None:
    await heartbeat.renew()
    assert await fetch_outages(database) == []


async def test_a_gap_of_more_than_a_minute_is_an_outage_and_a_minute_is_not(
    heartbeat: Heartbeat, database: Database, clock: MovableClock
) -> None:
    await heartbeat.renew()
    clock.advance(A_MINUTE)
    await heartbeat.renew()
    assert await fetch_outages(database) == []
    down_from = clock.now()
    clock.advance(A_MINUTE + A_MOMENT)
    await heartbeat.renew()
    assert await fetch_outages(database) == [Outage(down_from, clock.now())]
    assert await fetch_seen_at(database) == [clock.now()]


async def test_a_gap_that_several_processes_detect_at_once_is_recorded_once(
    database: Database, clock: MovableClock
) -> None:
    for _ in range(20):
        processes = [build_heartbeat(database, clock) for _ in range(4)]
        await asyncio.gather(*(process.renew() for process in processes))
        clock.advance(timedelta(minutes=5))
        await asyncio.gather(*(process.renew() for process in processes))
    outages = await fetch_outages(database)
    assert len(outages) == 20
    assert all(outage.up_at - outage.down_from == timedelta(minutes=5) for outage in outages)


async def test_a_process_whose_clock_is_late_never_sets_the_heartbeat_back(
    heartbeat: Heartbeat, database: Database, clock: MovableClock
) -> None:
    await heartbeat.renew()
    late_process = build_heartbeat(database, MovableClock(clock.now() - timedelta(seconds=30)))
    await late_process.renew()
    assert await fetch_seen_at(database) == [clock.now()]
    assert await fetch_outages(database) == []


async def test_streams_with_paused_timers_get_one_wakeup_and_others_get_none(
    heartbeat: Heartbeat, database: Database, clock: MovableClock
) -> None:
    later = clock.now() + timedelta(hours=1)
    paused = await a_stream_with(database, SAMPLE_TIMER, at=later)
    both = await a_stream_with(database, SAMPLE_TIMER, "something-else", at=later)
    await a_stream_with(database, "something-else", at=later)
    await heartbeat.renew()
    assert await fetch_wakeups(database) == []
    clock.advance(timedelta(minutes=5))
    await asyncio.gather(heartbeat.renew(), build_heartbeat(database, clock).renew())
    assert await fetch_wakeups(database) == sorted([(paused.key, clock.now()), (both.key, clock.now())])


async def test_a_stream_with_a_pending_wakeup_gets_no_second_one(
    heartbeat: Heartbeat, database: Database, clock: MovableClock
) -> None:
    stream = await a_stream_with(database, SAMPLE_TIMER, at=clock.now() + timedelta(hours=1))
    await heartbeat.renew()
    for _ in range(2):
        clock.advance(timedelta(minutes=5))
        await heartbeat.renew()
    assert [key for key, _ in await fetch_wakeups(database)] == [stream.key]
    assert len(await fetch_outages(database)) == 2


async def test_an_outage_that_has_not_been_recorded_yet_counts_already(
    heartbeat: Heartbeat, database: Database, clock: MovableClock
) -> None:
    started = clock.now()
    await heartbeat.renew()
    now = clock.advance(A_MINUTE)
    assert await find_outages(database, started, now=now) == []
    now = clock.advance(A_MOMENT)
    assert await find_outages(database, started, now=now) == [Outage(started, now)]
    await heartbeat.renew()
    assert await find_outages(database, started, now=now) == [Outage(started, now)]


async def test_only_outages_that_ended_later_are_found_earliest_first(
    heartbeat: Heartbeat, database: Database, clock: MovableClock
) -> None:
    await heartbeat.renew()
    end_instants: list[datetime] = []
    for _ in range(3):
        clock.advance(timedelta(minutes=5))
        await heartbeat.renew()
        end_instants.append(clock.now())
    later = await find_outages(database, end_instants[0], now=clock.now())
    assert [outage.up_at for outage in later] == end_instants[1:]
