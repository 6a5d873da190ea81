"""Dead letters: a poison event parks its key, other keys continue; a row that Kafka refuses does the same."""

from collections.abc import AsyncGenerator, Awaitable
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from contracts.catalogue import PACKAGES, PARTITIONS, PROVIDERS, TopicSpecification
from contracts.events.base import Event
from contracts.events.packages import WithdrawalRequested
from contracts.events.providers import EligibilityChanged, Place, ProviderRegistered
from contracts.examples import an_example_of
from service_runtime.clock import SystemClock
from service_runtime.dead_letters.bulk_release import Release
from service_runtime.dead_letters.parked_keys import ParkedKey
from service_runtime.idempotency import SubjectParked
from service_runtime.kafka.client import REFUSALS, OutgoingRecord, Partition, Producer
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.outbox.journal import LARGEST_PAYLOAD, EventTooLarge
from service_runtime.outbox.outbox_table import is_outbox_empty
from service_runtime.postgres.errors import StatementRefused, is_transient
from service_runtime.timers.worker import MAX_ATTEMPTS
from service_runtime.unit_of_work.streams import StreamKey
from testkit.chain_checker import find_chain_faults, remove_repeats
from testkit.databases import fetch_number, fetch_rows
from testkit.foreign_topics import set_topic_setting
from testkit.sample_service import SampleService, SampleUnitOfWork, run_tasks, to_stream_key
from testkit.topics import read_topic
from testkit.waiting import wait_until

LARGEST_PROVIDER_RECORD = 20_000
"""Bytes: Kafka's limit for the providers' topic in one test. It is far below the runtime's own limit."""


async def block(sample: SampleService, what: object) -> None:
    await fetch_rows(sample.database, "INSERT INTO blocked (what) VALUES (:what)", what=str(what))


async def unblock(sample: SampleService) -> None:
    await fetch_rows(sample.database, "DELETE FROM blocked")


async def count_handled_events(sample: SampleService, package: UUID) -> int:
    return await fetch_number(
        sample.database, "SELECT count(*) FROM handled_events WHERE package_id = :package", package=package
    )


async def wait_until_parked(sample: SampleService, package: UUID, *, waiting: int) -> ParkedKey:
    """Waits until the key of `package` is parked with `waiting` dead letters, and returns it."""

    async def find_key() -> ParkedKey | None:
        return next(
            (
                key
                for key in await sample.dead_letters.list_keys()
                if key.stream == to_stream_key(package) and key.waiting == waiting
            ),
            None,
        )

    key = await wait_until(find_key, within=20)
    assert key is not None
    return key


async def check_parked_count(sample: SampleService, *, by: str) -> None:
    """Waits until the metric counts one parked event, by the given cause and by no other."""
    count = "calloff_parked_events_total"
    value = sample.metrics.registry.get_sample_value
    await wait_until(lambda: value(count, {"by": by}) == 1)
    kinds = {"event", "timer", "relay", "webhook"}
    assert {kind: value(count, {"by": kind}) for kind in kinds} == {kind: float(kind == by) for kind in kinds}


async def read_event_types(sample: SampleService, *packages: UUID) -> list[str]:
    """Returns the types of the packages' events on Kafka, and checks their hash chains."""
    await wait_until(lambda: is_outbox_empty(sample.database))
    records = await read_topic(sample.kafka, PACKAGES, keys={str(package) for package in packages})
    assert find_chain_faults(records) == []
    return [record.get_header("ce_type").split(".")[1] for record in remove_repeats(records)]


async def test_a_poison_event_parks_its_key_and_other_keys_continue(sample: SampleService) -> None:
    poisoned, healthy = uuid4(), uuid4()
    await block(sample, poisoned)
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await sample.request_withdrawal(poisoned, count=3)
        await sample.request_withdrawal(healthy, count=3)
        key = await wait_until_parked(sample, poisoned, waiting=3)
        await wait_until(lambda: is_count(count_handled_events(sample, healthy), 3))
        await check_parked_count(sample, by="event")
    assert key.event_type == WithdrawalRequested.get_type_name()
    assert key.because == f"{WithdrawalRequested.get_type_name()} could not be handled: SampleServiceBlocked"
    assert await count_handled_events(sample, poisoned) == 0
    with pytest.raises(SubjectParked):
        await sample.request_withdrawal(poisoned)


async def is_count(count: Awaitable[int], expected: int) -> bool:
    return await count == expected


