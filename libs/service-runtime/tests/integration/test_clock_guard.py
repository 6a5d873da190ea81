"""Clock guard: a machine whose clock is wrong ends no offer early; when the clock is right again, work goes on."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry, Gauge

from service_runtime.clock import SystemClock
from service_runtime.clock_guard import ClockGuard, ClockNotTrusted
from service_runtime.due_policy import NOTHING_DUE, GuardedTimePolicy
from service_runtime.heartbeat import Heartbeat
from service_runtime.postgres.database import Database
from service_runtime.timers.worker import TimerWorker
from testkit.captured_logs import CapturedLogs
from testkit.clocks import FixedClock
from testkit.databases import fetch_number
from testkit.http_edge import EdgeClient, build_body
from testkit.sample_service import NO_KAFKA, TIMERS, SampleService, run_tasks
from testkit.waiting import wait_until

TEN_MINUTES = timedelta(minutes=10)


class ShiftedClock(SystemClock):
    """The machine's clock, ahead by what the test sets."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return super().now() + self.ahead


def build_guard(
    database: Database, clock: SystemClock | FixedClock, *, monotonic: Callable[[], float] = time.monotonic
) -> ClockGuard:
    gauge = Gauge("calloff_difference", "help", registry=CollectorRegistry())
    return ClockGuard(database, clock, log=CapturedLogs(), difference=gauge, monotonic=monotonic)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(TEN_MINUTES, "s ahead of the database's"), (-TEN_MINUTES, "s behind the database's")],
)
async def test_a_clock_that_differs_is_not_trusted_until_it_is_right(
    database: Database, ahead: timedelta, words: str
) -> None:
    clock = ShiftedClock(ahead)
    guard = build_guard(database, clock)
    with pytest.raises(ClockNotTrusted, match=words) as refused:
        await guard.compare_until_right()
    assert refused.value.retry_after == 5
    clock.ahead = timedelta()
    await guard.compare_until_right()
    assert guard.explain() is None


async def test_a_jump_is_noticed_before_the_next_comparison(database: Database) -> None:
    clock = ShiftedClock()
    guard = build_guard(database, clock)
    await guard.compare_until_right()
    clock.ahead = TEN_MINUTES
    with pytest.raises(ClockNotTrusted, match="has jumped"):
        guard.check()
    clock.ahead = timedelta()
    guard.check()


async def test_time_that_passes_without_a_comparison_is_no_jump(database: Database) -> None:
    clock, seconds = ShiftedClock(), 1_000.0
    guard = build_guard(database, clock, monotonic=lambda: seconds)
    await guard.compare_until_right()
    clock.ahead, seconds = TEN_MINUTES, seconds + TEN_MINUTES.total_seconds()
    guard.check()


async def test_a_small_difference_and_a_clock_of_another_kind_are_trusted(database: Database) -> None:
    for clock in (ShiftedClock(timedelta(seconds=1)), FixedClock()):
        guard = build_guard(database, clock)
        await guard.compare_until_right()
        guard.check()


async def test_no_timer_fires_early_while_the_clock_is_ahead(database: Database) -> None:
    clock = ShiftedClock(TEN_MINUTES)
    sample = SampleService("sample", database, NO_KAFKA, clock=clock)
    guard = build_guard(database, clock)
    await guard.compare()
    policy = GuardedTimePolicy(clock, guard.explain)
    worker = TimerWorker(
        sample.executor,
        TIMERS,
        wakeup=sample.wakeups.timers,
        log=sample.logs,
        metrics=sample.metrics.timers,
        due_policy=policy,
    )
    await sample.request_withdrawal(uuid4(), close_at=SystemClock().now() + timedelta(minutes=5))
    assert policy.get_due_limit() is NOTHING_DUE
    async with run_tasks(worker.run()):
        await wait_until(lambda: sample.wakeups.timers.wakes_at)
        assert await fetch_number(database, "SELECT count(*) FROM fired_timers") == 0
        clock.ahead = timedelta()
        await guard.compare()
        due = uuid4()
        await sample.request_withdrawal(due, close_at=clock.now())
        await wait_until(lambda: fetch_number(database, "SELECT count(*) FROM fired_timers"))
    assert await fetch_number(database, "SELECT count(*) FROM fired_timers WHERE package_id = :due", due=due) == 1
    assert await fetch_number(database, "SELECT count(*) FROM fired_timers") == 1


async def test_commands_are_refused_and_readiness_says_why_until_the_clock_is_right(
    client: EdgeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard: ClockGuard = client.app.state.clock_guard
    await guard.compare()
    present = SystemClock.now

    def read_clock_ahead(clock: SystemClock) -> datetime:
        return present(clock) + TEN_MINUTES

    with monkeypatch.context() as patched:
        patched.setattr(SystemClock, "now", read_clock_ahead)
        assert (await client.request("POST", "/v1/withdrawals", body=build_body()))[0] == 503
        await guard.compare()
        status, content, headers = await client.request("POST", "/v1/withdrawals", body=build_body())
        assert (status, content["title"], headers["Retry-After"]) == (503, "Clock not trusted", "5")
        status, content, _ = await client.request("GET", "/readyz", anonymous=True)
        assert status == 503
        assert "ahead of the database's" in content["detail"]
        _, metrics, _ = await client.request("GET", "/metrics", anonymous=True)
        assert float(metrics.partition("\ncalloff_clock_difference_seconds ")[2].split()[0]) > 300
    await guard.compare()
    assert (await client.request("POST", "/v1/withdrawals", body=build_body()))[0] == 201
    assert (await client.request("GET", "/readyz", anonymous=True))[0] == 200


async def test_the_heartbeat_pauses_while_the_clock_is_wrong(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service_runtime.heartbeat.RENEW_EVERY", 0.01)
    reasons: list[str | None] = ["wrong"] * 3
    seen: list[int] = []

    def explain() -> str | None:
        return reasons.pop() if reasons else None

    heartbeat = Heartbeat(database, ShiftedClock(), paused=[], log=CapturedLogs(), explain_pause=explain)
    async with run_tasks(heartbeat.run()):
        while reasons:
            seen.append(await fetch_number(database, "SELECT count(*) FROM heartbeat"))
        await wait_until(lambda: fetch_number(database, "SELECT count(*) FROM heartbeat"))
    assert not any(seen)
