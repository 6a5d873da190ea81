"""Projection consumer: reads the topics of all projections from offset 0 and upserts newer events."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

from contracts.catalogue import BY_TYPE, decode, find_entry
from contracts.envelope import Envelope
from service_runtime.kafka.batch_consumer import AfterCommit, Batch, BatchSubscription
from service_runtime.kafka.client import KafkaRecord
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Connection
from service_runtime.projections.projections import Projection, ProjectionRow, build_row, upsert_rows
from service_runtime.unit_of_work.wakeups import Wakeup

GENERATION: Final = 1
"""Increment it to rebuild all projections: the consumer group's id changes, so it starts from offset 0."""


def build_projection_subscription(
    projections: Sequence[Projection[Any]], *, timer_wakeup: Wakeup, log: Logger
) -> BatchSubscription:
    """Builds the batch subscription that updates `projections`; it notifies the timer worker if a hold was released."""
    topics = tuple(sorted({find_entry(event).topic for projection in projections for event in projection.event_types}))
    return BatchSubscription(f"view.{GENERATION}", topics, _ProjectionUpdater(projections, timer_wakeup, log).update)


class _ProjectionUpdater:
    """Updates projections from batches of records."""

    def __init__(self, projections: Sequence[Projection[Any]], timer_wakeup: Wakeup, log: Logger) -> None:
        self._projections = projections
        self._timer_wakeup = timer_wakeup
        self._log = log

    async def update(self, connection: Connection, batch: Batch) -> AfterCommit | None:
        # A batch is ordered within each partition only; `upsert_rows` needs the order of all records.
        ordered = sorted(batch.records, key=lambda record: record.timestamp)
        rows = [row for record in ordered for row in self._to_rows(record)]
        released = bool(rows) and await upsert_rows(connection, rows, now=batch.at)
        return self._timer_wakeup.notify if released else None

    def _to_rows(self, record: KafkaRecord) -> list[ProjectionRow]:
        headers = list(record.headers)
        entry = BY_TYPE.get(dict(headers).get("ce_type", b"").decode(errors="replace"))
        if entry is None:
            return []
        projections = [projection for projection in self._projections if entry.event in projection.event_types]
        if not projections:
            return []
        try:
            envelope = Envelope.from_headers(headers)
            event = decode(entry.event, record.value or b"")
        except ValidationError as error:
            event_type = entry.event.get_type_name()
            self._log.error("unreadable event left out of projections", type=event_type, error=type(error).__name__)
            return []
        return [
            build_row(projection, event, sequence=envelope.sequence, traceparent=envelope.traceparent)
            for projection in projections
        ]