async def test_releasing_a_key_handles_its_waiting_events_in_order(sample: SampleService) -> None:
    package = uuid4()
    await block(sample, package)
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await sample.request_withdrawal(package, count=3)
        await wait_until_parked(sample, package, waiting=3)
        assert await sample.dead_letters.release(to_stream_key(package)) == Release(handled=0, still_parked=True)
        await wait_until_parked(sample, package, waiting=3)
        await unblock(sample)
        assert await sample.dead_letters.release(to_stream_key(package)) == Release(handled=3, still_parked=False)
        assert await sample.dead_letters.list_keys() == []
        await sample.request_withdrawal(package)
        await wait_until(lambda: is_count(count_handled_events(sample, package), 4))
        assert await read_event_types(sample, package) == [
            *["WithdrawalRequested"] * 3,
            *["PackageWithdrawn"] * 3,
            "WithdrawalRequested",
            "PackageWithdrawn",
        ]
    handled = await fetch_rows(sample.database, "SELECT event_id FROM handled_events ORDER BY position")
    requested = await fetch_rows(
        sample.database, "SELECT id::text FROM journal WHERE type LIKE '%Requested%' ORDER BY position"
    )
    assert [row.event_id for row in handled] == [row.id for row in requested]


async def test_a_discarded_event_is_never_handled_and_the_events_behind_it_are(sample: SampleService) -> None:
    package = uuid4()
    await block(sample, package)
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await sample.request_withdrawal(package, count=3)
        key = await wait_until_parked(sample, package, waiting=3)
        assert key.event_id is not None
        assert await sample.dead_letters.discard(key.event_id, because="INC-1 (officer:o-1)")
        assert not await sample.dead_letters.discard(key.event_id, because="twice")
        await unblock(sample)
        assert await sample.dead_letters.release(to_stream_key(package)) == Release(handled=2, still_parked=False)
    assert await count_handled_events(sample, package) == 2
    records = await fetch_rows(
        sample.database, "SELECT discarded_because FROM inbox WHERE event_id = :id", id=key.event_id
    )
    assert records[0].discarded_because == "INC-1 (officer:o-1)"


async def test_only_a_failed_event_can_be_discarded(sample: SampleService) -> None:
    package = uuid4()
    await block(sample, package)
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await sample.request_withdrawal(package, count=2)
        await wait_until_parked(sample, package, waiting=2)
    waiting = await fetch_rows(sample.database, "SELECT event_id FROM dead_letters WHERE failure IS NULL")
    assert not await sample.dead_letters.discard(waiting[0].event_id, because="not the failed event")


async def test_timers_of_a_parked_key_fire_after_its_release(sample: SampleService) -> None:
    package = uuid4()
    await block(sample, package)
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run(), sample.build_timer_worker().run()):
        await sample.request_withdrawal(package)
        await wait_until_parked(sample, package, waiting=1)
        await fetch_rows(
            sample.database,
            """
            INSERT INTO timers (topic, key, kind, about, due_at, precedence, council, armed_by, traceparent)
            VALUES (:topic, :key, 'close', 'later', now(), 1, 'amberside', 'test', '')
            """,
            topic=PACKAGES,
            key=str(package),
        )
        other = uuid4()
        await sample.request_withdrawal(other, close_at=SystemClock().now())
        await wait_until(
            lambda: fetch_number(sample.database, "SELECT count(*) FROM fired_timers WHERE package_id = :it", it=other)
        )
        assert await fetch_number(sample.database, "SELECT count(*) FROM fired_timers WHERE about = 'later'") == 0
        await unblock(sample)
        await sample.dead_letters.release(to_stream_key(package))
        await wait_until(
            lambda: fetch_number(sample.database, "SELECT count(*) FROM fired_timers WHERE about = 'later'")
        )
    assert await count_handled_events(sample, package) == 1


async def test_a_timer_that_fails_three_times_parks_its_key_and_is_retried_on_release(
    sample: SampleService,
) -> None:
    package = uuid4()
    await block(sample, f"timer {package}")
    async with run_tasks(sample.build_timer_worker().run()):
        await sample.request_withdrawal(package, close_at=SystemClock().now())
        key = await wait_until_parked(sample, package, waiting=0)
        assert key.because == "timer close could not be fired: SampleServiceBlocked"
        assert key.event_id is None
        await check_parked_count(sample, by="timer")
        await unblock(sample)
        assert await sample.dead_letters.release(to_stream_key(package)) == Release(handled=0, still_parked=False)
        await wait_until(lambda: fetch_number(sample.database, "SELECT count(*) FROM fired_timers"))
    assert MAX_ATTEMPTS == 3
    assert await fetch_number(sample.database, "SELECT count(*) FROM timers") == 0


async def test_a_value_that_the_driver_refuses_is_a_permanent_error(sample: SampleService) -> None:
    """asyncpg refuses the value before it sends the statement to PostgreSQL."""
    with pytest.raises(StatementRefused) as refused:
        await fetch_rows(sample.database, "SELECT CAST(:number AS bigint)", number=2**70)
    assert not is_transient(refused.value)


