"""Makes and alters topics as another tool does, and waits until the broker shows the result."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.incremental_alter_configs import IncrementalAlterConfigs
from service_runtime.kafka.topics import SettingChange
from testkit.waiting import wait_until

_SHOWN_WITHIN: Final = 120.0
"""In seconds. A broker shows a topic and its settings somewhat later than the controller has made them."""


async def make_topic(
    kafka: KafkaConnection, name: str, *, partitions: int, settings: Mapping[str, str] | None = None
) -> None:
    """Makes a topic with one replica."""
    async with _open_admin(kafka) as admin:
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=dict(settings or {}))])

        async def is_led() -> bool:
            described = [each for each in await admin.describe_topics() if each["topic"] == name]
            return any(
                len(each["partitions"]) == partitions and all(one["leader"] >= 0 for one in each["partitions"])
                for each in described
            )

        await wait_until(is_led, within=_SHOWN_WITHIN)


async def set_topic_setting(kafka: KafkaConnection, topic: str, name: str, value: str) -> None:
    """Changes one setting of a topic and no other.

    The broker shows it then; its partitions obey it a moment later.
    """
    async with _open_admin(kafka) as admin:
        client = admin._client  # pyright: ignore[reportPrivateUsage]  aiokafka's own request resets other settings
        request = IncrementalAlterConfigs([SettingChange(topic, name, present="", specified=value)])
        ((code, message, *_),) = (await client.send(client.get_random_node(), request)).responses
        assert not code, f"{name} of {topic} is not changed: error {code}, {message}"

        async def is_shown() -> bool:
            asked = ConfigResource(ConfigResourceType.TOPIC, topic, {name: ""})
            (response,) = await admin.describe_configs([asked])
            ((*_, entries),) = response.resources
            return any(entry[:2] == (name, value) for entry in entries)

        await wait_until(is_shown, within=_SHOWN_WITHIN)


@asynccontextmanager
async def _open_admin(kafka: KafkaConnection) -> AsyncGenerator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**kafka.build_client_arguments(), client_id="test-topics")
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
