"""Unreadable records: records of Kafka that a consumer has passed, because no service can have published them.

Each is a dead letter of its partition: it has no key that could be parked. It is stored with its bytes up to a limit,
once per consumer however often it is read, and stays on the list until an operator discards it with a reason.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import text

from service_runtime.kafka.client import KafkaRecord
from service_runtime.kafka.records import UnreadableCause
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Connection

MAX_STORED: Final = 65_536
"""Bytes of key, headers and payload, in this order, that are stored; the rest is cut off."""

_INSERT = text(
    """
    INSERT INTO unreadable_records (consumer, topic, partition, "offset", cause, key, headers, payload, size, sha256,
                                    found_at)
    VALUES (:consumer, :topic, :partition, :offset, :cause, :key, :headers, :payload, :size, :sha256, :at)
    ON CONFLICT (consumer, topic, partition, "offset") DO NOTHING RETURNING id
    """
)
_COLUMNS: Final = 'id, consumer, topic, partition, "offset", cause, size, sha256, found_at'
_LIST = text(
    f"""
    SELECT {_COLUMNS} FROM unreadable_records
    WHERE discarded_at IS NULL AND (found_at, id) < (CAST(:found_before AS timestamptz), CAST(:id_before AS uuid))
    ORDER BY found_at DESC, id DESC LIMIT :limit
    """  # noqa: S608  the columns are constants
)
_FIND = text(
    f"""
    SELECT {_COLUMNS}, key, headers, payload, discarded_at, discarded_because FROM unreadable_records WHERE id = :id
    """  # noqa: S608  the columns are constants
)
_DISCARD = text(
    """
    UPDATE unreadable_records SET discarded_at = :at, discarded_because = :because
    WHERE id = :id AND discarded_at IS NULL RETURNING id
    """
)
_COUNT = text("SELECT count(*) FROM unreadable_records WHERE discarded_at IS NULL")
_LATEST: Final = (datetime.fromisoformat("9999-12-31T00:00:00+00:00"), UUID(int=2**128 - 1))


@dataclass(frozen=True)
class RejectedRecord:
    """A record that a consumer passes, and why."""

    record: KafkaRecord
    cause: UnreadableCause


@dataclass(frozen=True)
class StoredRecord:
    """An unreadable record as it is listed: position, cause, and size and digest of all its bytes."""

    id: UUID
    consumer: str
    topic: str
    partition: int
    offset: int
    cause: str
    size: int
    sha256: bytes
    found_at: datetime


@dataclass(frozen=True)
class StoredBytes:
    """The stored bytes of an unreadable record; `headers` is JSON, with each byte of a value as a Latin-1 character."""

    key: bytes | None
    headers: bytes
    payload: bytes | None
    discarded_at: datetime | None
    discarded_because: str | None


@dataclass(frozen=True)
class UnreadableRecords:
    """Stores the unreadable records of one consumer, and counts and logs each after the commit."""

    consumer: str
    found: Counter
    log: Logger

    async def add(
        self, connection: Connection, rejected: Iterable[RejectedRecord], *, at: datetime
    ) -> list[RejectedRecord]:
        """Stores records; returns those that were not stored before."""
        return [each for each in rejected if await self._insert(connection, each, at=at)]

    async def _insert(self, connection: Connection, rejected: RejectedRecord, *, at: datetime) -> bool:
        record, headers = rejected.record, _encode_headers(rejected.record.headers)
        parts = (record.key, headers, record.value)
        position = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        arguments = {
            **position,
            **dict(zip(("key", "headers", "payload"), _cut(parts), strict=True)),
            "consumer": self.consumer,
            "cause": rejected.cause.value,
            "size": sum(len(part or b"") for part in parts),
            "sha256": _compute_digest(parts),
            "at": at,
        }
        return (await connection.execute(_INSERT, arguments)).first() is not None

    def report(self, new: Iterable[RejectedRecord]) -> None:
        """Counts and logs records that were stored."""
        for each in new:
            self.found.labels(each.record.topic, each.cause.value).inc()
            self.log.error(
                "unreadable record passed",
                consumer=self.consumer,
                topic=each.record.topic,
                partition=each.record.partition,
                offset=each.record.offset,
                because=each.cause.value,
            )


async def list_unreadable_records(
    connection: Connection, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[StoredRecord]:
    """Returns the records that no operator has discarded, newest first, after a position in that order."""
    found_before, id_before = after or _LATEST
    arguments = {"found_before": found_before, "id_before": id_before, "limit": limit}
    return [StoredRecord(*row) for row in await connection.execute(_LIST, arguments)]


async def find_unreadable_record(connection: Connection, record_id: UUID) -> tuple[StoredRecord, StoredBytes] | None:
    """Returns a record with its stored bytes, also after it was discarded; None if there is no such record."""
    row = (await connection.execute(_FIND, {"id": record_id})).one_or_none()
    return None if row is None else (StoredRecord(*row[:9]), StoredBytes(*row[9:]))


async def discard_unreadable_record(connection: Connection, record_id: UUID, *, because: str, at: datetime) -> bool:
    """Takes a record off the list and keeps it with the reason. Returns False if no such record is on the list."""
    row = await connection.execute(_DISCARD, {"id": record_id, "because": because, "at": at})
    return row.one_or_none() is not None


async def count_unreadable_records(connection: Connection) -> int:
    """Returns the number of records that no operator has discarded."""
    return (await connection.execute(_COUNT)).scalar_one()


def _encode_headers(headers: Sequence[tuple[str, bytes | None]]) -> bytes:
    return json.dumps([[name, None if value is None else value.decode("latin-1")] for name, value in headers]).encode()


def _cut(parts: Sequence[bytes | None]) -> list[bytes | None]:
    room, kept = MAX_STORED, list[bytes | None]()
    for part in parts:
        kept.append(None if part is None else part[:room])
        room -= len(kept[-1] or b"")
    return kept


def _compute_digest(parts: Sequence[bytes | None]) -> bytes:
    """Computes SHA-256 over key, headers and payload, each behind its length, `-` in place of a missing one."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"-" if part is None else b"%d:" % len(part))
        digest.update(part or b"")
    return digest.digest()