async def test_an_event_larger_than_kafka_accepts_is_refused_when_it_is_published(sample: SampleService) -> None:
    provider = uuid4()
    places = (an_example_of(Place),) * (LARGEST_PAYLOAD // 100)

    async def publish(work: SampleUnitOfWork) -> None:
        work.publish(an_example_of(EligibilityChanged, provider_id=provider, places=places))

    with pytest.raises(EventTooLarge, match="split the work"):
        await sample.execute(provider, publish)
    assert await fetch_number(sample.database, "SELECT count(*) FROM journal") == 0


@pytest_asyncio.fixture
async def small_limit(kafka_connection: KafkaConnection) -> AsyncGenerator[None]:
    """The providers' topic accepts no record above LARGEST_PROVIDER_RECORD; its limit is restored at the end."""
    await set_max_record_size(kafka_connection, LARGEST_PROVIDER_RECORD)
    await wait_until_limit_applies(kafka_connection, LARGEST_PROVIDER_RECORD + 1_000, is_accepted=False)
    yield
    await set_max_record_size(kafka_connection, int(TopicSpecification(PROVIDERS).settings["max.message.bytes"]))


@pytest.mark.usefixtures("small_limit")
async def test_a_row_that_kafka_refuses_parks_its_key_and_other_keys_continue(sample: SampleService) -> None:
    refused, others = uuid4(), [uuid4() for _ in range(30)]
    large = an_example_of(
        EligibilityChanged,
        provider_id=refused,
        places=(an_example_of(Place),) * 150,  # about 30 kB: the limit of this topic is 20 kB
    )
    await publish_event(sample, refused, an_example_of(ProviderRegistered, provider_id=refused))
    for number, other in enumerate(others):
        await publish_event(sample, other, an_example_of(ProviderRegistered, provider_id=other))
        if number == 10:
            await publish_event(sample, refused, large)
            await publish_event(sample, refused, an_example_of(ProviderRegistered, provider_id=refused))
    async with run_tasks(sample.build_relay().run()):
        await wait_until(lambda: is_outbox_empty(sample.database), within=30)
        records = await read_topic(sample.kafka, PROVIDERS, keys={str(provider) for provider in [refused, *others]})
        assert find_chain_faults(records) == []
        assert len(remove_repeats(records)) == 31, "the refused provider's first event, and those of the others"
        key = (await sample.dead_letters.list_keys())[0]
        assert key.stream == StreamKey(PROVIDERS, str(refused))
        assert "Kafka refused" in key.because
        refused_rows = "SELECT count(*) FROM outbox JOIN journal USING (position) WHERE topic = :topic"
        await wait_until(lambda: is_count(fetch_number(sample.database, refused_rows, topic=PROVIDERS), 2))
        assert sample.logs.find_entries("key parked")
        await check_parked_count(sample, by="relay")

        await set_max_record_size(sample.kafka, 100_000)
        await wait_until_limit_applies(sample.kafka, 90_000, is_accepted=True)
        assert await sample.dead_letters.release(key.stream) == Release(handled=0, still_parked=False)
        await wait_until(lambda: fetch_number(sample.database, "SELECT (count(*) = 0)::int FROM outbox"), within=30)
    records = await read_topic(sample.kafka, PROVIDERS, keys={str(refused)})
    assert find_chain_faults(records) == []
    assert len(remove_repeats(records)) == 3


async def publish_event(sample: SampleService, provider: UUID, event: Event) -> None:
    async def publish(work: SampleUnitOfWork) -> None:
        work.publish(event)

    await sample.execute(provider, publish)


async def wait_until_limit_applies(kafka_connection: KafkaConnection, size: int, *, is_accepted: bool) -> None:
    """Waits until every partition of the providers' topic accepts, or refuses, records of `size` bytes.

    Kafka applies a topic's settings some time after it has acknowledged them. The records have a key of their own.
    """
    producer = Producer(kafka_connection, client_id="test-probe")
    await producer.start()
    probe = OutgoingRecord(PROVIDERS, b"probe", b"x" * size, [])

    async def is_applied(partition: Partition) -> bool:
        try:
            await producer.send(partition, [probe])
        except REFUSALS:
            return not is_accepted
        return is_accepted

    for partition in [Partition(PROVIDERS, number) for number in range(PARTITIONS)]:
        await wait_until(lambda partition=partition: is_applied(partition), within=60)
    await producer.close(within=5)


async def set_max_record_size(kafka_connection: KafkaConnection, size: int) -> None:
    await set_topic_setting(kafka_connection, PROVIDERS, "max.message.bytes", str(size))
