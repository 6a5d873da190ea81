"""Streams: all events of one service about one subject, with one row for lock, version and last hash.

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
    """Identifies a stream by topic and Kafka key."""

    topic: str
    key: str

    def __str__(self) -> str:
        return f"{self.topic}/{self.key}"


@dataclass(frozen=True)
class Stream:
    """A stream whose lock this transaction holds."""

    key: StreamKey
    version: int
    last_hash: str
    parked: bool


@dataclass(frozen=True)
class Cause:
    """The trigger and actor of a unit of work; every event that it publishes carries them."""

    id: str
    actor: str
    council: str
    traceparent: str = ""
    at: datetime | None = None
    """Time of the cause, if earlier than the unit of work: an event is handled after it was published."""


_LOCK = text("SELECT version, last_hash, parked_because FROM streams WHERE topic = :topic AND key = :key FOR UPDATE")
CREATE_STREAM = text("INSERT INTO streams (topic, key) VALUES (:topic, :key) ON CONFLICT DO NOTHING")


async def lock_stream(connection: Connection, name: StreamKey) -> Stream:
    """Locks a stream until the transaction ends; creates its row if there is none."""
    arguments = {"topic": name.topic, "key": name.key}
    row = (await connection.execute(_LOCK, arguments)).one_or_none()
    if row is None:
        await connection.execute(CREATE_STREAM, arguments)
        row = (await connection.execute(_LOCK, arguments)).one()
    return Stream(name, row.version, row.last_hash, row.parked_because is not None)


def stream_key_of(event: Event) -> StreamKey:
    """Returns the stream of an event. Raises KeyError if the event is not in the catalogue."""
    return StreamKey(find_entry(type(event)).topic, event.key)
