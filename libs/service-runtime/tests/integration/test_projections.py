"""Projections: each row holds the newest event, and every stream that waits for a row is notified."""

import asyncio
import random
import secrets
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES, encode
from contracts.events.packages import PackageWithdrawn, WithdrawalRequested
from contracts.examples import an_envelope_of, an_example_of
from service_runtime.clock import SystemClock
from service_runtime.kafka.batch_consumer import BatchConsumer
from service_runtime.kafka.batches import Batch
from service_runtime.kafka.client import KafkaRecord
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.outbox.outbox_table import is_outbox_empty
from service_runtime.postgres.database import Database
from service_runtime.projections import consumer as projection_consumer
from service_runtime.projections import projections
from service_runtime.projections.consumer import build_projection_subscription
from service_runtime.projections.projections import PROJECTION_UPDATED, Projection, ProjectionRow, build_row
from service_runtime.subscriptions import on_timer
from service_runtime.timers.timers import DueTimer
from service_runtime.timers.worker import TimerWorker
from service_runtime.unit_of_work.wakeups import Wakeup
from testkit.databases import fetch_number, fetch_rows
from testkit.sample_service import NO_KAFKA, SampleService, SampleUnitOfWork, run_tasks
from testkit.waiting import wait_until

RACES = 200

REQUESTS = Projection("requests", event_types=(WithdrawalRequested,), key=lambda event: str(event.package_id))
ENDINGS = Projection[WithdrawalRequested | PackageWithdrawn](
    "endings", event_types=(WithdrawalRequested, PackageWithdrawn), key=lambda event: f"all/{event.package_id}"
)


def a_traceparent(package: UUID) -> str:
    """Returns a trace context that names the package."""
    return f"00-{package.hex}-0000000000000001-01"


def a_row(package: UUID, *, sequence: int, traceparent: str = "") -> ProjectionRow:
    event = an_example_of(WithdrawalRequested, package_id=package)
    return build_row(REQUESTS, event, sequence=sequence, traceparent=traceparent)


async def store_rows(database: Database, *rows: ProjectionRow) -> bool:
    async with database.begin_transaction() as connection:
        return await projections.upsert_rows(connection, rows, now=SystemClock().now())


async def fetch_sequence(database: Database, package: UUID) -> int:
    return await fetch_number(database, "SELECT sequence FROM projections WHERE key = :key", key=str(package))


@pytest.fixture
def sample(database: Database) -> SampleService:
    return SampleService("sample", database, NO_KAFKA)


async def test_only_a_higher_sequence_replaces_a_row(database: Database) -> None:
    package = uuid4()
    await store_rows(database, a_row(package, sequence=3))
    await store_rows(database, a_row(package, sequence=2))
    assert await fetch_sequence(database, package) == 3
    await store_rows(database, a_row(package, sequence=5), a_row(package, sequence=4))
    assert await fetch_sequence(database, package) == 5


async def test_a_projection_of_several_event_types_holds_the_newest_event(
    database: Database, sample: SampleService
) -> None:
    package = uuid4()
    requested, withdrawn = (
        an_example_of(event_type, package_id=package) for event_type in (WithdrawalRequested, PackageWithdrawn)
    )
    await store_rows(database, build_row(ENDINGS, requested, sequence=1), build_row(ENDINGS, withdrawn, sequence=2))

    async def check(work: SampleUnitOfWork) -> None:
        found = await work.projections.get_by_prefix(ENDINGS, "all/")
        assert [(row.sequence, row.event) for row in found] == [(2, withdrawn)]
        assert await work.projections.get(ENDINGS, "all/unknown") is None

    await sample.execute(package, check)


async def test_a_held_stream_gets_a_timer_when_its_row_is_written(sample: SampleService, database: Database) -> None:
    package, missing = uuid4(), uuid4()

    async def hold(work: SampleUnitOfWork) -> None:
        assert await work.projections.get(REQUESTS, str(missing)) is None
        assert await work.hold([(REQUESTS.name, str(missing))])

    await sample.execute(package, hold)
    assert not await store_rows(database, a_row(uuid4(), sequence=1))
    assert await store_rows(database, a_row(missing, sequence=1))
    fired = await fetch_rows(database, "SELECT key, kind FROM timers")
    assert [(row.key, row.kind) for row in fired] == [(str(package), PROJECTION_UPDATED)]
    assert await fetch_number(database, "SELECT count(*) FROM holds") == 0


