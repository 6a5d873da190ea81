"""Streams: all events of one service about one subject, with the state that the service keeps of it.

Every change of a stream increments its revision. A unit of work decides on the stream as it was at one revision, and
what it decided is applied only if the stream is still at that revision. Changes of one subject are therefore serial, in
commit order, and no two writers assign the same version.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text

from contracts.catalogue import find_entry
from contracts.envelope import GENESIS
from contracts.events.base import Event
from service_runtime.postgres.database import Connection


class StreamKey(NamedTuple):
    """Identifies a stream by topic and Kafka key. A tuple, because it is hashed and compared at every step."""

    topic: str
    key: str

    def __str__(self) -> str:
        return f"{self.topic}/{self.key}"


@dataclass(frozen=True)
class Stream:
    """A stream as it was at `revision`; revision 0 is a stream without a row."""

    key: StreamKey
    version: int = 0
    """Sequence number of its last event."""
    last_hash: str = GENESIS
    revision: int = 0
    parked: bool = False
    state: Any = None
    """The service's own state of this subject, an immutable value (Any: each service has its own)."""
    is_waiting: bool = False
    """True if the stream's last event waited in the outbox when the stream was loaded."""

    def advance(self) -> "Stream":
        """Returns the stream after its changes were applied; this process knows all its events."""
        return replace(self, revision=self.revision + 1, is_waiting=False)


@dataclass(frozen=True)
class Cause:
    """The trigger and actor of a unit of work; every event that it publishes carries them."""

    id: str
    actor: str
    council: str
    traceparent: str = ""
    at: datetime | None = None
    """Time of the cause, if earlier than the unit of work: an event is handled after it was published."""


_LOCK = text(
    """
    UPDATE streams SET revision = revision + 1 WHERE topic = :topic AND key = :key
    RETURNING version, last_hash, revision, parked_because
    """
)
_CREATE = text("INSERT INTO streams (topic, key) VALUES (:topic, :key) ON CONFLICT DO NOTHING")


async def lock_stream(connection: Connection, name: StreamKey) -> Stream:
    """Locks a stream until the transaction ends, and increments its revision; creates its row if there is none.

    For the few changes that are made in a transaction of their own: parking and releasing a key.
    """
    arguments = {"topic": name.topic, "key": name.key}
    row = (await connection.execute(_LOCK, arguments)).one_or_none()
    if row is None:
        await connection.execute(_CREATE, arguments)
        row = (await connection.execute(_LOCK, arguments)).one()
    return Stream(name, row.version, row.last_hash, row.revision, row.parked_because is not None)


def stream_key_of(event: Event) -> StreamKey:
    """Returns the stream of an event. Raises KeyError if the event is not in the catalogue."""
    return StreamKey(find_entry(type(event)).topic, event.key)
