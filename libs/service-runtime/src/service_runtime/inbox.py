"""Inbox: makes each event from Kafka count once, by a row per event id that is applied with the event's effect."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service_runtime.dead_letters import parked_keys
from service_runtime.kafka.records import Record
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.changes import Changes, RevisionConflict
from service_runtime.unit_of_work.streams import Cause, StreamKey

_FIND: Final = "SELECT 1 FROM inbox WHERE event_id = $1"


@dataclass(frozen=True)
class EventClaim:
    """Claims an event by its row in the inbox. An event of a parked key is stored as a dead letter, in order."""

    record: Record
    service: str
    begins_stream: bool = False
    """True if the service usually has nothing of this subject before this event."""
    releasing: bool = False
    """True while an operator releases the key: the event is handled although its key is parked."""

    @property
    def stream(self) -> StreamKey:
        return self.record.stream

    @property
    def cause(self) -> Cause:
        envelope = self.record.envelope
        actor = f"service:{self.service}"
        return Cause(str(envelope.id), actor, envelope.council, envelope.traceparent, at=envelope.time)

    @property
    def turn_timeout(self) -> None:
        """None: events wait for their stream's turn without a limit."""

    @property
    def even_if_parked(self) -> bool:
        return self.releasing

    async def is_open(self, database: Database, *, at: datetime) -> bool:  # noqa: ARG002  the Protocol names them
        if not await database.fetch(_FIND, self.record.envelope.id):
            return True
        if self.releasing:  # it was handled before it was stored as a dead letter a second time
            async with database.begin_transaction() as connection:
                await parked_keys.delete_event(connection, self.record.envelope.id)
        return False

    async def handle_parked(self, database: Database, *, at: datetime) -> None:
        """Stores the event behind the events of its key that wait."""
        async with database.begin_transaction() as connection:
            if not (await streams.lock_stream(connection, self.stream)).parked:
                raise RevisionConflict
            await parked_keys.enqueue_behind(connection, self.record, at=at)

    def add_to(self, changes: Changes, result: object, *, at: datetime) -> None:  # noqa: ARG002  the Protocol names them
        changes.handled_events.append(self.record.envelope.id)
        if self.releasing:
            changes.released_events.append(self.record.envelope.id)
