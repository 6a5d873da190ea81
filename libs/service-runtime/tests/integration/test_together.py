"""Events that wait together are handled in one transaction; what cannot be done together is done alone."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES
from service_runtime.kafka.client import KafkaRecord
from service_runtime.outbox.journal import decode_headers
from service_runtime.postgres.database import Database
from testkit.chain_checker import faults_in
from testkit.databases import number, rows
from testkit.sample_service import Turnstile, TurnstileWork
from testkit.topics import Kept

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def gate(database: Database) -> Turnstile:
    """A turnstile without Kafka: what it would read is taken from its journal."""
    return Turnstile("turnstile", database, NOWHERE)


async def asked(gate: Turnstile, *packages: UUID) -> list[KafkaRecord]:
    """Each of the packages asks once; their events as Kafka would bring them."""
    for package in packages:
        await gate.ask(package)
    found = await rows(
        gate.database,
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


async def passed(gate: Turnstile) -> Sequence[str]:
    found = await rows(gate.database, "SELECT package_id::text AS package FROM passages ORDER BY position")
    return [row.package for row in found]


def taken_apart(gate: Turnstile) -> float:
    """How often a handful had to be done one by one."""
    counted = [each for metric in gate.metrics.registry.collect() for each in metric.samples]
    return sum(each.value for each in counted if each.name == "calloff_event_batch_fallbacks_total")


async def transactions_of(gate: Turnstile) -> int:
    """In how many transactions passages were noted."""
    return await number(gate.database, "SELECT count(DISTINCT xmin::text) FROM passages")


async def faults(gate: Turnstile) -> Sequence[object]:
    found = await rows(
        gate.database,
        "SELECT topic, key, version, headers, payload FROM journal WHERE topic = :topic ORDER BY position",
        topic=PACKAGES,
    )
    kept = [Kept(row.topic, 0, row.version, row.key, decode_headers(row.headers), row.payload) for row in found]
    return faults_in(kept)


async def test_several_events_of_several_keys_take_one_transaction(gate: Turnstile) -> None:
    one, other = uuid4(), uuid4()
    await gate.handling.handle(await asked(gate, one, other, one, one))
    assert sorted(await passed(gate)) == sorted(map(str, (one, one, one, other)))
    assert await transactions_of(gate) == 1
    assert taken_apart(gate) == 0
    assert await faults(gate) == []


async def test_an_event_that_comes_twice_in_one_handful_counts_once(gate: Turnstile) -> None:
    package = uuid4()
    (record,) = await asked(gate, package)
    await gate.handling.handle([record, record])
    await gate.handling.handle([record, record])
    assert await passed(gate) == [str(package)]


async def test_a_poison_event_parks_its_key_and_costs_those_beside_it_nothing(gate: Turnstile) -> None:
    poisoned, healthy = uuid4(), uuid4()
    records = await asked(gate, healthy, poisoned, poisoned, healthy)
    await rows(gate.database, "INSERT INTO blocked (what) VALUES (:what)", what=str(poisoned))
    await gate.handling.handle(records)
    assert await passed(gate) == [str(healthy)] * 2
    assert taken_apart(gate) == 1
    (key,) = await gate.parking.list_keys()
    assert (key.stream.key, key.waiting) == (str(poisoned), 2)
    assert await faults(gate) == []


async def test_a_key_that_somebody_holds_does_not_hold_up_those_beside_it(gate: Turnstile) -> None:
    """Together nobody waits long for a lock; alone the held key waits for as long as it takes."""
    held, free = uuid4(), uuid4()
    records = await asked(gate, held, free)
    holding, let_go = asyncio.Event(), asyncio.Event()

    async def hold(_: TurnstileWork) -> None:
        holding.set()
        await let_go.wait()

    holder = asyncio.create_task(gate.do(held, hold))
    await holding.wait()
    handling = asyncio.create_task(
        gate.handling.handle(sorted(records, key=lambda each: each.key != str(free).encode()))
    )
    async with asyncio.timeout(10):
        while await passed(gate) != [str(free)]:
            await asyncio.sleep(0.02)
    assert not handling.done()
    let_go.set()
    await asyncio.gather(holder, handling)
    assert await passed(gate) == [str(free), str(held)]


async def test_keys_are_locked_in_one_order_whatever_order_they_come_in(gate: Turnstile) -> None:
    """Or two handfuls could each wait for a key that the other one holds."""
    records = await asked(gate, *(uuid4() for _ in range(4)))
    records.sort(key=lambda record: record.key or b"", reverse=True)
    await gate.handling.handle(records)
    assert await passed(gate) == [(record.key or b"").decode() for record in reversed(records)]
    assert await transactions_of(gate) == 1


async def test_handfuls_that_share_keys_count_each_event_once(gate: Turnstile) -> None:
    packages = [uuid4() for _ in range(8)]
    records = await asked(gate, *packages)
    await asyncio.gather(*(gate.handling.handle(records if turn % 2 else records[::-1]) for turn in range(8)))
    assert sorted(await passed(gate)) == sorted(map(str, packages))
    assert await faults(gate) == []
