"""What topics hold and who reads them, and the deletion of topics, on a real Kafka."""

import secrets
from collections.abc import AsyncIterator

import pytest

from service_runtime.kafka.client import Consumer, OutgoingRecord, Partition, Producer
from service_runtime.kafka.topic_admin import create_topics
from service_runtime.kafka.topic_contents import (
    delete_topics,
    list_active_groups,
    list_committed_groups,
    list_filled,
)
from testkit.servers import TestKafka
from testkit.waiting import wait_until


@pytest.fixture
async def topics(kafka: TestKafka) -> AsyncIterator[tuple[str, str]]:
    """Two empty topics of this test; they do not outlive it."""
    names = (f"filled.{secrets.token_hex(4)}", f"empty.{secrets.token_hex(4)}")
    await create_topics(kafka.connection, names)
    yield names
    await delete_topics(kafka.connection, names)


async def send_record(kafka: TestKafka, topic: str) -> None:
    producer = Producer(kafka.connection, client_id="test")
    await producer.start()
    try:
        await producer.send(Partition(topic, 0), [OutgoingRecord(topic, b"key", b"value", [])])
    finally:
        await producer.close(within=10)


async def test_topics_that_hold_records_are_listed_until_they_are_deleted(
    kafka: TestKafka, topics: tuple[str, str]
) -> None:
    assert await list_filled(kafka.connection, (*topics, "missing")) == []
    await send_record(kafka, topics[0])
    assert await list_filled(kafka.connection, (*topics, "missing")) == [topics[0]]
    await delete_topics(kafka.connection, [topics[0]])
    await create_topics(kafka.connection, topics)
    assert await list_filled(kafka.connection, topics) == []


async def test_groups_are_active_while_they_have_members_and_committed_until_their_topic_is_deleted(
    kafka: TestKafka, topics: tuple[str, str]
) -> None:
    await send_record(kafka, topics[0])
    prefix = f"test-{secrets.token_hex(4)}."
    readers = {name: Consumer(kafka.connection, group=f"{prefix}{name}", client_id="test") for name in ("one", "two")}
    try:
        for reader in readers.values():
            await reader.start([topics[0]])
            await wait_until(lambda reader=reader: reader.read(timeout_ms=200, max_records=1), within=60)
        assert await list_active_groups(kafka.connection, prefix) == [f"{prefix}one", f"{prefix}two"]
        assert await list_committed_groups(kafka.connection, prefix, topics) == []
        await readers["one"].commit({Partition(topics[0], 0): 1})
        assert await list_committed_groups(kafka.connection, prefix, topics) == [f"{prefix}one"]
    finally:
        for reader in readers.values():
            await reader.stop(within=10)
    assert await list_active_groups(kafka.connection, prefix) == []
    await delete_topics(kafka.connection, [topics[0]])
    await create_topics(kafka.connection, [topics[0]])

    async def is_none_committed() -> bool:  # Kafka forgets them somewhat later than it deletes the topic
        return await list_committed_groups(kafka.connection, prefix, topics) == []

    await wait_until(is_none_committed, within=60)
