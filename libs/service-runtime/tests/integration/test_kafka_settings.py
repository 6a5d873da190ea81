"""Settings of a topic that others change: consumers read every codec."""

from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest
import pytest_asyncio

from contracts.catalogue import PACKAGES
from service_runtime.kafka.client import Partition
from service_runtime.kafka.connection import KafkaConnection
from testkit.databases import fetch_number
from testkit.foreign_records import (
    PLACEHOLDER,
    ForeignRecord,
    read_codec,
    send_foreign_records,
)
from testkit.foreign_topics import set_topic_setting
from testkit.sample_service import SampleService, run_tasks
from testkit.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

PARTITION = Partition(PACKAGES, 2)
UNKNOWN = ForeignRecord(b"key", b"{}", [("ce_type", b"calloff.Foreign.v1"), (PLACEHOLDER, None)])
CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


@pytest_asyncio.fixture
async def packages_topic(kafka_connection: KafkaConnection) -> AsyncGenerator[str]:
    """The packages' topic; its codec is restored at the end."""
    yield PACKAGES
    await set_topic_setting(kafka_connection, PACKAGES, "compression.type", "producer")


async def test_consumers_read_every_codec_that_a_topic_can_be_set_to(
    sample: SampleService, packages_topic: str
) -> None:
    async def is_compressed(codec: int) -> bool:
        offset = await send_foreign_records(sample.kafka, PARTITION, [UNKNOWN])
        return await read_codec(sample.kafka, PARTITION, offset) == codec

    async def count_handled() -> int:
        return await fetch_number(sample.database, "SELECT count(*) FROM handled_events")

    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        for number, (name, codec) in enumerate(CODECS.items(), start=1):
            await set_topic_setting(sample.kafka, packages_topic, "compression.type", name)
            await wait_until(lambda codec=codec: is_compressed(codec), within=120)
            for _ in range(5):
                await sample.request_withdrawal(uuid4())

            async def is_handled(expected: int = 5 * number) -> bool:
                return await count_handled() == expected

            await wait_until(is_handled, within=120)
    rebuilds = {"group": f"calloff.{sample.name}"}
    assert sample.metrics.registry.get_sample_value("calloff_consumer_rebuilds_total", rebuilds) == 0
