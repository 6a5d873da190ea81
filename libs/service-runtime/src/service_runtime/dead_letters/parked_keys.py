"""Dead letters: an event that cannot be handled parks its key; other keys continue.

The failed event and all later ones of its key are stored with their bytes, in order. Timers of the key do not fire and
its commands are refused. An operator releases the key, which handles the stored events in order, or discards the failed
event with a reason. Only the type of the error is stored, because its message could contain personal data.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import text

from contracts.catalogue import PARKED
from contracts.events.operations import KeyParked
from contracts.ids import uuid7
from service_runtime.clock import Clock
from service_runtime.kafka.records import Record
from service_runtime.observability.logs import Logger
from service_runtime.outbox import journal
from service_runtime.postgres.database import Connection, Database
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.streams import Cause, StreamKey

_PARK_STREAM = text(
    """
    UPDATE streams SET parked_because = :because, parked_at = :at WHERE topic = :topic AND key = :key
    """
)
_STORE = text(
    """
    INSERT INTO dead_letters (event_id, topic, key, type, headers, payload, arrived_at, failure)
    VALUES (:id, :topic, :key, :type, :headers, :payload, :at, :failure)
    ON CONFLICT (event_id) DO UPDATE SET failure = coalesce(excluded.failure, dead_letters.failure)
    """
)
_SELECT_FROM_INBOX = text("SELECT 1 FROM inbox WHERE event_id = :id")
_DELETE = text("DELETE FROM dead_letters WHERE event_id = :id")
_SELECT_FIRST = text(
    """
    SELECT event_id, topic, key, headers, payload FROM dead_letters
    WHERE topic = :topic AND key = :key ORDER BY position LIMIT 1
    """
)
_UNPARK = text("UPDATE streams SET parked_because = NULL, parked_at = NULL WHERE topic = :topic AND key = :key")
_DISCARD = text(
    """
    WITH discarded AS (DELETE FROM dead_letters WHERE event_id = :id AND failure IS NOT NULL RETURNING event_id)
    INSERT INTO inbox (event_id, handled_at, discarded_because) SELECT event_id, :at, :because FROM discarded
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)
_LIST = text(
    """
    SELECT streams.topic, streams.key, parked_because, parked_at,
           (SELECT count(*) FROM dead_letters
            WHERE dead_letters.topic = streams.topic AND dead_letters.key = streams.key) AS waiting,
           failed.event_id, failed.type
    FROM streams LEFT JOIN LATERAL (
        SELECT event_id, type FROM dead_letters
        WHERE dead_letters.topic = streams.topic AND dead_letters.key = streams.key AND failure IS NOT NULL
        ORDER BY position LIMIT 1) AS failed ON true
    WHERE parked_because IS NOT NULL ORDER BY parked_at, streams.topic, streams.key
    """
)

_COUNT_PARKED = text("SELECT count(*) FROM streams WHERE parked_because IS NOT NULL")


@dataclass(frozen=True)
class ParkedKey:
    """A parked key, with its failed event if an event caused the parking."""

    stream: StreamKey
    because: str
    since: datetime
    waiting: int
    event_id: UUID | None
    event_type: str | None


async def park_key(
    connection: Connection,
    name: StreamKey,
    *,
    service: str,
    council: str,
    because: str,
    at: datetime,
    record: Record | None = None,
) -> None:
    """Parks a key, stores the event that failed, if any, and publishes KeyParked.

    A key that is already parked keeps its first reason, and KeyParked is not published again.
    """
    stream = await streams.lock_stream(connection, name)
    if record is not None:
        await _store(connection, record, at=at, failure=because)
    if stream.parked:
        return
    await connection.execute(_PARK_STREAM, {"topic": name.topic, "key": name.key, "because": because, "at": at})
    event = KeyParked(
        service=service,
        topic=name.topic,
        parked_key=name.key,
        event_id=record.envelope.id if record is not None else None,
        because=because,
    )
    cause = Cause(str(event.event_id or name), f"service:{service}", council)
    target = await streams.lock_stream(connection, StreamKey(PARKED, name.key))
    chained, after = journal.chain_event(event, stream=target, event_id=uuid7(at), source=service, cause=cause, at=at)
    await journal.append_to_journal(connection, [chained], [after], at=at)


@dataclass(frozen=True)
class DeadLetters:
    """Parks keys for one part of a service; counts and logs each parked key after the commit."""

    service: str
    database: Database
    clock: Clock
    parked: Counter
    log: Logger

    async def park(
        self,
        stream: StreamKey,
        *,
        council: str,
        because: str,
        record: Record | None = None,
        also: Callable[[Connection, datetime], Awaitable[object]] | None = None,
    ) -> None:
        """Parks a key and calls `also` in one transaction of their own. Raises the database's errors."""
        at = self.clock.now()
        async with self.database.begin_transaction() as connection:
            await park_key(
                connection, stream, service=self.service, council=council, because=because, at=at, record=record
            )
            if also is not None:
                await also(connection, at)
        self.parked.inc()
        event_id = None if record is None else str(record.envelope.id)
        self.log.error("key parked", topic=stream.topic, key=stream.key, event_id=event_id, because=because)


async def enqueue_behind(connection: Connection, record: Record, *, at: datetime) -> None:
    """Stores an event that arrived while its key is parked, unless it was handled before."""
    if (await connection.execute(_SELECT_FROM_INBOX, {"id": record.envelope.id})).first() is None:
        await _store(connection, record, at=at, failure=None)


async def _store(connection: Connection, record: Record, *, at: datetime, failure: str | None) -> None:
    await connection.execute(
        _STORE,
        {
            "id": record.envelope.id,
            "topic": record.topic,
            "key": record.key,
            "type": record.envelope.type,
            "headers": record.headers,
            "payload": record.payload,
            "at": at,
            "failure": failure,
        },
    )


async def delete_event(connection: Connection, event_id: UUID) -> None:
    """Deletes a stored event after it has been handled."""
    await connection.execute(_DELETE, {"id": event_id})


async def find_first_event(connection: Connection, stream: StreamKey) -> tuple[bytes, bytes] | None:
    """Returns headers and payload of the first stored event of the key, or None."""
    row = (await connection.execute(_SELECT_FIRST, {"topic": stream.topic, "key": stream.key})).one_or_none()
    return None if row is None else (row.headers, row.payload)


async def unpark(connection: Connection, stream: StreamKey) -> None:
    """Unparks a key whose lock this transaction holds; its timers can fire again."""
    await connection.execute(_UNPARK, {"topic": stream.topic, "key": stream.key})


async def discard(connection: Connection, event_id: UUID, *, because: str, at: datetime) -> bool:
    """Deletes a failed event and records it in the inbox as discarded. Returns False if there is no such event."""
    row = await connection.execute(_DISCARD, {"id": event_id, "because": because, "at": at})
    return row.one_or_none() is not None


async def count_parked_keys(connection: Connection) -> int:
    """Returns the number of parked keys."""
    return (await connection.execute(_COUNT_PARKED)).scalar_one()


async def list_parked_keys(connection: Connection) -> list[ParkedKey]:
    """Returns the parked keys, the longest parked first."""
    rows = await connection.execute(_LIST)
    return [
        ParkedKey(StreamKey(row.topic, row.key), row.parked_because, row.parked_at, row.waiting, row.event_id, row.type)
        for row in rows
    ]
