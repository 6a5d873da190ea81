"""Event batches: events that wait together are handled in one transaction; after a failure each is handled alone."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES
from service_runtime.kafka.client import KafkaRecord
from service_runtime.outbox.journal import decode_headers
from service_runtime.postgres.database import Database
from testkit.chain_checker import find_chain_faults
from testkit.databases import fetch_number, fetch_rows
from testkit.sample_service import SampleService, SampleUnitOfWork
from testkit.topics import TopicRecord

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def sample(database: Database) -> SampleService:
    """A sample service without Kafka; the tests build its records from its journal."""
    return SampleService("sample", database, NOWHERE)


async def request_withdrawals(sample: SampleService, *packages: UUID) -> list[KafkaRecord]:
    """Requests a withdrawal of each package; returns the journal as records of a consumer."""
    for package in packages:
        await sample.request_withdrawal(package)
    found = await fetch_rows(
        sample.database,
        "SELECT key, headers, payload FROM journal WHERE topic = :topic ORDER BY position",
        topic=PACKAGES,
    )
    return [
        KafkaRecord(
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
        for offset, row in enumerate(found)
    ]


async def list_handled_packages(sample: SampleService) -> Sequence[str]:
    found = await fetch_rows(
        sample.database, "SELECT package_id::text AS package FROM handled_events ORDER BY position"
    )
    return [row.package for row in found]


def count_fallbacks(sample: SampleService) -> float:
    """Returns how many batches were handled event by event."""
    samples = [entry for metric in sample.metrics.registry.collect() for entry in metric.samples]
    return sum(entry.value for entry in samples if entry.name == "calloff_event_batch_fallbacks_total")


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


async def test_several_events_of_several_keys_take_one_transaction(sample: SampleService) -> None:
    first, second = uuid4(), uuid4()
    await sample.event_handler.handle(await request_withdrawals(sample, first, second, first, first))
    assert sorted(await list_handled_packages(sample)) == sorted(map(str, (first, first, first, second)))
    assert await count_transactions(sample) == 1
    assert count_fallbacks(sample) == 0
    assert await find_faults(sample) == []


async def test_an_event_that_is_twice_in_a_batch_is_handled_once(sample: SampleService) -> None:
    package = uuid4()
    (record,) = await request_withdrawals(sample, package)
    await sample.event_handler.handle([record, record])
    await sample.event_handler.handle([record, record])
    assert await list_handled_packages(sample) == [str(package)]


async def test_a_poison_event_parks_its_key_and_the_rest_of_its_batch_is_handled(sample: SampleService) -> None:
    poisoned, healthy = uuid4(), uuid4()
    records = await request_withdrawals(sample, healthy, poisoned, poisoned, healthy)
    await fetch_rows(sample.database, "INSERT INTO blocked (what) VALUES (:what)", what=str(poisoned))
    await sample.event_handler.handle(records)
    assert await list_handled_packages(sample) == [str(healthy)] * 2
    assert count_fallbacks(sample) == 1
    (key,) = await sample.dead_letters.list_keys()
    assert (key.stream.key, key.waiting) == (str(poisoned), 2)
    assert await find_faults(sample) == []


async def test_a_locked_key_does_not_delay_the_other_keys_of_its_batch(sample: SampleService) -> None:
    """A batch gives up a lock after a short timeout; handled alone, the event of the locked key waits for the lock."""
    held, free = uuid4(), uuid4()
    records = await request_withdrawals(sample, held, free)
    started, may_end = asyncio.Event(), asyncio.Event()

    async def hold(_: SampleUnitOfWork) -> None:
        started.set()
        await may_end.wait()

    holder = asyncio.create_task(sample.execute(held, hold))
    await started.wait()
    handling = asyncio.create_task(
        sample.event_handler.handle(sorted(records, key=lambda record: record.key != str(free).encode()))
    )
    async with asyncio.timeout(10):
        while await list_handled_packages(sample) != [str(free)]:
            await asyncio.sleep(0.02)
    assert not handling.done()
    may_end.set()
    await asyncio.gather(holder, handling)
    assert await list_handled_packages(sample) == [str(free), str(held)]


async def test_keys_of_a_batch_are_locked_in_the_same_order_always(sample: SampleService) -> None:
    """Otherwise two batches could each wait for a key that the other has locked."""
    records = await request_withdrawals(sample, *(uuid4() for _ in range(4)))
    records.sort(key=lambda record: record.key or b"", reverse=True)
    await sample.event_handler.handle(records)
    assert await list_handled_packages(sample) == [(record.key or b"").decode() for record in reversed(records)]
    assert await count_transactions(sample) == 1


async def test_batches_that_share_keys_handle_each_event_once(sample: SampleService) -> None:
    packages = [uuid4() for _ in range(8)]
    records = await request_withdrawals(sample, *packages)
    await asyncio.gather(*(sample.event_handler.handle(records if turn % 2 else records[::-1]) for turn in range(8)))
    assert sorted(await list_handled_packages(sample)) == sorted(map(str, packages))
    assert await find_faults(sample) == []
