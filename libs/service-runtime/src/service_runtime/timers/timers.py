"""Table of timers: a timer is armed or cancelled in the transaction that decides it, and falls due at an instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from service_runtime.due_policy import DueLimit
from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work.streams import Cause, StreamKey


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


# One round trip. A call never both cancels and arms the same timer.
_CHANGE = text(
    """
    WITH cancelled AS (
        DELETE FROM timers
        USING unnest(CAST(:gone_kinds AS text[]), CAST(:gone_abouts AS text[])) AS gone(kind, about)
        WHERE topic = :topic AND key = :key AND timers.kind = gone.kind AND timers.about = gone.about
    )
    INSERT INTO timers (topic, key, kind, about, due_at, precedence, council, armed_by, traceparent)
    SELECT :topic, :key, kind, about, due_at, precedence, :council, :armed_by, :traceparent
    FROM unnest(CAST(:kinds AS text[]), CAST(:abouts AS text[]), CAST(:dues AS timestamptz[]),
                CAST(:precedences AS smallint[])) AS armed(kind, about, due_at, precedence)
    ON CONFLICT (topic, key, kind, about)
    DO UPDATE SET due_at = excluded.due_at, precedence = excluded.precedence, armed_by = excluded.armed_by,
                  traceparent = excluded.traceparent
    """
)
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
_CLAIM = text("DELETE FROM timers WHERE id = :id AND due_at <= :now RETURNING id")


async def change_timers(
    connection: Connection,
    stream: StreamKey,
    cause: Cause,
    *,
    armed: Sequence[Timer] = (),
    cancelled: Sequence[tuple[str, str]] = (),
) -> None:
    """Arms timers, and cancels others by (kind, about); cancelling a timer that does not exist is no error."""
    await connection.execute(
        _CHANGE,
        {
            "topic": stream.topic,
            "key": stream.key,
            "council": cause.council,
            "armed_by": cause.id,
            "traceparent": cause.traceparent,
            "gone_kinds": [kind for kind, _ in cancelled],
            "gone_abouts": [about for _, about in cancelled],
            "kinds": [timer.kind for timer in armed],
            "abouts": [timer.about for timer in armed],
            "dues": [timer.at for timer in armed],
            "precedences": [timer.precedence for timer in armed],
        },
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


async def claim_due(connection: Connection, timer: DueTimer, *, now: datetime) -> bool:
    """Deletes a due timer; False if it was cancelled, postponed or claimed by another process."""
    return (await connection.execute(_CLAIM, {"id": timer.id, "now": now})).one_or_none() is not None
