"""Projection consumer: reads the topics of all projections from offset 0 and upserts newer events."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from contracts.catalogue import decode, find_entry
from service_runtime.kafka.batches import AfterCommit, Batch, BatchSubscription
from service_runtime.kafka.client import KafkaRecord
from service_runtime.kafka.records import Record, UnreadableCause, UnreadableRecord, check_readable, read_event_type
from service_runtime.postgres.database import Connection
from service_runtime.projections.memory import ProjectionMemory
from service_runtime.projections.projections import Projection, ProjectionRow, build_row, upsert_rows
from service_runtime.unit_of_work.wakeups import Wakeup

GENERATION: Final = 1
"""Increment it to rebuild all projections: the consumer group's id changes, so it starts from offset 0."""


def build_projection_subscription(
    projections: Sequence[Projection[Any]], *, memory: ProjectionMemory, timer_wakeup: Wakeup
) -> BatchSubscription:
    """Builds the batch subscription that updates `projections`.

    After an update decisions read them anew, and the timer worker is notified if a hold was released.
    """
    topics = tuple(sorted({find_entry(event).topic for projection in projections for event in projection.event_types}))
    return BatchSubscription(f"view.{GENERATION}", topics, _ProjectionUpdater(projections, memory, timer_wakeup).update)


class _ProjectionUpdater:
    """Updates projections from batches of records."""

    def __init__(self, projections: Sequence[Projection[Any]], memory: ProjectionMemory, timer_wakeup: Wakeup) -> None:
        self._by_type = {
            event.get_type_name(): (event, tuple(each for each in projections if event in each.event_types))
            for projection in projections
            for event in projection.event_types
        }
        self._memory = memory
        self._timer_wakeup = timer_wakeup

    async def update(self, connection: Connection, batch: Batch) -> AfterCommit | None:
        # A batch is ordered within each partition only; `upsert_rows` needs the order of all records.
        ordered = sorted(batch.records, key=lambda record: record.timestamp)
        rows = [row for record in ordered for row in self._to_rows(record, batch)]
        if not rows:
            return None
        released = await upsert_rows(connection, rows, now=batch.at)
        return partial(self._notify, released=released)

    def _notify(self, *, released: bool) -> None:
        self._memory.mark_stale()
        if released:
            self._timer_wakeup.notify()

    def _to_rows(self, raw: KafkaRecord, batch: Batch) -> list[ProjectionRow]:
        event_class, projections = self._by_type.get(read_event_type(raw), (None, ()))
        try:
            if event_class is None:
                check_readable(raw)
                return []
            record = Record.from_kafka(raw)
            event = decode(event_class, record.payload)
        except UnreadableRecord as error:
            batch.reject(raw, error.cause)
            return []
        except ValidationError:
            batch.reject(raw, UnreadableCause.INVALID_PAYLOAD)
            return []
        sequence, traceparent = record.envelope.sequence, record.envelope.traceparent
        return [build_row(projection, event, sequence=sequence, traceparent=traceparent) for projection in projections]
