"""Consumer of projections: reads their topics from offset 0 and upserts newer events."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

from contracts.catalogue import BY_TYPE, decode, find_entry
from contracts.envelope import Envelope
from service_runtime.kafka.batch_consumer import AfterCommit, Batch, BatchSubscription
from service_runtime.kafka.client import KafkaRecord
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Connection
from service_runtime.projections import projections as views
from service_runtime.projections.projections import Projection, ProjectionRow
from service_runtime.unit_of_work.wakeups import Wakeup

GENERATION: Final = 1
"""Raise it to rebuild all views from offset 0: the group's name changes, and with it what was read before."""


def build_projection_subscription(
    declared: Sequence[Projection[Any]], *, timer_wakeup: Wakeup, log: Logger
) -> BatchSubscription:
    """The feed of all `declared` views; the sleeper is woken when somebody held for what moved."""
    topics = tuple(sorted({find_entry(event).topic for view in declared for event in view.event_types}))
    return BatchSubscription(f"view.{GENERATION}", topics, _ProjectionUpdater(declared, timer_wakeup, log).update)


class _ProjectionUpdater:
    """What the views make of a batch."""

    def __init__(self, declared: Sequence[Projection[Any]], timer_wakeup: Wakeup, log: Logger) -> None:
        self._declared = declared
        self._timer_wakeup = timer_wakeup
        self._log = log

    async def update(self, connection: Connection, batch: Batch) -> AfterCommit | None:
        # They come partition by partition.
        in_order = sorted(batch.records, key=lambda record: record.timestamp)
        rows = [one for record in in_order for one in self._to_rows(record)]
        woke = bool(rows) and await views.upsert_rows(connection, rows, now=batch.at)
        return self._timer_wakeup.notify if woke else None

    def _to_rows(self, record: KafkaRecord) -> list[ProjectionRow]:
        headers = list(record.headers)
        entry = BY_TYPE.get(dict(headers).get("ce_type", b"").decode(errors="replace"))
        concerned = [view for view in self._declared if entry is not None and entry.event in view.event_types]
        if entry is None or not concerned:
            return []
        try:
            envelope = Envelope.from_headers(headers)
            event = decode(entry.event, record.value or b"")
        except ValidationError as error:
            self._log.error(
                "unreadable event left out of views", type=entry.event.type_name(), error=type(error).__name__
            )
            return []
        return [
            views.build_row(view, event, sequence=envelope.sequence, traceparent=envelope.traceparent)
            for view in concerned
        ]
