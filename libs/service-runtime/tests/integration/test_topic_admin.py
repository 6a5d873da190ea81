"""Topics are created, altered and checked on a real Kafka."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio

from contracts.catalogue import KEPT_FOREVER, PARTITIONS, SPECIFICATIONS, TOPICS, TopicSpecification
from service_runtime.kafka.topic_admin import TopicAdmin, TopicsRefused, create_topics, open_topic_admin
from service_runtime.kafka.topics import MIN_INSYNC_REPLICAS, Replication
from testkit.foreign_topics import make_topic, set_topic_setting
from testkit.servers import TestKafka

ONE = Replication()


@pytest_asyncio.fixture
async def admin(kafka: TestKafka) -> AsyncGenerator[TopicAdmin]:
    async with open_topic_admin(kafka.connection) as opened:
        yield opened


@pytest.fixture
def specification() -> TopicSpecification:
    return TopicSpecification(f"test.topic.{secrets.token_hex(4)}")


async def read_settings(admin: TopicAdmin, *specifications: TopicSpecification) -> Mapping[str, str]:
    (topic,) = (await admin.describe(specifications)).values()
    assert topic.settings is not None
    return topic.settings


async def test_a_created_topic_is_as_specified(admin: TopicAdmin, specification: TopicSpecification) -> None:
    await admin.apply(await admin.plan([specification], ONE), ONE)
    assert (await admin.plan([specification], ONE)).is_empty
    settings = await read_settings(admin, specification)
    assert settings == {**KEPT_FOREVER, MIN_INSYNC_REPLICAS: "1"}


async def test_settings_of_a_topic_are_changed_and_foreign_settings_stay(
    kafka: TestKafka, admin: TopicAdmin, specification: TopicSpecification
) -> None:
    settings = {
        "retention.ms": "1000",
        "cleanup.policy": "compact",
        "segment.ms": "3600000",
        "min.cleanable.dirty.ratio": "0.25",
    }
    await make_topic(kafka.connection, specification.name, partitions=PARTITIONS, settings=settings)
    plan = await admin.plan([specification], ONE)
    assert {change.setting for change in plan.changes} == {"retention.ms", "cleanup.policy"}
    await admin.apply(plan, ONE)
    assert (await admin.plan([specification], ONE)).is_empty
    with_foreign = TopicSpecification(
        specification.name, settings={"segment.ms": "", "min.cleanable.dirty.ratio": "", "retention.ms": ""}
    )
    settings = await read_settings(admin, with_foreign)
    assert (settings["segment.ms"], settings["min.cleanable.dirty.ratio"]) == ("3600000", "0.25")
    assert settings["retention.ms"] == "-1"


async def test_settings_that_the_broker_sets_for_all_topics_count(
    kafka: TestKafka, admin: TopicAdmin, specification: TopicSpecification
) -> None:
    # No setting of its own: the broker keeps events for ever by log.retention.ms.
    await make_topic(kafka.connection, specification.name, partitions=PARTITIONS)
    plan = await admin.plan([specification], Replication())
    assert plan.is_empty, [str(change) for change in plan.changes]


async def test_two_processes_may_apply_at_once(kafka: TestKafka, specification: TopicSpecification) -> None:
    async def apply() -> None:
        async with open_topic_admin(kafka.connection) as admin:
            await admin.apply(await admin.plan([specification], ONE), ONE)

    await asyncio.gather(*[apply() for _ in range(4)])
    async with open_topic_admin(kafka.connection) as admin:
        assert (await admin.plan([specification], ONE)).is_empty


async def test_a_number_of_partitions_is_refused_and_stays(
    kafka: TestKafka, admin: TopicAdmin, specification: TopicSpecification
) -> None:
    await make_topic(kafka.connection, specification.name, partitions=3)
    plan = await admin.plan([specification], ONE)
    await admin.apply(plan, ONE)
    (topic,) = (await admin.describe([specification])).values()
    assert topic.partitions == 3
    assert "has 3 partitions, it must have 12" in str(plan.contradictions[0])


async def test_more_replicas_than_brokers_are_refused_in_kafkas_words(
    admin: TopicAdmin, specification: TopicSpecification
) -> None:
    with pytest.raises(TopicsRefused, match=r"cannot be created: InvalidReplicationFactor.*broker"):
        await admin.create([specification], Replication(factor=3, min_insync=2))
    assert await admin.describe([specification]) == {}


async def test_a_value_that_kafka_refuses_is_named_with_its_topic(
    kafka: TestKafka, admin: TopicAdmin, specification: TopicSpecification
) -> None:
    await make_topic(kafka.connection, specification.name, partitions=PARTITIONS)
    wrong = TopicSpecification(specification.name, settings={"cleanup.policy": "keep"})
    with pytest.raises(TopicsRefused, match=rf"settings of topic {specification.name} cannot be changed"):
        await admin.apply(await admin.plan([wrong], ONE), ONE)


async def test_creating_topics_leaves_existing_ones_as_they_are(
    kafka: TestKafka, admin: TopicAdmin, specification: TopicSpecification
) -> None:
    settings = {"retention.ms": "1000"}
    await make_topic(kafka.connection, specification.name, partitions=PARTITIONS, settings=settings)
    await create_topics(kafka.connection, [specification.name])
    assert (await read_settings(admin, specification))["retention.ms"] == "1000"


@dataclass(frozen=True)
class CommandResult:
    status: int | None
    output: str
    errors: str


async def run_command(*arguments: str, **environment: str) -> CommandResult:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CALLOFF_")}
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service_runtime.kafka.topics_command", *arguments),
        env={**kept, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await command.communicate()
    return CommandResult(command.returncode, output.decode(), errors.decode())


async def test_the_command_creates_mends_and_checks_the_topics_of_the_catalogue(own_kafka: TestKafka) -> None:
    """On a Kafka of its own: other tests change settings of these topics."""
    bootstrap = {"CALLOFF_KAFKA_BOOTSTRAP": own_kafka.bootstrap}
    await run_command("apply", **bootstrap)
    assert (await run_command("plan", **bootstrap)).status == 0
    assert (await run_command("check", **bootstrap)).output == "All topics are as specified.\n"
    await set_topic_setting(own_kafka.connection, TOPICS[0], "retention.ms", "86400000")
    planned = await run_command("plan", "--json", **bootstrap)
    assert planned.status == 2
    (change,) = json.loads(planned.output)["changes"]
    assert (change["topic"], change["setting"], change["specified"]) == (TOPICS[0], "retention.ms", "-1")
    checked = await run_command("check", **bootstrap)
    assert checked.status == 1
    assert f"differs: topic {TOPICS[0]}, retention.ms from 86400000 to -1" in checked.output
    assert (await run_command("apply", "--bootstrap", own_kafka.bootstrap)).status == 0
    assert (await run_command("check", **bootstrap)).status == 0


async def test_the_command_says_what_keeps_it_from_mending_the_topics(own_kafka: TestKafka) -> None:
    await create_topics(own_kafka.connection, TOPICS)
    three = {"CALLOFF_KAFKA_REPLICATION_FACTOR": "3", "CALLOFF_KAFKA_MIN_INSYNC_REPLICAS": "2"}
    applied = await run_command("apply", "--bootstrap", own_kafka.bootstrap, **three)
    assert applied.status == 1
    assert applied.output.count("kafka-reassign-partitions.sh") == len(SPECIFICATIONS)


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        (
            {},
            (
                "calloff topics: CALLOFF_KAFKA_BOOTSTRAP is not set; it is host:port of one or more Kafka brokers,"
                " separated by commas\n"
            ),
        ),
        (
            {"CALLOFF_KAFKA_BOOTSTRAP": "localhost:1", "CALLOFF_KAFKA_MIN_INSYNC_REPLICAS": "2"},
            (
                "calloff topics: CALLOFF_KAFKA_MIN_INSYNC_REPLICAS must not be more than"
                " CALLOFF_KAFKA_REPLICATION_FACTOR: Kafka would acknowledge no record\n"
            ),
        ),
    ],
)
async def test_a_wrong_setting_ends_the_command_with_one_line(environment: dict[str, str], line: str) -> None:
    result = await run_command("check", **environment)
    assert (result.status, result.errors) == (78, line)


async def test_a_kafka_that_does_not_answer_is_named() -> None:
    result = await run_command("check", "--bootstrap", "127.0.0.1:1")
    assert result.status == 75
    (line,) = result.errors.splitlines()
    assert line.startswith("calloff topics: no broker of CALLOFF_KAFKA_BOOTSTRAP (127.0.0.1:1) answers: [Errno 111]")


async def test_a_kafka_that_refuses_ends_the_command_as_a_wrong_setting_does(kafka: TestKafka) -> None:
    result = await run_command("check", "--bootstrap", kafka.bootstrap, CALLOFF_KAFKA_SECURITY_PROTOCOL="SSL")
    assert result.status == 78
    (line,) = result.errors.splitlines()
    assert line.startswith("calloff topics: Kafka's listener answers without TLS")


async def test_wrong_arguments_are_no_plan_with_something_to_do() -> None:
    result = await run_command("plan", "--wrong")
    assert result.status == 64
    assert "unrecognized arguments: --wrong" in result.errors
