"""Outbox relay: rows that are handed over after their commit, and the deletion of acknowledged rows."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES
from contracts.envelope import GENESIS
from service_runtime.outbox import relay, row_source
from service_runtime.outbox.outbox_table import is_outbox_empty
from service_runtime.outbox.relay import Relay
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.streams import Stream
from testkit.chain_checker import find_chain_faults
from testkit.committed_events import chain_events, commit_events, to_outbox_row
from testkit.databases import fetch_number
from testkit.fake_kafka import BlockedKafka, UnreliableKafka
from testkit.sample_service import NO_KAFKA, SampleService, run_tasks, to_stream_key
from testkit.topics import read_topic
from testkit.waiting import wait_until

NEVER = 60.0
"""Seconds; longer than any test here takes."""


@pytest.fixture
def no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_source, "POLL", NEVER)


@asynccontextmanager
async def running_relay(sample: SampleService) -> AsyncGenerator[Relay]:
    """Runs a relay; the block begins when it is in direct mode."""
    relay = sample.build_relay()
    async with run_tasks(relay.run()):
        await wait_until(lambda: relay.is_direct, within=30)
        yield relay


def use_kafka(kafka: UnreliableKafka, database: Database, monkeypatch: pytest.MonkeyPatch) -> SampleService:
    """Returns a sample service whose relay sends to the fake `kafka`."""
    monkeypatch.setattr(relay, "Producer", kafka)
    return SampleService("sample", database, NO_KAFKA)


async def count_outbox_rows(database: Database) -> int:
    return await fetch_number(database, "SELECT count(*) FROM outbox")


async def read_versions(sample: SampleService, *packages: UUID) -> list[int]:
    """Returns the versions of the packages' records on Kafka, and checks their hash chains."""
    records = await read_topic(sample.kafka, PACKAGES, keys={str(package) for package in packages})
    assert find_chain_faults(records) == []
    return [int(record.get_header("ce_sequence")) for record in records]


async def test_rows_handed_over_are_sent_without_reading_the_outbox(sample: SampleService) -> None:
    """The rows are not in the outbox, so that only their hand-over can bring them to Kafka."""
    package = uuid4()
    events, _ = chain_events(Stream(to_stream_key(package), 0, GENESIS, parked=False), package, count=30)
    async with running_relay(sample) as relay:
        for number, event in enumerate(events):
            relay.hand_over([to_outbox_row(10**9 + number, event)])

        async def are_sent() -> bool:
            return len(await read_versions(sample, package)) == 30

        await wait_until(are_sent, within=30)
    assert await read_versions(sample, package) == list(range(1, 31))


@pytest.mark.usefixtures("no_poll")
async def test_the_relay_deletes_acknowledged_rows_when_there_is_nothing_to_send(sample: SampleService) -> None:
    packages = [uuid4() for _ in range(10)]
    async with running_relay(sample) as relay:
        for package in packages:
            relay.hand_over(await commit_events(sample.database, package, count=2))
        await wait_until(lambda: is_outbox_empty(sample.database), within=5)
    assert sorted(await read_versions(sample, *packages)) == [1] * 10 + [2] * 10


async def test_a_caller_deletes_the_rows_that_it_takes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_source, "QUIET", NEVER)
    monkeypatch.setattr(row_source, "POLL", NEVER)
    kafka = UnreliableKafka(losses=0)
    package = uuid4()
    async with running_relay(use_kafka(kafka, database, monkeypatch)) as relay:
        rows = await commit_events(database, package, count=3)
        relay.hand_over(rows)
        await wait_until(lambda: len(kafka.records) == 3)
        taken = await wait_until(relay.take_acknowledged)
        while len(taken) < 3:
            taken += await wait_until(relay.take_acknowledged)
        assert taken == [row.position for row in rows]
        assert relay.take_acknowledged() == [], "a position is taken once"
        relay.return_acknowledged(taken[:1])
        assert relay.take_acknowledged() == taken[:1], "a returned position is taken again"

        relay.notify()
        await wait_until(lambda: relay.is_direct)
        assert await count_outbox_rows(database) == 3
        relay.hand_over(await commit_events(database, package, published=taken))
        await wait_until(lambda: len(kafka.records) == 4)
    assert find_chain_faults(kafka.records) == []
    assert len(kafka.records) == 4, "rows that a caller took are not sent again"
    assert await count_outbox_rows(database) == 1


async def test_positions_whose_deletion_failed_are_deleted_by_the_relay(sample: SampleService) -> None:
    async with running_relay(sample) as relay:
        rows = await commit_events(sample.database, uuid4())
        relay.hand_over(rows)
        taken = await wait_until(relay.take_acknowledged)
        relay.return_acknowledged(taken)
        await wait_until(lambda: is_outbox_empty(sample.database), within=5)


@pytest.mark.usefixtures("no_poll")
async def test_a_row_that_was_read_before_its_hand_over_is_sent_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = UnreliableKafka(losses=0)
    package = uuid4()
    async with running_relay(use_kafka(kafka, database, monkeypatch)) as relay:
        rows = await commit_events(database, package, count=2)
        relay.notify()
        await wait_until(lambda: is_outbox_empty(database))
        await wait_until(lambda: relay.is_direct)
        relay.hand_over([*rows, *await commit_events(database, package)])
        await wait_until(lambda: is_outbox_empty(database))
    assert [record.get_header("ce_sequence") for record in kafka.records] == ["1", "2", "3"]


async def test_a_slow_partition_holds_up_no_other_and_gets_what_waits_in_one_batch(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast = uuid4(), uuid4()
    kafka = BlockedKafka(str(slow))
    async with running_relay(use_kafka(kafka, database, monkeypatch)) as relay:
        relay.hand_over(await commit_events(database, slow))
        await wait_until(lambda: kafka.in_flight.total() == 1)
        for _ in range(5):
            relay.hand_over([*await commit_events(database, slow), *await commit_events(database, fast)])
        await wait_until(lambda: [record.key for record in kafka.records] == [str(fast)] * 5)
        kafka.unblock()
        await wait_until(lambda: is_outbox_empty(database))
    assert kafka.batch_sizes == [1, 1, 1, 1, 1, 1, 5]
    assert kafka.max_in_flight == 1
    assert find_chain_faults(kafka.records) == []


async def test_rows_beyond_those_kept_in_memory_are_read_from_the_outbox(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_source, "MAX_IN_MEMORY", 10)
    package = uuid4()
    kafka = BlockedKafka(str(package))
    async with running_relay(use_kafka(kafka, database, monkeypatch)) as relay:
        for _ in range(10):
            relay.hand_over(await commit_events(database, package, count=5))
        assert not relay.is_direct
        kafka.unblock()
        await wait_until(lambda: is_outbox_empty(database))
        await wait_until(lambda: relay.is_direct)
    assert [int(record.get_header("ce_sequence")) for record in kafka.records] == list(range(1, 51))


async def test_a_relay_without_the_lock_sends_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = UnreliableKafka(losses=0), UnreliableKafka(losses=0)
    async with running_relay(use_kafka(first, database, monkeypatch)):
        waiting = use_kafka(second, database, monkeypatch).build_relay()
        async with run_tasks(waiting.run()):
            for number in range(5):
                waiting.hand_over(await commit_events(database, uuid4()))
                await wait_until(lambda number=number: len(first.records) == number + 1)
    assert second.records == []
