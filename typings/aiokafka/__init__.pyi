from asyncio import Future
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, overload

from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.protocol.fetch import FetchRequest, FetchResponse
from aiokafka.protocol.produce import ProduceRequest, ProduceResponse

class TopicPartition(NamedTuple):
    topic: str
    partition: int

class OffsetAndTimestamp(NamedTuple):
    offset: int
    timestamp: int

class RecordMetadata(NamedTuple):
    topic: str
    partition: int
    offset: int

@dataclass
class ConsumerRecord:
    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    checksum: int | None
    serialized_key_size: int
    serialized_value_size: int
    headers: Sequence[tuple[str, bytes]]

class BatchBuilder:
    def append(
        self,
        *,
        timestamp: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = ...,
    ) -> object | None: ...
    def record_count(self) -> int: ...

class AIOKafkaProducer:
    def __init__(
        self,
        *,
        bootstrap_servers: str,
        client_id: str = ...,
        acks: str | int = ...,
        enable_idempotence: bool = ...,
        max_batch_size: int = ...,
        max_request_size: int = ...,
        linger_ms: int = ...,
        request_timeout_ms: int = ...,
        retry_backoff_ms: int = ...,
        transactional_id: str = ...,
    ) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def transaction(self) -> AbstractAsyncContextManager[object]: ...
    async def send_and_wait(self, topic: str, value: bytes, *, partition: int) -> RecordMetadata: ...
    async def partitions_for(self, topic: str) -> set[int]: ...
    def create_batch(self) -> BatchBuilder: ...
    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> Future[RecordMetadata]: ...

class _Cluster:
    def leader_for_partition(self, partition: TopicPartition) -> int | None: ...

class _Client:
    cluster: _Cluster
    @overload
    async def send(self, node_id: int | None, request: FetchRequest) -> FetchResponse: ...
    @overload
    async def send(self, node_id: int | None, request: ProduceRequest) -> ProduceResponse: ...

class AIOKafkaConsumer:
    _client: _Client
    def __init__(
        self,
        *topics: str,
        bootstrap_servers: str,
        client_id: str = ...,
        group_id: str | None = ...,
        enable_auto_commit: bool = ...,
        auto_offset_reset: str = ...,
        session_timeout_ms: int = ...,
        heartbeat_interval_ms: int = ...,
        max_poll_interval_ms: int = ...,
        fetch_min_bytes: int = ...,
        fetch_max_wait_ms: int = ...,
        consumer_timeout_ms: int = ...,
        request_timeout_ms: int = ...,
        metadata_max_age_ms: int = ...,
    ) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def subscribe(self, topics: Iterable[str] = ..., *, listener: ConsumerRebalanceListener | None = ...) -> None: ...
    def assign(self, partitions: Iterable[TopicPartition]) -> None: ...
    def assignment(self) -> set[TopicPartition]: ...
    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = ..., max_records: int | None = ...
    ) -> dict[TopicPartition, list[ConsumerRecord]]: ...
    async def commit(self, offsets: Mapping[TopicPartition, int] | None = ...) -> None: ...
    async def committed(self, partition: TopicPartition) -> int | None: ...
    async def position(self, partition: TopicPartition) -> int: ...
    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]: ...
    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]: ...
    async def offsets_for_times(
        self, timestamps: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, OffsetAndTimestamp | None]: ...
    def highwater(self, partition: TopicPartition) -> int | None: ...
    def partitions_for_topic(self, topic: str) -> set[int] | None: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...
