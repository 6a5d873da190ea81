"""The executor: units of work on one stream run one at a time, each in one transaction."""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from contracts.errors import CallOffError
from contracts.events.packages import WithdrawalRequested
from contracts.examples import an_example_of
from contracts.ids import PackageId
from service_runtime.postgres.database import Database, StatementRefused
from service_runtime.unit_of_work.executor import MAX_ATTEMPTS
from testkit.clocks import FixedClock
from testkit.databases import fetch_number, fetch_rows
from testkit.sample_service import SampleService, SampleUnitOfWork

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def sample(database: Database) -> SampleService:
    """A sample service without Kafka."""
    return SampleService("sample", database, NOWHERE)


def a_request(package: UUID) -> WithdrawalRequested:
    return an_example_of(WithdrawalRequested, package_id=package)


async def test_changes_of_one_stream_run_one_at_a_time(sample: SampleService) -> None:
    """Without the lock of the stream, two of them would read the same count."""
    package = uuid4()

    async def count_on(work: SampleUnitOfWork) -> None:
        before = (await work.connection.execute(text("SELECT count(*) FROM handled_events"))).scalar_one()
        await asyncio.sleep(0.005)
        await work.connection.execute(
            text("INSERT INTO handled_events (package_id, event_id) VALUES (:package, :before)"),
            {"package": package, "before": str(before)},
        )

    await asyncio.gather(*(sample.execute(package, count_on) for _ in range(10)))
    handled = await fetch_rows(sample.database, "SELECT event_id FROM handled_events ORDER BY position")
    assert [row.event_id for row in handled] == [str(before) for before in range(10)]


async def test_an_exception_in_a_handler_rolls_everything_back(sample: SampleService) -> None:
    package = uuid4()

    async def fail(work: SampleUnitOfWork) -> None:
        await work.record_event(PackageId(package))
        work.publish(a_request(package))
        raise CallOffError("not today")

    with pytest.raises(CallOffError, match="not today"):
        await sample.execute(package, fail)
    assert (
        await fetch_number(
            sample.database, "SELECT (SELECT count(*) FROM journal) + (SELECT count(*) FROM handled_events)"
        )
        == 0
    )


async def test_a_deadlock_is_retried_and_reaches_no_caller(sample: SampleService) -> None:
    """Two units of work lock each other's streams: PostgreSQL aborts one of them, and the executor runs it again."""
    first, second = uuid4(), uuid4()

    def publish_to(package: UUID) -> Callable[[SampleUnitOfWork], object]:
        async def publish(work: SampleUnitOfWork) -> None:
            await asyncio.sleep(0.05)
            work.publish(a_request(package))

        return publish

    await asyncio.gather(sample.execute(first, publish_to(second)), sample.execute(second, publish_to(first)))  # pyright: ignore[reportArgumentType]
    assert await fetch_number(sample.database, "SELECT count(*) FROM journal") == 2


async def test_a_serialization_failure_is_retried_without_effects_of_the_first_run(sample: SampleService) -> None:
    package, runs = uuid4(), 0

    async def fail_twice(work: SampleUnitOfWork) -> None:
        nonlocal runs
        runs += 1
        work.publish(a_request(package))
        if runs < 3:
            await work.connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'failed' USING ERRCODE = '40001'; END $$"))

    await sample.execute(package, fail_twice)
    assert runs == 3
    assert await fetch_number(sample.database, "SELECT count(*) FROM journal") == 1


async def test_a_deadlock_at_every_attempt_is_raised_after_the_last_attempt(sample: SampleService) -> None:
    runs = 0

    async def raise_deadlock(work: SampleUnitOfWork) -> None:
        nonlocal runs
        runs += 1
        await work.connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'failed' USING ERRCODE = '40P01'; END $$"))

    with pytest.raises(StatementRefused):
        await sample.execute(uuid4(), raise_deadlock)
    assert runs == MAX_ATTEMPTS


async def test_the_clock_is_read_after_the_lock(sample: SampleService) -> None:
    """A unit of work that waited for the lock does not decide with the time from before the wait."""
    package, started, reads = uuid4(), asyncio.Event(), 0

    class CountedClock(FixedClock):
        def now(self):  # type: ignore[no-untyped-def]
            nonlocal reads
            reads += 1
            return super().now()

    counted = SampleService("sample", sample.database, NOWHERE, clock=CountedClock())
    free = asyncio.Event()

    async def hold(_: SampleUnitOfWork) -> None:
        started.set()
        await free.wait()

    async def do_nothing(_: SampleUnitOfWork) -> None: ...

    holding = asyncio.create_task(sample.execute(package, hold))
    await started.wait()
    waiting = asyncio.create_task(counted.execute(package, do_nothing))
    while not await fetch_number(sample.database, "SELECT count(*) FROM pg_locks WHERE NOT granted"):
        await asyncio.sleep(0.01)
    assert reads == 0
    free.set()
    await asyncio.gather(holding, waiting)
    assert reads == 1
