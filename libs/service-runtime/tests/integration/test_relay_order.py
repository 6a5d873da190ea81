"""Outbox relay: order and completeness with rows handed over, rows of other processes, restarts and refusals."""

import asyncio
import random
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES
from service_runtime.outbox import partition_queues, relay, row_source
from service_runtime.outbox.outbox_table import OutboxSnapshot, is_outbox_empty, read_outbox
from service_runtime.outbox.relay import Relay
from service_runtime.postgres.database import Connection, Database
from testkit.chain_checker import find_chain_faults, remove_repeats
from testkit.committed_events import commit_events
from testkit.databases import fetch_number, fetch_rows
from testkit.fake_kafka import BlockedKafka, RefusingKafka, UnreliableKafka
from testkit.sample_service import NO_KAFKA, SampleService, run_tasks, to_stream_key
from testkit.servers import TestKafka
from testkit.topics import TopicRecord, read_topic
from testkit.waiting import wait_until

NEVER = 60.0
"""Seconds; longer than any test here takes."""


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


class Committer:
    """Commits events of one package, hands them over and deletes acknowledged rows, as an executor does."""

    def __init__(self, database: Database, relay: Relay, package: UUID, *, seed: int = 0) -> None:
        self._database = database
        self._relay = relay
        self._package = package
        self._chance = random.Random(seed)
        self._version = 0

    async def commit(self, times: int) -> None:
        for _ in range(times):
            taken = self._relay.take_acknowledged()
            count = self._chance.randint(1, 3)
            rows = await commit_events(self._database, self._package, count=count, published=taken)
            first = int(dict(rows[0].headers)["ce_sequence"])
            self._relay.hand_over(rows, may_have_earlier=first != self._version + 1)
            self._version = first + count - 1


def check_records(records: Iterable[TopicRecord], *, count: int) -> None:
    """Checks that the records hold `count` events, gapless and in order for each key."""
    records = list(records)
    assert find_chain_faults(records) == []
    assert len(remove_repeats(records)) == count


def list_versions(kafka: UnreliableKafka, package: UUID) -> list[int]:
    """Returns the versions of the package's records, in the order in which Kafka has them."""
    records = [record for record in kafka.records if (record.topic, record.key) == (PACKAGES, str(package))]
    return [int(record.get_header("ce_sequence")) for record in records]


async def check_topic(sample: SampleService) -> None:
    """Waits until the outbox is empty, then checks that every event of the journal is on Kafka, in order."""
    await wait_until(lambda: is_outbox_empty(sample.database), within=120)
    keys = {row.key for row in await fetch_rows(sample.database, "SELECT DISTINCT key FROM journal")}
    records = await read_topic(sample.kafka, PACKAGES, keys=keys)
    check_records(records, count=await fetch_number(sample.database, "SELECT count(*) FROM journal"))


async def test_order_with_rows_handed_over_and_rows_of_another_process(sample: SampleService) -> None:
    packages = [uuid4() for _ in range(6)]

    async def commit_elsewhere(package: UUID) -> None:
        for _ in range(15):
            await commit_events(sample.database, package)

    async with running_relay(sample) as relay:
        own = [Committer(sample.database, relay, package, seed=seed) for seed, package in enumerate(packages)]
        await asyncio.gather(
            *(committer.commit(times=40) for committer in own), *(commit_elsewhere(package) for package in packages)
        )
        await check_topic(sample)


async def test_rows_of_another_process_are_sent_before_later_rows_of_their_key(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_source, "POLL", NEVER)
    kafka = UnreliableKafka(losses=0)
    package = uuid4()
    async with running_relay(use_kafka(kafka, database, monkeypatch)) as relay:
        await commit_events(database, package, count=2)
        relay.hand_over(await commit_events(database, package), may_have_earlier=True)
        relay.hand_over(await commit_events(database, package))
        await wait_until(lambda: is_outbox_empty(database))
    assert list_versions(kafka, package) == [1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(20))
