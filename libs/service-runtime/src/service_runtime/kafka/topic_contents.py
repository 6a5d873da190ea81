"""What topics hold and who reads them, for programs that make topics anew; deletes topics."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient

from service_runtime.kafka.client import get_end_offsets
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.topic_admin import CLIENT_ID, open_admin_client

_POLL_INTERVAL: Final = 0.2
_INACTIVE: Final = {"Empty", "Dead"}
"""States of a group without members."""


class TopicsNotDeleted(Exception):
    """Kafka still has topics that were to be deleted."""


async def list_filled(kafka: KafkaConnection, topics: Iterable[str]) -> list[str]:
    """The topics that exist and hold, or held, a record."""
    async with open_admin_client(kafka) as admin:
        existing = sorted(set(topics) & set(await admin.list_topics()))
    if not existing:
        return []
    ends = await get_end_offsets(kafka, existing, client_id=CLIENT_ID)
    return sorted({partition.topic for partition, end in ends.items() if end})


async def list_active_groups(kafka: KafkaConnection, prefix: str) -> list[str]:
    """The consumer groups with this prefix that have members."""
    async with open_admin_client(kafka) as admin:
        return [
            group for group in await _list_groups(admin, prefix) if await _read_state(admin, group) not in _INACTIVE
        ]


async def _read_state(admin: AIOKafkaAdminClient, group: str) -> object:
    """Asked for one group: aiokafka misreads an answer about several."""
    (response,) = await admin.describe_consumer_groups([group])
    ((_, _, state, *_),) = response.groups
    return state


async def list_committed_groups(kafka: KafkaConnection, prefix: str, topics: Sequence[str]) -> list[str]:
    """The consumer groups with this prefix that have committed an offset beyond 0 in one of the topics."""
    async with open_admin_client(kafka) as admin:
        return [group for group in await _list_groups(admin, prefix) if await _has_committed(admin, group, topics)]


async def _has_committed(admin: AIOKafkaAdminClient, group: str, topics: Sequence[str]) -> bool:
    offsets = await admin.list_consumer_group_offsets(group)
    return any(partition.topic in topics and committed.offset > 0 for partition, committed in offsets.items())


async def delete_topics(kafka: KafkaConnection, topics: Sequence[str], *, within: float = 60.0) -> None:
    """Deletes topics with all their records, and waits until they are gone. Raises TopicsNotDeleted."""
    async with open_admin_client(kafka) as admin:
        await admin.delete_topics(list(topics))
        try:
            async with asyncio.timeout(within):
                while set(topics) & set(await admin.list_topics()):
                    await asyncio.sleep(_POLL_INTERVAL)
        except TimeoutError:
            raise TopicsNotDeleted(f"Kafka has not deleted {', '.join(topics)}; may this user delete topics?") from None


async def _list_groups(admin: AIOKafkaAdminClient, prefix: str) -> list[str]:
    return sorted(str(group[0]) for group in await admin.list_consumer_groups() if str(group[0]).startswith(prefix))
