"""A service waits for topics that are missing at its start, and refuses topics that contradict the catalogue."""

import asyncio
import secrets

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient

from service_runtime.kafka.topic_admin import create_topics
from service_runtime.kafka.topics import Replication
from service_runtime.startup.checks import run_until_passed
from service_runtime.startup.errors import StartDelayed, StartRefused
from service_runtime.startup.topics import TopicsCheck
from testkit.captured_logs import CapturedLogs
from testkit.foreign_topics import make_topic, set_topic_setting
from testkit.servers import TestKafka
from testkit.waiting import wait_until

ONE = Replication()


@pytest_asyncio.fixture
async def topic(kafka: TestKafka) -> str:
    name = f"test.start.{secrets.token_hex(4)}"
    await create_topics(kafka.connection, [name])
    return name


async def check(kafka: TestKafka, *topics: str, replication: Replication = ONE) -> CapturedLogs:
    logs = CapturedLogs()
    await TopicsCheck(kafka.connection, topics, replication, logs).run()
    return logs


async def test_topics_as_specified_are_accepted_without_a_word(kafka: TestKafka, topic: str) -> None:
    assert (await check(kafka, topic)).entries == []


async def test_a_missing_topic_is_named_and_waited_for(kafka: TestKafka, topic: str) -> None:
    missing, logs = f"test.start.{secrets.token_hex(4)}", CapturedLogs()
    checking = TopicsCheck(kafka.connection, [topic, missing], ONE, logs)
    waiting = asyncio.create_task(run_until_passed([checking.run], logs))
    try:
        await wait_until(lambda: logs.find_entries("waiting to start"), within=60)
        assert missing in str(logs.entries[0].fields["reason"])
        assert not waiting.done()
        await create_topics(kafka.connection, [missing])
        async with asyncio.timeout(60):
            await waiting
    finally:
        waiting.cancel()


async def test_a_topic_that_is_waited_for_is_not_created_by_the_waiting(kafka: TestKafka) -> None:
    missing = f"test.start.{secrets.token_hex(4)}"
    with pytest.raises(StartDelayed, match=missing):
        await check(kafka, missing)
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await client.start()
    try:
        assert missing not in await client.list_topics()
    finally:
        await client.close()


async def test_a_topic_that_deletes_events_is_refused_with_the_command_that_mends_it(
    kafka: TestKafka, topic: str
) -> None:
    await set_topic_setting(kafka.connection, topic, "retention.ms", "3600000")
    with pytest.raises(StartRefused) as refused:
        await check(kafka, topic)
    message = str(refused.value)
    assert f"topic {topic} has retention.ms=3600000, it must be -1" in message
    assert "calloff topics apply" in message
    assert "\n" not in message


async def test_too_few_replicas_are_refused(kafka: TestKafka, topic: str) -> None:
    with pytest.raises(StartRefused, match=r"has replication factor 1, it must be at least 3: .*kafka-reassign"):
        await check(kafka, topic, replication=Replication(3, 2))


async def test_a_topic_with_another_number_of_partitions_is_refused(kafka: TestKafka) -> None:
    name = f"test.start.{secrets.token_hex(4)}"
    await make_topic(kafka.connection, name, partitions=1)
    with pytest.raises(StartRefused, match=rf"topic {name} has 1 partitions, it must have 12"):
        await check(kafka, name)
