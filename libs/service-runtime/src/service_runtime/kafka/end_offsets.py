"""End offsets: reads them repeatedly over a connection of its own."""

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer

from service_runtime.kafka.client import Partition
from service_runtime.kafka.connection import KafkaConnection


class EndOffsetReader:
    """Reads end offsets repeatedly over its own connection.

    On a consumer's connection the request would wait behind a fetch, which the broker holds until a record arrives.
    """

    def __init__(self, kafka: KafkaConnection, *, client_id: str) -> None:
        self._client = AIOKafkaConsumer(
            **kafka.build_client_arguments(), client_id=client_id, enable_auto_commit=False, request_timeout_ms=10_000
        )

    async def start(self) -> None:
        """Connects; closes the connection again if that fails."""
        try:
            await self._client.start()
        except BaseException:
            await self._client.stop()
            raise

    async def get_end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        return await self._client.end_offsets(partitions)

    async def stop(self) -> None:
        await self._client.stop()
