"""The pulse: beats renew its row, a gap is one outage however many notice it, and whose clock stood still is woken."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from service_runtime.heartbeat import OUTAGE_OVER, Heartbeat, Outage, find_outages_since
from service_runtime.observability.logs import build_logger
from service_runtime.postgres.database import Database
from service_runtime.timers.timers import Precedence, Timer, change_timers
from service_runtime.unit_of_work.streams import Cause, StreamKey
from testkit.clocks import MovableClock
from testkit.databases import rows
from testkit.sample_service import CLOSE

A_MINUTE = timedelta(minutes=1)
A_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def pulse(database: Database, clock: MovableClock) -> Heartbeat:
    return a_pulse(database, clock)


def a_pulse(database: Database, clock: MovableClock) -> Heartbeat:
    """One process's; the clocks of CLOSE stand still while nobody can answer."""
    return Heartbeat(database, clock, paused=[CLOSE], log=build_logger("test", level="error"))


async def seen_at(database: Database) -> list[datetime]:
    return [row.seen_at for row in await rows(database, "SELECT seen_at FROM heartbeat")]


async def recorded(database: Database) -> list[Outage]:
    found = await rows(database, "SELECT down_from, up_at FROM outages ORDER BY down_from")
    return [Outage(row.down_from, row.up_at) for row in found]


async def known(database: Database, since: datetime, *, now: datetime) -> Sequence[Outage]:
    async with database.begin_transaction() as connection:
        return await find_outages_since(connection, since, now=now)


async def a_stream_with(database: Database, *kinds: str, at: datetime) -> StreamKey:
    """A stream that has a timer of each of these kinds."""
    stream = StreamKey("test", str(uuid4()))
    cause = Cause(id="test", actor="service:test", council="essex")
    async with database.begin_transaction() as connection:
        timers = [Timer(kind, kind, at, Precedence.EXPIRY) for kind in kinds]
        await change_timers(connection, stream, cause, armed=timers)
    return stream


async def woken(database: Database) -> list[tuple[str, datetime]]:
    """The streams that are told of an outage's end, and when."""
    found = await rows(database, "SELECT key, due_at FROM timers WHERE kind = :kind ORDER BY key", kind=OUTAGE_OVER)
    return [(row.key, row.due_at) for row in found]


async def test_beats_renew_the_one_row(pulse: Heartbeat, database: Database, clock: MovableClock) -> None:
    for _ in range(3):
        await pulse.renew()
        assert await seen_at(database) == [clock.now()]
        clock.advance(timedelta(seconds=1))
    assert await recorded(database) == []


async def test_the_first_beat_of_all_knows_of_no_outage(pulse: Heartbeat, database: Database) -> None:
    await pulse.renew()
    assert await recorded(database) == []


async def test_a_gap_over_a_minute_is_an_outage_and_one_of_a_minute_is_not(
    pulse: Heartbeat, database: Database, clock: MovableClock
) -> None:
    await pulse.renew()
    clock.advance(A_MINUTE)
    await pulse.renew()
    assert await recorded(database) == []
    down_from = clock.now()
    clock.advance(A_MINUTE + A_MOMENT)
    await pulse.renew()
    assert await recorded(database) == [Outage(down_from, clock.now())]
    assert await seen_at(database) == [clock.now()]


async def test_a_gap_is_recorded_once_though_many_processes_notice_it_at_once(
    database: Database, clock: MovableClock
) -> None:
    for _ in range(20):
        processes = [a_pulse(database, clock) for _ in range(4)]
        await asyncio.gather(*(each.renew() for each in processes))
        clock.advance(timedelta(minutes=5))
        await asyncio.gather(*(each.renew() for each in processes))
    gaps = await recorded(database)
    assert len(gaps) == 20
    assert all(gap.up_at - gap.down_from == timedelta(minutes=5) for gap in gaps)


async def test_a_process_whose_clock_is_behind_never_turns_the_pulse_back(
    pulse: Heartbeat, database: Database, clock: MovableClock
) -> None:
    await pulse.renew()
    behind = a_pulse(database, MovableClock(clock.now() - timedelta(seconds=30)))
    await behind.renew()
    assert await seen_at(database) == [clock.now()]
    assert await recorded(database) == []


async def test_streams_whose_clock_stood_still_are_woken_once_and_others_are_not(
    pulse: Heartbeat, database: Database, clock: MovableClock
) -> None:
    later = clock.now() + timedelta(hours=1)
    paused = await a_stream_with(database, CLOSE, at=later)
    both = await a_stream_with(database, CLOSE, "something-else", at=later)
    await a_stream_with(database, "something-else", at=later)
    await pulse.renew()
    assert await woken(database) == []
    clock.advance(timedelta(minutes=5))
    await asyncio.gather(pulse.renew(), a_pulse(database, clock).renew())
    assert await woken(database) == sorted([(paused.key, clock.now()), (both.key, clock.now())])


async def test_a_stream_that_still_waits_to_be_woken_is_not_woken_twice(
    pulse: Heartbeat, database: Database, clock: MovableClock
) -> None:
    stream = await a_stream_with(database, CLOSE, at=clock.now() + timedelta(hours=1))
    await pulse.renew()
    for _ in range(2):
        clock.advance(timedelta(minutes=5))
        await pulse.renew()
    assert [key for key, _ in await woken(database)] == [stream.key]
    assert len(await recorded(database)) == 2


async def test_an_outage_that_lasts_as_far_as_the_row_tells_counts_already(
    pulse: Heartbeat, database: Database, clock: MovableClock
) -> None:
    started = clock.now()
    await pulse.renew()
    now = clock.advance(A_MINUTE)
    assert await known(database, started, now=now) == []
    now = clock.advance(A_MOMENT)
    assert await known(database, started, now=now) == [Outage(started, now)]
    await pulse.renew()
    assert await known(database, started, now=now) == [Outage(started, now)]


async def test_only_outages_that_ended_later_are_told_the_earliest_first(
    pulse: Heartbeat, database: Database, clock: MovableClock
) -> None:
    await pulse.renew()
    ends: list[datetime] = []
    for _ in range(3):
        clock.advance(timedelta(minutes=5))
        await pulse.renew()
        ends.append(clock.now())
    assert [gap.up_at for gap in await known(database, ends[0], now=clock.now())] == ends[1:]
