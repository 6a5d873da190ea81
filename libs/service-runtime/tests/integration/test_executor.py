"""The executor: units of work decide in memory, and are applied only if what they decided on still holds."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from contracts.errors import CallOffError
from contracts.events.packages import WithdrawalRequested
from contracts.examples import an_example_of
from contracts.ids import PackageId
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import StatementRefused
from service_runtime.unit_of_work.executor import MAX_ATTEMPTS
from testkit.clocks import MONDAY_NINE, MovableClock
from testkit.databases import fetch_number, fetch_rows
from testkit.sample_service import NO_KAFKA, SampleService, SampleUnitOfWork, to_stream_key

COUNT = text("SELECT count(*) FROM handled_events WHERE package_id = :package")
RACES = 100
"""Races of two processes about one stream."""


@pytest.fixture
def sample(database: Database) -> SampleService:
    """A sample service without Kafka."""
    return SampleService("sample", database, NO_KAFKA)


@pytest.fixture
def other(database: Database) -> SampleService:
    """Another process of the sample service, with a cache of its own."""
    return SampleService("sample", database, NO_KAFKA)


def a_request(package: UUID) -> WithdrawalRequested:
    return an_example_of(WithdrawalRequested, package_id=package)


async def count_journal(sample: SampleService) -> int:
    return await fetch_number(sample.database, "SELECT count(*) FROM journal")


def record_count(package: UUID, *, pause: float = 0) -> Callable[[SampleUnitOfWork], object]:
    """A handler that reads how many rows the package has, and adds a row with that number."""

    async def count_on(work: SampleUnitOfWork) -> None:
        before = (await work.execute(COUNT, {"package": package})).scalar_one()
        await asyncio.sleep(pause)
        work.put_row("handled_events", object(), {"package_id": package, "event_id": str(before)})

    return count_on


async def list_counts(sample: SampleService, package: UUID) -> list[str]:
    rows = await fetch_rows(
        sample.database,
        "SELECT event_id FROM handled_events WHERE package_id = :package ORDER BY position",
        package=package,
    )
    return [row.event_id for row in rows]


async def test_changes_of_one_stream_run_one_at_a_time(sample: SampleService) -> None:
    package = uuid4()
    await asyncio.gather(*(sample.execute(package, record_count(package, pause=0.005)) for _ in range(10)))  # pyright: ignore[reportArgumentType]
    assert await list_counts(sample, package) == [str(before) for before in range(10)]


async def test_two_processes_that_decide_about_one_stream_at_once_are_serial(
    sample: SampleService, other: SampleService
) -> None:
    """Without the check of the revision, both would decide on the same count."""
    packages = [uuid4() for _ in range(RACES)]
    for package in packages:
        await asyncio.gather(*(each.execute(package, record_count(package)) for each in (sample, other)))  # pyright: ignore[reportArgumentType]
    for package in packages:
        assert await list_counts(sample, package) == ["0", "1"]


async def test_many_conflicts_on_one_stream_end(sample: SampleService, other: SampleService) -> None:
    package, processes = uuid4(), (sample, other, SampleService("sample", sample.database, NO_KAFKA))
    await asyncio.gather(*(each.execute(package, record_count(package)) for _ in range(20) for each in processes))  # pyright: ignore[reportArgumentType]
    assert await list_counts(sample, package) == [str(before) for before in range(60)]


async def test_a_decision_on_a_stream_that_changed_meanwhile_is_made_again(
    sample: SampleService, other: SampleService
) -> None:
    """The clock is read anew, and nothing of the first decision is left."""
    clock = MovableClock()
    sample = SampleService("sample", sample.database, NO_KAFKA, clock=clock)
    package, instants = uuid4(), list[datetime]()
    await sample.execute(package, record_count(package))  # pyright: ignore[reportArgumentType]

    async def interfere_once(work: SampleUnitOfWork) -> None:
        instants.append(work.now)
        work.publish(a_request(package))
        if len(instants) == 1:
            await other.execute(package, record_count(package))  # pyright: ignore[reportArgumentType]
            clock.advance(timedelta(minutes=1))

    await sample.execute(package, interfere_once)
    assert instants == [MONDAY_NINE, MONDAY_NINE + timedelta(minutes=1)]
    assert await count_journal(sample) == 1


async def test_a_refusal_of_a_stale_decision_is_not_raised(sample: SampleService, other: SampleService) -> None:
    """The cache is behind the database: the refusal is decided again on the stream as it is."""
    package = uuid4()
    await sample.execute(package, record_count(package))  # pyright: ignore[reportArgumentType]
    await other.execute(package, record_count(package))  # pyright: ignore[reportArgumentType]
    revisions = list[int]()

    async def refuse_the_stale(work: SampleUnitOfWork) -> None:
        revisions.append(work.context.stream.revision)
        if work.context.stream.revision < 2:
            raise CallOffError("refused on what is no longer so")
        work.publish(a_request(package))

    await sample.execute(package, refuse_the_stale)
    assert revisions == [1, 2]
    assert await count_journal(sample) == 1


async def test_a_stale_decision_to_do_nothing_is_made_again(sample: SampleService, other: SampleService) -> None:
    package = uuid4()
    await sample.execute(package, record_count(package))  # pyright: ignore[reportArgumentType]
    await other.execute(package, record_count(package))  # pyright: ignore[reportArgumentType]

    async def look(work: SampleUnitOfWork) -> None:
        if work.context.stream.revision == 2:
            work.publish(a_request(package))

    await sample.execute(package, look)
    assert await count_journal(sample) == 1


async def test_a_refusal_on_the_stream_as_it_is_is_raised_once(sample: SampleService) -> None:
    package, runs = uuid4(), 0
    await sample.execute(package, record_count(package))  # pyright: ignore[reportArgumentType]

    async def refuse(_: SampleUnitOfWork) -> None:
        nonlocal runs
        runs += 1
        raise CallOffError("not today")

    with pytest.raises(CallOffError, match="not today"):
        await sample.execute(package, refuse)
    assert runs == 1


async def test_an_exception_in_a_handler_leaves_no_effect(sample: SampleService) -> None:
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


async def test_units_of_work_that_publish_to_each_others_streams_are_serial(sample: SampleService) -> None:
    first, second = uuid4(), uuid4()

    def publish_to(package: UUID) -> Callable[[SampleUnitOfWork], object]:
        async def publish(work: SampleUnitOfWork) -> None:
            await asyncio.sleep(0.05)
            work.publish(a_request(package))

        return publish

    await asyncio.gather(
        *(sample.execute(one, publish_to(two)) for one, two in [(first, second), (second, first)] * 5)  # pyright: ignore[reportArgumentType]
    )
    assert await count_journal(sample) == 10
    versions = await fetch_rows(sample.database, "SELECT key, version FROM journal ORDER BY key, position")
    assert [row.version for row in versions] == [*range(1, 6), *range(1, 6)]


async def test_a_decision_that_depends_on_another_stream_is_made_again_when_that_changes(
    sample: SampleService, other: SampleService
) -> None:
    place, runs = uuid4(), 0

    async def take_place(work: SampleUnitOfWork) -> None:
        nonlocal runs
        runs += 1
        await work.depend_on(to_stream_key(place))
        taken = (await work.execute(COUNT, {"package": place})).scalar_one()
        await asyncio.sleep(0.02)
        if taken < 3:
            work.put_row("handled_events", object(), {"package_id": place, "event_id": str(taken)})

    await asyncio.gather(*(each.execute(uuid4(), take_place) for _ in range(5) for each in (sample, other)))
    assert await list_counts(sample, place) == ["0", "1", "2"]
    assert runs > 10


async def test_a_serialization_failure_is_retried_without_effects_of_the_first_run(sample: SampleService) -> None:
    package, runs = uuid4(), 0

    async def fail_twice(work: SampleUnitOfWork) -> None:
        nonlocal runs
        runs += 1
        work.publish(a_request(package))
        if runs < 3:
            work.write(text("DO $$ BEGIN RAISE EXCEPTION 'failed' USING ERRCODE = '40001'; END $$"), {})

    await sample.execute(package, fail_twice)
    assert runs == 3
    assert await count_journal(sample) == 1


async def test_a_deadlock_at_every_attempt_is_raised_after_the_last_attempt(sample: SampleService) -> None:
    runs = 0

    async def raise_deadlock(work: SampleUnitOfWork) -> None:
        nonlocal runs
        runs += 1
        work.write(text("DO $$ BEGIN RAISE EXCEPTION 'failed' USING ERRCODE = '40P01'; END $$"), {})

    with pytest.raises(StatementRefused):
        await sample.execute(uuid4(), raise_deadlock)
    assert runs == MAX_ATTEMPTS


async def test_a_statement_that_finds_other_rows_than_decided_on_is_a_conflict(sample: SampleService) -> None:
    package, runs = uuid4(), 0
    await sample.execute(package, record_count(package))  # pyright: ignore[reportArgumentType]
    change = text("UPDATE handled_events SET event_id = 'changed' WHERE event_id = :expected")

    async def change_row(work: SampleUnitOfWork) -> None:
        nonlocal runs
        runs += 1
        work.write(change, {"expected": "1" if runs == 1 else "0"}, rows=1)

    await sample.execute(package, change_row)
    assert runs == 2
    assert await list_counts(sample, package) == ["changed"]


async def test_a_handler_reads_what_an_earlier_event_of_its_stream_decided(sample: SampleService) -> None:
    """Jobs of one stream are applied together, unless one of them reads from the database."""
    package = uuid4()
    await sample.request_withdrawal(package, count=3)
    jobs = [sample.build_job(package, record_count(package)) for _ in range(3)]  # pyright: ignore[reportArgumentType]
    outcomes = await sample.executor.execute_in_order(jobs)
    assert (len(outcomes.done), outcomes.error) == (3, None)
    assert await list_counts(sample, package) == ["0", "1", "2"]


async def test_jobs_after_one_that_fails_do_not_run(sample: SampleService) -> None:
    package = uuid4()

    async def fail(_: SampleUnitOfWork) -> None:
        raise CallOffError("not today")

    handlers = [record_count(package), fail, record_count(package)]
    outcomes = await sample.executor.execute_in_order([sample.build_job(package, handle) for handle in handlers])  # pyright: ignore[reportArgumentType]
    assert len(outcomes.done) == 1
    assert isinstance(outcomes.error, CallOffError)
    assert await list_counts(sample, package) == ["0"]
