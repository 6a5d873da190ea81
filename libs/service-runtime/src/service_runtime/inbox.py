"""Inbox: makes each event from Kafka count once, by a row per event id that commits with the event's effect."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from service_runtime.clock import Clock
from service_runtime.dead_letters import parked_keys
from service_runtime.kafka.records import Record
from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work.streams import CREATE_STREAM, Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

# One round trip locks the stream and claims the event. A concurrent claim of the same event conflicts although this
# statement's snapshot is older: ON CONFLICT checks the current rows, not the snapshot.
_LOCK_AND_CLAIM = text(
    """
    WITH locked AS MATERIALIZED (
        SELECT version, last_hash, parked_because FROM streams WHERE topic = :topic AND key = :key FOR UPDATE
    ), claimed AS (
        INSERT INTO inbox (event_id, handled_at)
        SELECT :event_id, :at FROM locked WHERE parked_because IS NULL OR :even_if_parked
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    SELECT version, last_hash, parked_because, EXISTS (SELECT 1 FROM claimed) AS claimed FROM locked
    """
)


async def lock_stream_and_claim_event(
    connection: Connection, name: StreamKey, event_id: UUID, *, at: datetime, even_if_parked: bool
) -> tuple[Stream, bool]:
    """Locks the stream and inserts the event into the inbox.

    Returns the stream and True if the event was inserted; False if it was handled before, or if the stream is parked
    and `even_if_parked` is not set.
    """
    arguments = {
        "topic": name.topic,
        "key": name.key,
        "event_id": event_id,
        "at": at,
        "even_if_parked": even_if_parked,
    }
    row = (await connection.execute(_LOCK_AND_CLAIM, arguments)).one_or_none()
    if row is None:
        await connection.execute(CREATE_STREAM, {"topic": name.topic, "key": name.key})
        row = (await connection.execute(_LOCK_AND_CLAIM, arguments)).one()
    return Stream(name, row.version, row.last_hash, row.parked_because is not None), row.claimed


@dataclass
class EventClaim:
    """Claims an event by its row in the inbox. An event of a parked key is stored as a dead letter, in order."""

    record: Record
    service: str
    clock: Clock
    releasing: bool = False
    """True while an operator releases the key: the event is handled although its key is parked."""
    claimed: bool = field(default=False, init=False)
    """True if this transaction inserted the inbox row; set by `lock`."""

    @property
    def stream(self) -> StreamKey:
        return self.record.stream

    @property
    def cause(self) -> Cause:
        envelope = self.record.envelope
        actor = f"service:{self.service}"
        return Cause(str(envelope.id), actor, envelope.council, envelope.traceparent, at=envelope.time)

    @property
    def lock_timeout(self) -> None:
        """No limit: events wait for the lock of their stream."""

    async def lock(self, connection: Connection) -> Stream:
        """Locks the stream and claims the event in one round trip."""
        stream, self.claimed = await lock_stream_and_claim_event(
            connection, self.stream, self.record.envelope.id, at=self.clock.now(), even_if_parked=self.releasing
        )
        return stream

    async def acquire(self, connection: Connection, stream: Stream, work: PostgresUnitOfWork) -> bool:
        if stream.parked and not self.releasing:
            await parked_keys.enqueue_behind(connection, self.record, at=work.now)
            return False
        if self.releasing:
            await parked_keys.delete_event(connection, self.record.envelope.id)
        return self.claimed

    async def finish(self, connection: Connection, result: object) -> None:
        """Stores nothing: an event has no response."""
