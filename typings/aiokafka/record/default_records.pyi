from typing import Self

class _DefaultRecordBatchPy:
    _buffer: bytearray
    _pos: int
    _num_records: int

    def __init__(self, buffer: bytes) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> object: ...
    @property
    def base_offset(self) -> int: ...
    @property
    def next_offset(self) -> int: ...
    @property
    def timestamp_type(self) -> int: ...
    @property
    def first_timestamp(self) -> int: ...
    @property
    def max_timestamp(self) -> int: ...
    @property
    def is_control_batch(self) -> bool: ...
    def validate_crc(self) -> bool: ...

class DefaultRecordBatchBuilder:
    def __init__(
        self,
        magic: int,
        compression_type: int,
        is_transactional: int,
        producer_id: int,
        producer_epoch: int,
        base_sequence: int,
        batch_size: int,
    ) -> None: ...
    def append(
        self,
        offset: int,
        timestamp: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes | None]],
    ) -> object: ...
    def build(self) -> bytes: ...
