"""Table of timers: a timer is armed or cancelled with the decision that causes it, and falls due at an instant."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from service_runtime.due_policy import DueLimit
from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work.streams import StreamKey


@dataclass(frozen=True)
class Timer:
    """A timer to arm. It replaces the timer of the same kind and subject (`about`) in its stream."""

    kind: str
    about: str
    at: datetime
    precedence: int
    """Order of timers that are due at the same instant, lowest first (`contracts.precedence`)."""


@dataclass(frozen=True)
class DueTimer:
    """A timer that is due."""

    id: UUID
    stream: StreamKey
    kind: str
    about: str
    due_at: datetime
    council: str
    armed_by: str
    traceparent: str


_DUE = text(
    """
    SELECT id, topic, key, kind, about, due_at, council, armed_by, traceparent FROM timers
    WHERE due_at <= :now AND (due_at < :now OR precedence <= :max_precedence) AND NOT EXISTS (
        SELECT 1 FROM streams WHERE streams.topic = timers.topic AND streams.key = timers.key
                                AND streams.parked_because IS NOT NULL)
    ORDER BY due_at, precedence, topic, key, kind, about LIMIT :limit
    """
)
_NEXT_DUE = text(
    """
    SELECT min(due_at) FROM timers
    WHERE NOT EXISTS (
        SELECT 1 FROM streams WHERE streams.topic = timers.topic AND streams.key = timers.key
                                AND streams.parked_because IS NOT NULL)
    """
)


async def find_due(connection: Connection, *, due_limit: DueLimit, max_timers: int) -> list[DueTimer]:
    """Returns due timers in order without locking them; excludes timers of parked streams."""
    arguments = {"now": due_limit.instant, "max_precedence": due_limit.max_precedence, "limit": max_timers}
    rows = await connection.execute(_DUE, arguments)
    return [
        DueTimer(
            row.id,
            StreamKey(row.topic, row.key),
            row.kind,
            row.about,
            row.due_at,
            row.council,
            row.armed_by,
            row.traceparent,
        )
        for row in rows
    ]


async def find_next_due(connection: Connection) -> datetime | None:
    """Returns when the earliest timer falls due; None without timers."""
    return (await connection.execute(_NEXT_DUE)).scalar_one()