async def test_a_decision_to_hold_is_made_again_if_the_row_was_written_since_the_lookup(
    sample: SampleService, database: Database
) -> None:
    """The row is in the table and not in the memory of this process: the second look is at the table."""
    missing, seen = uuid4(), list[bool]()

    async def hold(work: SampleUnitOfWork) -> None:
        seen.append(await work.projections.get(REQUESTS, str(missing)) is not None)
        if not seen[-1]:
            await store_rows(database, a_row(missing, sequence=1))
            assert await work.hold([(REQUESTS.name, str(missing))])

    await sample.execute(uuid4(), hold)
    assert seen == [False, True]
    assert await fetch_number(database, "SELECT count(*) FROM holds") == 0


async def test_a_hold_is_refused_if_its_row_was_read_since_the_lookup(
    sample: SampleService, database: Database
) -> None:
    missing = uuid4()

    async def hold(work: SampleUnitOfWork) -> None:
        assert await work.projections.get(REQUESTS, str(missing)) is None
        await store_rows(database, a_row(missing, sequence=1))
        sample.executor.projections.mark_stale()
        await sample.executor.projections.refresh()
        assert not await work.hold([(REQUESTS.name, str(missing))])

    await sample.execute(uuid4(), hold)
    assert await fetch_number(database, "SELECT count(*) FROM holds") == 0


async def test_a_decision_sees_what_another_process_wrote_within_a_second(
    sample: SampleService, database: Database
) -> None:
    package = uuid4()

    async def is_seen() -> bool:
        found: list[bool] = []

        async def look(work: SampleUnitOfWork) -> None:
            found.append(await work.projections.get(REQUESTS, str(package)) is not None)

        await sample.execute(uuid4(), look)
        return found[-1]

    assert not await is_seen()
    await store_rows(database, a_row(package, sequence=1))
    await wait_until(is_seen)


async def test_a_stream_held_for_several_rows_gets_one_timer_for_rows_written_together(
    sample: SampleService, database: Database
) -> None:
    first, second = uuid4(), uuid4()

    async def hold(work: SampleUnitOfWork) -> None:
        assert await work.hold([(REQUESTS.name, str(first)), (REQUESTS.name, str(second))])

    await sample.execute(uuid4(), hold)
    assert await store_rows(database, a_row(first, sequence=1), a_row(second, sequence=1))
    assert await fetch_number(database, "SELECT count(*) FROM timers") == 1


@pytest.mark.parametrize("turn", [1, -1])
async def test_the_timer_of_a_stream_held_for_several_rows_follows_from_the_last_row(
    sample: SampleService, database: Database, turn: int
) -> None:
    first, last = missing = sorted((uuid4(), uuid4()))[::turn]
    await hold_for(sample, *missing)
    rows = [
        a_row(package_id, sequence=1, traceparent=a_traceparent(package_id)) for package_id in (first, last, uuid4())
    ]
    assert await store_rows(database, *rows)
    assert await list_traceparents(database) == [a_traceparent(last)]


@pytest.mark.parametrize("turn", [1, -1])
async def test_the_last_row_of_a_batch_is_chosen_by_timestamp_not_by_partition(
    sample: SampleService, database: Database, turn: int
) -> None:
    first, last = missing = (uuid4(), uuid4())
    await hold_for(sample, *missing)
    records = [a_record(first, at=1), a_record(last, at=2)][::turn]
    async with database.begin_transaction() as connection:
        await build_projection_subscription(
            (REQUESTS,), memory=sample.executor.projections, timer_wakeup=Wakeup()
        ).handle(connection, Batch(records, sample.clock.now()))
    assert await list_traceparents(database) == [a_traceparent(last)]


async def hold_for(sample: SampleService, *missing: UUID) -> None:
    async def wait(work: SampleUnitOfWork) -> None:
        assert await work.hold([(REQUESTS.name, str(package_id)) for package_id in missing])

    await sample.execute(uuid4(), wait)


async def list_traceparents(database: Database) -> list[str]:
    """Returns the trace context of each timer."""
    return [row.traceparent for row in await fetch_rows(database, "SELECT traceparent FROM timers")]


def a_record(package: UUID, *, at: int) -> KafkaRecord:
    """A request as a record of a consumer, appended at `at` milliseconds."""
    event = an_example_of(WithdrawalRequested, package_id=package)
    envelope = an_envelope_of(event).model_copy(update={"traceparent": a_traceparent(package)})
    return KafkaRecord(
        topic=PACKAGES,
        partition=0,
        offset=0,
        timestamp=at,
        timestamp_type=0,
        key=event.key.encode(),
        value=encode(event),
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=envelope.to_headers(),
    )


