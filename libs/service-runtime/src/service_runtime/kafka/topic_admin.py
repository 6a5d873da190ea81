"""Topic admin: describes, creates and alters topics. The only place where topics are made."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code

from contracts.catalogue import TopicSpecification
from contracts.errors import CallOffError
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.incremental_alter_configs import IncrementalAlterConfigs
from service_runtime.kafka.topics import (
    MIN_INSYNC_REPLICAS,
    ExistingTopic,
    Replication,
    SettingChange,
    TopicPlan,
    build_settings,
    find_specifications,
    plan_topics,
)

CLIENT_ID: Final = "calloff-admin"
VISIBLE_WITHIN: Final = 60.0
"""Seconds within which every partition of a new topic has a leader, and every broker shows a changed setting."""
_POLL_INTERVAL: Final = 0.1
_UNKNOWN_TOPIC: Final = 3


class TopicsRefused(CallOffError):
    """Kafka refuses to describe, create or alter a topic."""

    title = "Topics refused"


class TopicAdmin:
    """Describes, creates and alters topics over one connection."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin

    async def describe(self, specifications: Iterable[TopicSpecification]) -> dict[str, ExistingTopic]:
        """Returns those of the specified topics that exist, by name.

        Settings are None where the broker refuses to show them: that needs the right DescribeConfigs. Raises
        KafkaFailure.
        """
        named = {specification.name: specification for specification in specifications}
        # All topics are listed: a request that names a missing topic can create it, with the broker's defaults.
        described = [topic for topic in await self._admin.describe_topics() if topic["topic"] in named]
        found = {topic["topic"]: topic["partitions"] for topic in described if topic["partitions"]}
        settings = await self._describe_settings([named[name] for name in found])
        return {
            name: ExistingTopic(
                name, len(partitions), min(len(each["replicas"]) for each in partitions), settings[name]
            )
            for name, partitions in found.items()
            if name in settings
        }

    async def _describe_settings(
        self, specifications: Sequence[TopicSpecification]
    ) -> dict[str, dict[str, str] | None]:
        """Returns the settings of each topic that exists, None where the broker refuses to show them."""
        wanted = [
            ConfigResource(
                ConfigResourceType.TOPIC, each.name, dict.fromkeys([*each.settings, MIN_INSYNC_REPLICAS], "")
            )
            for each in specifications
        ]
        settings: dict[str, dict[str, str] | None] = {}
        for response in await self._admin.describe_configs(wanted) if wanted else ():
            for code, _, _, topic, entries in response.resources:
                if code == _UNKNOWN_TOPIC:
                    continue
                if code == TopicAuthorizationFailedError.errno:
                    settings[topic] = None
                    continue
                if code:
                    raise for_code(code)
                settings[topic] = {name: value for name, value, *_ in entries if value is not None}
        return settings

    async def create(self, specifications: Sequence[TopicSpecification], replication: Replication) -> None:
        """Creates topics and waits for their leaders. A topic that exists is no error. Raises TopicsRefused."""
        if not specifications:
            return
        new = [
            NewTopic(each.name, each.partitions, replication.factor, topic_configs=build_settings(each, replication))
            for each in specifications
        ]
        for topic, code, message in (await self._admin.create_topics(new)).topic_errors:
            if code != TopicAlreadyExistsError.errno:
                _check(code, message, f"topic {topic} cannot be created")
        await self._wait_for_leaders({each.name for each in specifications})

    async def _wait_for_leaders(self, topics: set[str]) -> None:
        async def find_leaderless() -> set[str]:
            return topics - await self._list_led_topics()

        await _wait_until_none(find_leaderless, "partitions without a leader: {}; check the brokers")

    async def _list_led_topics(self) -> set[str]:
        topics: list[dict[str, Any]] = await self._admin.describe_topics()  # Any: aiokafka returns decoded structs
        return {
            topic["topic"]
            for topic in topics
            if topic["partitions"]
            and all(each["leader"] >= 0 and not each["error_code"] for each in topic["partitions"])
        }

    async def alter(self, changes: Sequence[SettingChange]) -> None:
        """Changes settings and leaves all others of the topics as they are. Raises TopicsRefused."""
        if not changes:
            return
        client = self._admin._client  # pyright: ignore[reportPrivateUsage]  aiokafka has no incremental change
        response = await client.send(client.get_random_node(), IncrementalAlterConfigs(changes))
        for code, message, _, topic in response.responses:
            _check(code, message, f"settings of topic {topic} cannot be changed")
        await self._wait_for_changes(changes)

    async def _wait_for_changes(self, changes: Sequence[SettingChange]) -> None:
        """A broker shows a change somewhat later than the controller has made it."""
        changed = [TopicSpecification(name) for name in dict.fromkeys(each.topic for each in changes)]

        async def find_outstanding() -> set[str]:
            shown = await self._describe_settings(changed)
            return {
                f"{each.setting} of {each.topic}"
                for each in changes
                if (shown.get(each.topic) or {}).get(each.setting, each.specified) == each.present
            }

        await _wait_until_none(find_outstanding, "settings that are changed and not shown: {}; check the brokers")

    async def apply(self, plan: TopicPlan, replication: Replication) -> None:
        """Does what can be done of a plan. Doing it twice, or at the same time as another process, does no harm."""
        await self.create(plan.missing, replication)
        await self.alter(plan.changes)

    async def plan(self, specifications: Sequence[TopicSpecification], replication: Replication) -> TopicPlan:
        return plan_topics(specifications, await self.describe(specifications), replication)


async def _wait_until_none(find: Callable[[], Awaitable[set[str]]], message: str) -> None:
    deadline = time.monotonic() + VISIBLE_WITHIN
    while found := await find():
        if time.monotonic() > deadline:
            raise TopicsRefused(message.format(", ".join(sorted(found))))
        await asyncio.sleep(_POLL_INTERVAL)


def _check(code: int, message: str | None, what: str) -> None:
    if code:
        text = f"{what}: {for_code(code).__name__}" + (f", {message}" if message else "")
        raise TopicsRefused(text)


@asynccontextmanager
async def open_admin_client(kafka: KafkaConnection) -> AsyncGenerator[AIOKafkaAdminClient]:
    """Starts aiokafka's client for requests about topics and groups; closes it also if Kafka does not answer."""
    client = AIOKafkaAdminClient(**kafka.build_client_arguments(), client_id=CLIENT_ID)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def open_topic_admin(kafka: KafkaConnection) -> AsyncGenerator[TopicAdmin]:
    async with open_admin_client(kafka) as client:
        yield TopicAdmin(client)


async def create_topics(
    kafka: KafkaConnection, topics: Iterable[str], *, replication: Replication | None = None
) -> None:
    """Creates the missing ones of `topics` as specified; existing ones stay as they are. Raises TopicsRefused."""
    specifications = find_specifications(topics)
    async with open_topic_admin(kafka) as admin:
        existing = await admin.describe(specifications)
        missing = [each for each in specifications if each.name not in existing]
        await admin.create(missing, replication or Replication())
