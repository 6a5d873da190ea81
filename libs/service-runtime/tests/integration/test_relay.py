"""The relay's order, tried on a Kafka that acknowledges late, partly, or not at all."""

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
from testkit.chain_checker import faults_in
from testkit.databases import rows
from testkit.sample_service import Turnstile, running
from testkit.topics import Kept
from testkit.waiting import until

PARTITIONS = 3


class UnreliableKafka:
    """Keeps what it is sent, and loses records or acknowledgements by chance."""

    def __init__(self, *, losses: float = 0.2) -> None:
        self.losses = losses
        self.kept: list[Kept] = []
        self.in_flight: Counter[Partition] = Counter()
        self.most_in_flight = 0
        self.chance = random.Random(7)

    def __call__(self, bootstrap: str, *, client_id: str) -> "UnreliableKafka":
        return self

    async def start(self) -> None: ...

    async def close(self, *, within: float) -> None: ...

    async def choose_partition(self, topic: str, key: bytes) -> int:
        return sum(key) % PARTITIONS

    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        self.in_flight[partition] += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight[partition])
        try:
            await asyncio.sleep(self.chance.uniform(0, 0.01))
            if self.chance.random() < self.losses:
                raise KafkaFailure("lost on the way there")
            count = self.chance.randint(1, len(records))
            self.kept += [self._keep(partition, record) for record in records[:count]]
            if self.chance.random() < self.losses:
                raise KafkaFailure("lost on the way back")
            return count
        finally:
            self.in_flight[partition] -= 1

    def _keep(self, partition: Partition, record: OutgoingRecord) -> Kept:
        headers = list(record.headers)
        return Kept(record.topic, partition.partition, len(self.kept), record.key.decode(), headers, record.value)


async def test_no_row_passes_an_unacknowledged_earlier_one_of_its_key(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = UnreliableKafka()
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(relay, "PAUSE", 0.01)
    gate = Turnstile("turnstile", database, "nowhere")
    for package in [uuid4() for _ in range(8)]:
        await gate.ask(package, times=10)
    async with running(gate.relay().run()):
        await until(lambda: is_outbox_empty(database), within=30)
    assert kafka.most_in_flight == 1, "one batch of a partition at a time"
    assert faults_in(kafka.kept) == []
    assert len({kept.header("ce_id") for kept in kafka.kept}) == 80
    assert len(kafka.kept) > 80, "lost acknowledgements were made good by repeats"


class RefusingKafka(UnreliableKafka):
    """Refuses the second record of every stream; `unforgiving`, it is then of no use to the producer it told so."""

    def __init__(self, *, unforgiving: bool) -> None:
        super().__init__(losses=0)
        self._unforgiving = unforgiving
        self._fatal = False

    async def choose_partition(self, topic: str, key: bytes) -> int:
        return 0

    async def start(self) -> None:
        self._fatal = False

    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        if self._fatal:
            raise KafkaFailure("out of order sequence number")
        if any(dict(record.headers)["ce_sequence"] == b"2" for record in records):
            self._fatal = self._unforgiving and len(records) == 1
            raise REFUSALS[0]
        return await super().send(partition, records)


@pytest.mark.parametrize("unforgiving", [True, False], ids=["the producer breaks down", "the producer goes on"])
async def test_what_was_sent_before_a_refused_row_is_forgotten_and_what_follows_it_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch, unforgiving: bool
) -> None:
    kafka = RefusingKafka(unforgiving=unforgiving)
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(relay, "PAUSE", 0.01)
    gate = Turnstile("turnstile", database, "nowhere")
    refused, another = uuid4(), uuid4()
    await gate.ask(refused, times=3)
    await gate.ask(another)
    async with running(gate.relay().run()):
        await until(lambda: is_outbox_empty(database))
        left = await rows(database, "SELECT key, version FROM outbox JOIN journal USING (position) ORDER BY position")
    assert [tuple(row) for row in left] == [(str(refused), 2), (str(refused), 3)]
    assert faults_in(kept for kept in kafka.kept if kept.topic == PACKAGES) == []


async def test_whoever_waits_for_the_relay_is_served_at_once_after_the_commit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = UnreliableKafka(losses=0)
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(relay, "POLL", 30)
    gate = Turnstile("turnstile", database, "nowhere")
    async with running(gate.relay().run()):
        await gate.ask(uuid4())
        await until(lambda: kafka.kept)
        await gate.ask(uuid4())
        await until(lambda: len(kafka.kept) == 2, within=5)