async def test_no_notification_is_lost_between_the_lookup_and_the_hold(
    sample: SampleService, database: Database
) -> None:
    """Without the advisory lock, the writer can miss the hold while the holder misses the row."""

    class LookupThenHold(SampleUnitOfWork):
        async def hold_for(self, missing: str) -> None:
            if await self.projections.get(REQUESTS, missing) is not None:
                return
            assert await self.hold([(REQUESTS.name, missing)])
            await asyncio.sleep(random.uniform(0, 0.004))  # delays the commit

    holder = SampleService("sample", database, NO_KAFKA, unit_of_work=LookupThenHold)

    async def run_race(missing: UUID) -> None:
        async def hold(work: SampleUnitOfWork) -> None:
            assert isinstance(work, LookupThenHold)
            await work.hold_for(str(missing))

        async def write() -> None:
            await asyncio.sleep(random.uniform(0, 0.008))
            if await store_rows(database, a_row(missing, sequence=1)):
                held.add(str(missing))

        await asyncio.gather(holder.execute(missing, hold), write())

    held: set[str] = set()
    for _ in range(RACES // 4):
        await asyncio.gather(*(run_race(uuid4()) for _ in range(4)))
    fired = {row.key for row in await fetch_rows(database, "SELECT key FROM timers")}
    assert held, "some streams were held"
    assert fired == held
    assert await fetch_number(database, "SELECT count(*) FROM holds") == 0


async def test_the_timer_worker_continues_a_stream_that_was_held(sample: SampleService, database: Database) -> None:
    missing, package, fired = uuid4(), uuid4(), asyncio.Event()

    async def look_again(timer: DueTimer, _: SampleUnitOfWork) -> None:
        assert timer.stream.key == str(package)
        fired.set()

    async def hold(work: SampleUnitOfWork) -> None:
        assert await work.hold([(REQUESTS.name, str(missing))])

    await sample.execute(package, hold)
    worker = TimerWorker(
        sample.executor,
        [on_timer(PROJECTION_UPDATED, look_again)],
        wakeup=sample.wakeups.timers,
        log=sample.logs,
        metrics=sample.metrics.timers,
    )
    async with run_tasks(worker.run()):
        await store_rows(database, a_row(missing, sequence=1))
        sample.wakeups.timers.notify()
        async with asyncio.timeout(5):
            await fired.wait()


def build_consumer(name: str, database: Database, kafka: KafkaConnection, sample: SampleService) -> BatchConsumer:
    consumer = build_projection_subscription(
        (REQUESTS, ENDINGS), memory=sample.executor.projections, timer_wakeup=Wakeup()
    )
    return BatchConsumer(consumer, service=name, database=database, kafka=kafka, clock=SystemClock(), log=sample.logs)


async def test_a_projection_is_built_from_the_first_event_and_can_be_rebuilt(
    database: Database, kafka_connection: KafkaConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"projections-{secrets.token_hex(4)}"
    sample = SampleService(name, database, kafka_connection)
    packages = [uuid4() for _ in range(10)]
    for package in packages:
        await sample.request_withdrawal(package, count=3)
    async with run_tasks(sample.build_relay().run()):
        await wait_until(lambda: is_outbox_empty(database))
    consumer = build_consumer(name, database, kafka_connection, sample)
    async with run_tasks(consumer.run()), asyncio.timeout(20):
        await consumer.wait_until_caught_up()
    assert [await fetch_sequence(database, package) for package in packages] == [3] * 10

    await fetch_rows(database, "DELETE FROM projections")
    monkeypatch.setattr(projection_consumer, "GENERATION", 2)
    rebuilt = build_consumer(name, database, kafka_connection, sample)
    async with run_tasks(rebuilt.run()), asyncio.timeout(20):
        await rebuilt.wait_until_caught_up()
    assert [await fetch_sequence(database, package) for package in packages] == [3] * 10


async def test_the_projection_consumer_notifies_the_timer_worker_of_held_streams(
    database: Database, kafka_connection: KafkaConnection
) -> None:
    name, missing = f"projections-{secrets.token_hex(4)}", uuid4()
    sample = SampleService(name, database, kafka_connection)

    async def hold(work: SampleUnitOfWork) -> None:
        assert await work.hold([(REQUESTS.name, str(missing))])

    await sample.execute(uuid4(), hold)
    consumer = build_consumer(name, database, kafka_connection, sample)
    async with run_tasks(consumer.run(), sample.build_relay().run()), asyncio.timeout(20):
        await sample.request_withdrawal(missing)
        await wait_until(lambda: fetch_number(database, "SELECT count(*) FROM timers"), within=15)
