"""Fetches of a consumer: each record at once, gathered, or adapted to the load."""

import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from service_runtime.kafka.client import Consumer, OutgoingRecord, Partition, Producer
from service_runtime.kafka.fetch_limits import AT_ONCE, FetchLimits, Gathering
from service_runtime.kafka.topic_admin import create_topics
from testkit.servers import TestKafka

GATHERING = Gathering(above=50, milliseconds=600)
BURST = 500
"""Records; sent at once they are more than GATHERING.above in any window that a slow machine needs for them."""


class Topic:
    """A new topic, and a producer of records for its first partition."""

    def __init__(self, name: str, bootstrap: str, producer: Producer) -> None:
        self.name = name
        self.bootstrap = bootstrap
        self._producer = producer

    async def send(self, *, records: int = 1, size: int = 10) -> None:
        outgoing = [OutgoingRecord(self.name, b"key", b"x" * size, [])] * records
        assert await self._producer.send(Partition(self.name, 0), outgoing) == records

    @asynccontextmanager
    async def open_consumer(self, gathering: Gathering | None = GATHERING) -> AsyncGenerator[Consumer]:
        """Opens a consumer that has read one record, so that its next fetch is under way."""
        consumer = Consumer(self.bootstrap, group=None, client_id="test", gathering=gathering)
        await consumer.start([self.name])
        try:
            await self.send()
            assert await read(consumer) == 1
            yield consumer
        finally:
            await consumer.stop(within=5)


@pytest_asyncio.fixture
async def topic(own_kafka: TestKafka) -> AsyncGenerator[Topic]:
    name = f"fetches-{secrets.token_hex(4)}"
    await create_topics(own_kafka.bootstrap, [name])
    producer = Producer(own_kafka.bootstrap, client_id="test-producer")
    await producer.start()
    try:
        yield Topic(name, own_kafka.bootstrap, producer)
    finally:
        await producer.close(within=5)


async def read(consumer: Consumer, *, timeout_ms: int = 10_000) -> int:
    return len(await consumer.read(timeout_ms=timeout_ms, max_records=10_000))


async def measure_fastest(consumer: Consumer, topic: Topic) -> float:
    """Returns the shortest of five times, in milliseconds, from sending a record to reading it."""
    times: list[float] = []
    for _ in range(5):
        begun = time.perf_counter()
        await topic.send()
        assert await read(consumer) == 1
        times.append((time.perf_counter() - begun) * 1000)
    return min(times)


def get_fetch_limits(consumer: Consumer) -> FetchLimits:
    """Reads the limits where aiokafka keeps them, so that a release that moves them fails here."""
    fetcher = get_attribute(get_attribute(consumer, "_consumer"), "_fetcher")
    return FetchLimits(get_attribute(fetcher, "_fetch_min_bytes"), get_attribute(fetcher, "_fetch_max_wait_ms"))


def get_attribute(owner: object, name: str) -> Any:  # any attribute of another library
    return getattr(owner, name)


async def read_bursts_until(consumer: Consumer, topic: Topic, limits: FetchLimits) -> None:
    """Sends and reads bursts until the consumer fetches with `limits`; every record is read."""
    sent = received = 0
    while get_fetch_limits(consumer) != limits:
        await topic.send(records=BURST)
        sent += BURST
        received += await read(consumer)
    while received < sent:
        received += await read(consumer)
    assert received == sent


async def test_a_record_is_delivered_at_once_at_a_low_rate(topic: Topic) -> None:
    async with topic.open_consumer() as consumer:
        assert await measure_fastest(consumer, topic) < GATHERING.milliseconds / 2


async def test_fetches_gather_while_many_records_arrive(topic: Topic) -> None:
    async with topic.open_consumer() as consumer:
        assert get_fetch_limits(consumer) == AT_ONCE
        await read_bursts_until(consumer, topic, GATHERING.limits)
        while get_fetch_limits(consumer) != AT_ONCE:
            assert await read(consumer, timeout_ms=100) == 0


async def test_a_consumer_that_gathers_does_not_wait_while_there_is_a_backlog(topic: Topic) -> None:
    patient = Gathering(above=50, milliseconds=8_000)
    async with topic.open_consumer(patient) as consumer:
        await read_bursts_until(consumer, topic, patient.limits)
        for _ in range(2):
            await topic.send(records=30, size=20_000)
        begun = time.perf_counter()
        assert await read(consumer) > 0
        assert (time.perf_counter() - begun) * 1000 < patient.milliseconds / 2


async def test_a_consumer_without_gathering_delivers_at_once_under_load(topic: Topic) -> None:
    async with topic.open_consumer(None) as consumer:
        for _ in range(5):
            await topic.send(records=BURST)
            received = 0
            while received < BURST:
                received += await read(consumer)
            assert get_fetch_limits(consumer) == AT_ONCE


class OtherFetcher:
    """The fetcher of an aiokafka that keeps its limits elsewhere."""

    __slots__ = ("fetched_records",)

    def __init__(self, fetcher: object) -> None:
        self.fetched_records = get_attribute(fetcher, "fetched_records")


async def test_a_consumer_reads_if_aiokafka_keeps_its_limits_elsewhere(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with topic.open_consumer() as consumer:
        inner = get_attribute(consumer, "_consumer")
        fetcher = get_attribute(inner, "_fetcher")
        monkeypatch.setattr(inner, "_fetcher", OtherFetcher(fetcher))
        await topic.send()
        assert await read(consumer) == 1
        monkeypatch.undo()
