from collections.abc import Iterable

from aiokafka import TopicPartition

class AbstractTokenProvider:
    async def token(self) -> str: ...

class ConsumerRebalanceListener:
    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None: ...
    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None: ...
