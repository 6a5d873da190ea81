"""The event handler: events of one key are handled in order and applied together; a poison event parks its key."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES
from service_runtime.kafka.client import KafkaRecord
from service_runtime.outbox.journal import decode_headers
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work import streams
from testkit.chain_checker import find_chain_faults
from testkit.databases import fetch_number, fetch_rows
from testkit.sample_service import NO_KAFKA, SampleService, to_stream_key
from testkit.topics import TopicRecord
from testkit.waiting import wait_until

Records = dict[UUID, list[KafkaRecord]]


@pytest.fixture
def sample(database: Database) -> SampleService:
    """A sample service without Kafka; the tests build its records from its journal."""
    return SampleService("sample", database, NO_KAFKA)


async def request_withdrawals(sample: SampleService, *packages: UUID) -> Records:
    """Requests a withdrawal of each package; returns the journal as records of a consumer, by package."""
    for package in packages:
        await sample.request_withdrawal(package)
    found = await fetch_rows(
        sample.database,
        "SELECT key, headers, payload FROM journal WHERE topic = :topic ORDER BY position",
        topic=PACKAGES,
    )
    records: Records = defaultdict(list)
    for offset, row in enumerate(found):
        record = KafkaRecord(
            topic=PACKAGES,
            partition=0,
            offset=offset,
            timestamp=0,
            timestamp_type=0,
            key=row.key.encode(),
            value=row.payload,
            checksum=None,
            serialized_key_size=len(row.key),
            serialized_value_size=len(row.payload),
            headers=tuple(decode_headers(row.headers)),
        )
        records[UUID(row.key)].append(record)
    return records


async def handle_all(sample: SampleService, records: Records) -> None:
    await asyncio.gather(*(sample.event_handler.handle(of_key) for of_key in records.values()))


async def list_handled_packages(sample: SampleService) -> Sequence[str]:
    found = await fetch_rows(
        sample.database, "SELECT package_id::text AS package FROM handled_events ORDER BY position"
    )
    return [row.package for row in found]


async def count_transactions(sample: SampleService) -> int:
    """Returns in how many transactions the handled events were stored."""
    return await fetch_number(sample.database, "SELECT count(DISTINCT xmin::text) FROM handled_events")


async def find_faults(sample: SampleService) -> Sequence[object]:
    found = await fetch_rows(
        sample.database,
        "SELECT topic, key, version, headers, payload FROM journal WHERE topic = :topic ORDER BY position",
        topic=PACKAGES,
    )
    records = [
        TopicRecord(row.topic, 0, row.version, row.key, decode_headers(row.headers), row.payload) for row in found
    ]
    return find_chain_faults(records)


async def test_an_event_that_is_twice_among_the_waiting_is_handled_once(sample: SampleService) -> None:
    package = uuid4()
    (record,) = (await request_withdrawals(sample, package))[package]
    await sample.event_handler.handle([record, record])
    await sample.event_handler.handle([record, record])
    assert await list_handled_packages(sample) == [str(package)]


async def test_a_poison_event_parks_its_key_and_the_events_before_it_are_handled(sample: SampleService) -> None:
    poisoned, healthy = uuid4(), uuid4()
    records = await request_withdrawals(sample, healthy, poisoned, poisoned, healthy)
    await fetch_rows(sample.database, "INSERT INTO blocked (what) VALUES (:what)", what=str(poisoned))
    await handle_all(sample, records)
    assert await list_handled_packages(sample) == [str(healthy)] * 2
    (key,) = await sample.dead_letters.list_keys()
    assert (key.stream.key, key.waiting) == (str(poisoned), 2)
    assert await find_faults(sample) == []


async def test_a_key_that_is_locked_in_the_database_delays_no_other_key(sample: SampleService) -> None:
    """The round that both are in fails after the time-out of the lock; then each is applied alone."""
    held, free = uuid4(), uuid4()
    records = await request_withdrawals(sample, held, free)
    async with sample.database.begin_transaction() as connection:
        await streams.lock_stream(connection, to_stream_key(held))
        handling = asyncio.create_task(handle_all(sample, records))

        async def is_free_handled() -> bool:
            return await list_handled_packages(sample) == [str(free)]

        await wait_until(is_free_handled, within=60)
        assert not handling.done()
    await handling
    assert await list_handled_packages(sample) == [str(free), str(held)]


async def test_two_processes_that_get_the_same_events_handle_each_once(
    sample: SampleService, database: Database
) -> None:
    """A consumer that lost a partition may still handle its last events."""
    other = SampleService("sample", database, NO_KAFKA)
    packages = [uuid4() for _ in range(8)]
    records = await request_withdrawals(sample, *packages, *packages)
    await asyncio.gather(*(handle_all(each, records) for _ in range(4) for each in (sample, other)))
    assert sorted(await list_handled_packages(sample)) == sorted(map(str, packages * 2))
    assert await find_faults(sample) == []


async def test_events_of_many_keys_are_applied_in_few_transactions(sample: SampleService) -> None:
    records = await request_withdrawals(sample, *(uuid4() for _ in range(20)))
    await fetch_rows(sample.database, "DELETE FROM blocked")
    await handle_all(sample, records)
    assert len(await list_handled_packages(sample)) == 20
    assert await find_faults(sample) == []
