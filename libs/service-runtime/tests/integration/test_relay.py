"""Outbox relay: the order of records on a Kafka that acknowledges late, partly, or not at all."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

import pytest

from contracts.catalogue import PACKAGES
from service_runtime.kafka.client import REFUSALS, KafkaFailure, OutgoingRecord, Partition
from service_runtime.outbox import relay
from service_runtime.outbox.relay import is_outbox_empty
from service_runtime.postgres.database import Database
from testkit.chain_checker import find_chain_faults
from testkit.databases import fetch_rows
from testkit.sample_service import SampleService, run_tasks
from testkit.topics import TopicRecord
from testkit.waiting import wait_until

PARTITIONS = 3


class UnreliableKafka:
    """Fake Kafka that stores records, and loses records or acknowledgements at random."""

    def __init__(self, *, losses: float = 0.2) -> None:
        self.losses = losses
        self.records: list[TopicRecord] = []
        self.in_flight: Counter[Partition] = Counter()
        self.max_in_flight = 0
        self.chance = random.Random(7)

    def __call__(self, bootstrap: str, *, client_id: str) -> "UnreliableKafka":
        return self

    async def start(self) -> None: ...

    async def close(self, *, within: float) -> None: ...

    async def choose_partition(self, topic: str, key: bytes) -> int:
        return sum(key) % PARTITIONS

    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        self.in_flight[partition] += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight[partition])
        try:
            await asyncio.sleep(self.chance.uniform(0, 0.01))
            if self.chance.random() < self.losses:
                raise KafkaFailure("record lost")
            count = self.chance.randint(1, len(records))
            self.records += [self._store(partition, record) for record in records[:count]]
            if self.chance.random() < self.losses:
                raise KafkaFailure("acknowledgement lost")
            return count
        finally:
            self.in_flight[partition] -= 1

    def _store(self, partition: Partition, record: OutgoingRecord) -> TopicRecord:
        headers = list(record.headers)
        return TopicRecord(
            record.topic, partition.partition, len(self.records), record.key.decode(), headers, record.value
        )


async def test_no_row_is_sent_before_an_unacknowledged_earlier_row_of_its_key(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = UnreliableKafka()
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(relay, "PAUSE", 0.01)
    sample = SampleService("sample", database, "nowhere")
    for package in [uuid4() for _ in range(8)]:
        await sample.request_withdrawal(package, count=10)
    async with run_tasks(sample.build_relay().run()):
        await wait_until(lambda: is_outbox_empty(database), within=30)
    assert kafka.max_in_flight == 1, "one batch of a partition at a time"
    assert find_chain_faults(kafka.records) == []
    assert len({record.get_header("ce_id") for record in kafka.records}) == 80
    assert len(kafka.records) > 80, "records with lost acknowledgements are repeated"


class RefusingKafka(UnreliableKafka):
    """Fake Kafka that refuses the second record of every stream; the refusal can break the producer, too."""

    def __init__(self, *, breaks_producer: bool) -> None:
        super().__init__(losses=0)
        self._breaks_producer = breaks_producer
        self._fatal = False

    async def choose_partition(self, topic: str, key: bytes) -> int:
        return 0

    async def start(self) -> None:
        self._fatal = False

    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        if self._fatal:
            raise KafkaFailure("out of order sequence number")
        if any(dict(record.headers)["ce_sequence"] == b"2" for record in records):
            self._fatal = self._breaks_producer and len(records) == 1
            raise REFUSALS[0]
        return await super().send(partition, records)


@pytest.mark.parametrize("breaks_producer", [True, False], ids=["the producer breaks", "the producer continues"])
async def test_rows_before_a_refused_row_are_deleted_and_rows_behind_it_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch, breaks_producer: bool
) -> None:
    kafka = RefusingKafka(breaks_producer=breaks_producer)
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(relay, "PAUSE", 0.01)
    sample = SampleService("sample", database, "nowhere")
    refused, another = uuid4(), uuid4()
    await sample.request_withdrawal(refused, count=3)
    await sample.request_withdrawal(another)
    async with run_tasks(sample.build_relay().run()):
        await wait_until(lambda: is_outbox_empty(database))
        rows = await fetch_rows(
            database, "SELECT key, version FROM outbox JOIN journal USING (position) ORDER BY position"
        )
    assert [tuple(row) for row in rows] == [(str(refused), 2), (str(refused), 3)]
    assert find_chain_faults(record for record in kafka.records if record.topic == PACKAGES) == []


async def test_a_commit_notifies_the_relay_which_sends_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = UnreliableKafka(losses=0)
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(relay, "POLL", 30)
    sample = SampleService("sample", database, "nowhere")
    async with run_tasks(sample.build_relay().run()):
        await sample.request_withdrawal(uuid4())
        await wait_until(lambda: kafka.records)
        await sample.request_withdrawal(uuid4())
        await wait_until(lambda: len(kafka.records) == 2, within=5)
