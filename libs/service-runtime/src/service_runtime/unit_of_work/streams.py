"""Streams: everything one service publishes about one subject, with one row for lock, version and last hash.

A unit of work locks its stream first, then reads the clock, and keeps the lock until it commits. Changes of one subject
are therefore serial, in commit order, and no two writers assign the same version.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from contracts.catalogue import find_entry
from contracts.events.base import Event
from service_runtime.postgres.database import Connection


@dataclass(frozen=True, order=True)
class StreamKey:
    """Which stream: the topic and Kafka key of its subject."""

    topic: str
    key: str

    def __str__(self) -> str:
        return f"{self.topic}/{self.key}"


@dataclass(frozen=True)
class Stream:
    """A stream that this transaction holds the lock of."""

    key: StreamKey
    version: int
    last_hash: str
    parked: bool


@dataclass(frozen=True)
class Cause:
    """Why something is done and by whom; every event that follows carries it."""

    id: str
    actor: str
    council: str
    traceparent: str = ""
    at: datetime | None = None
    """When it happened, where that was before now: an event is heard later than it was said."""


_LOCK = text("SELECT version, last_hash, parked_because FROM streams WHERE topic = :topic AND key = :key FOR UPDATE")
CREATE_STREAM = text("INSERT INTO streams (topic, key) VALUES (:topic, :key) ON CONFLICT DO NOTHING")


async def lock_stream(connection: Connection, name: StreamKey) -> Stream:
    """Locks `name` until the transaction ends; a stream that is new begins here."""
    arguments = {"topic": name.topic, "key": name.key}
    row = (await connection.execute(_LOCK, arguments)).one_or_none()
    if row is None:
        await connection.execute(CREATE_STREAM, arguments)
        row = (await connection.execute(_LOCK, arguments)).one()
    return Stream(name, row.version, row.last_hash, row.parked_because is not None)


def stream_key_of(event: Event) -> StreamKey:
    """Where an event belongs, by the catalogue. Raises KeyError for an event that is not in it."""
    return StreamKey(find_entry(type(event)).topic, event.key)