async def test_no_row_is_lost_or_repeated_that_is_committed_while_the_relay_starts(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Without polls, a row that is lost between the last read and direct mode stays in the outbox."""
    chance = random.Random(seed)

    async def read_with_delay(
        connection: Connection, *, acknowledged: list[int], known: list[int], taken: list[int]
    ) -> OutboxSnapshot:
        await asyncio.sleep(chance.uniform(0, 0.01))
        snapshot = await read_outbox(connection, acknowledged=acknowledged, known=known, taken=taken)
        await asyncio.sleep(chance.uniform(0, 0.02))
        return snapshot

    monkeypatch.setattr(row_source, "read_outbox", read_with_delay)
    monkeypatch.setattr(row_source, "POLL", NEVER)
    kafka = UnreliableKafka(losses=0)
    relay = use_kafka(kafka, database, monkeypatch).build_relay()
    committers = [Committer(database, relay, uuid4(), seed=seed + number) for number in range(4)]
    await asyncio.gather(*(committer.commit(times=1) for committer in committers))
    async with run_tasks(relay.run()):
        await asyncio.gather(*(committer.commit(times=8) for committer in committers))
        await wait_until(lambda: is_outbox_empty(database))
    check_records(kafka.records, count=await fetch_number(database, "SELECT count(*) FROM journal"))
    assert len(kafka.records) == len(remove_repeats(kafka.records))


async def test_lost_records_and_acknowledgements_in_direct_mode_cost_no_event_and_no_order(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "PAUSE", 0.01)
    kafka = UnreliableKafka(losses=0.05)
    async with running_relay(use_kafka(kafka, database, monkeypatch)) as running:
        committers = [Committer(database, running, uuid4(), seed=seed) for seed in range(6)]
        await asyncio.gather(*(committer.commit(times=25) for committer in committers))
        await wait_until(lambda: is_outbox_empty(database), within=60)
    assert kafka.max_in_flight == 1
    check_records(kafka.records, count=await fetch_number(database, "SELECT count(*) FROM journal"))


async def test_rows_handed_to_a_relay_that_died_are_sent_by_another(
    sample: SampleService, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = uuid4()
    kafka = BlockedKafka(str(package))
    with monkeypatch.context() as patched:
        async with running_relay(use_kafka(kafka, sample.database, patched)) as dying:
            dying.hand_over(await commit_events(sample.database, package, count=3))
            await wait_until(lambda: kafka.in_flight.total() == 1)
            dying.hand_over(await commit_events(sample.database, package, count=3))
    assert kafka.records == []
    async with run_tasks(sample.build_relay().run()):
        await check_topic(sample)


async def test_a_refused_row_holds_back_the_rows_of_its_key_that_are_handed_over_until_it_is_released(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = RefusingKafka()
    sample = use_kafka(kafka, database, monkeypatch)
    refused = uuid4()
    async with running_relay(sample) as relay:
        relay.hand_over(await commit_events(database, refused, count=3))
        await wait_until(sample.dead_letters.list_keys)
        await wait_until(lambda: relay.is_direct)
        for _ in range(3):
            relay.hand_over([*await commit_events(database, refused), *await commit_events(database, uuid4())])
        await wait_until(lambda: is_outbox_empty(database))
        assert list_versions(kafka, refused) == [1]
        kafka.refuses = False
        await sample.dead_letters.release(to_stream_key(refused))
        relay.hand_over(await commit_events(database, refused))
        await wait_until(lambda: fetch_number(database, "SELECT (count(*) = 0)::int FROM outbox"))
    assert list_versions(kafka, refused) == list(range(1, 8))


async def test_a_restarted_relay_holds_back_the_rows_behind_a_refused_row(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = RefusingKafka()
    sample = use_kafka(kafka, database, monkeypatch)
    refused, other = uuid4(), uuid4()
    await commit_events(database, refused, count=2)
    async with run_tasks(sample.build_relay().run()):
        await wait_until(sample.dead_letters.list_keys)
    kafka.refuses = False
    async with running_relay(sample) as relay:
        relay.hand_over([*await commit_events(database, refused), *await commit_events(database, other)])
        await wait_until(lambda: str(other) in {record.key for record in kafka.records})
        await wait_until(lambda: is_outbox_empty(database))
    assert list_versions(kafka, refused) == [1]


@pytest.mark.timeout(300)
async def test_an_outage_of_kafka_in_direct_mode_loses_nothing(
    sample: SampleService, own_kafka: TestKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = own_kafka.server
    assert server is not None
    monkeypatch.setattr(partition_queues, "SEND_TIMEOUT", 1.0)
    async with running_relay(sample) as relay:
        committers = [Committer(sample.database, relay, uuid4(), seed=seed) for seed in range(4)]
        await asyncio.gather(*(committer.commit(times=3) for committer in committers))
        await asyncio.to_thread(server.kill)
        try:
            await asyncio.gather(*(committer.commit(times=3) for committer in committers))
            await wait_until(lambda: sample.logs.find_entries("relay interrupted"), within=30)
            await asyncio.gather(*(committer.commit(times=3) for committer in committers))
        finally:
            await asyncio.to_thread(server.start)
        await asyncio.gather(*(committer.commit(times=3) for committer in committers))
        await check_topic(sample)
