"""Timers: rows that are due at an instant, armed and cancelled in the transaction of their cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from sqlalchemy import text

from service_runtime.clock import Horizon
from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work.streams import Cause, StreamKey


class Precedence(IntEnum):
    """The order of several things that fall due at one instant (DOMAIN, clocks: several things at one instant)."""

    EXPIRY = 1
    FACT = 2
    COUNCIL = 3
    DELIVERY = 4
    UNDELIVERABLE = 5
    ANSWER = 6
    AWARD = 7
    LIST_CLOSES = 8
    OPENING = 9
    LIST_GOES_OUT = 10


@dataclass(frozen=True)
class Timer:
    """A timer to arm; one of the same kind about the same thing in one stream replaces the one before it."""

    kind: str
    about: str
    at: datetime
    precedence: Precedence


@dataclass(frozen=True)
class DueTimer:
    """A timer whose time has come."""

    id: UUID
    stream: StreamKey
    kind: str
    about: str
    due_at: datetime
    council: str
    armed_by: str
    traceparent: str


# One round trip; no timer is both cancelled and armed.
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
    WHERE due_at <= :now AND (due_at < :now OR precedence <= :released) AND NOT EXISTS (
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
_TAKE = text("DELETE FROM timers WHERE id = :id AND due_at <= :now RETURNING id")


async def change_timers(
    connection: Connection,
    stream: StreamKey,
    cause: Cause,
    *,
    armed: Sequence[Timer] = (),
    cancelled: Sequence[tuple[str, str]] = (),
) -> None:
    """Arms timers, and cancels others by (kind, about); one that is not armed is no error."""
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
            "precedences": [int(timer.precedence) for timer in armed],
        },
    )


async def find_due(connection: Connection, *, within: Horizon, limit: int) -> list[DueTimer]:
    """The timers that are due, without locking them, in the order in which they happen; parked streams are skipped."""
    rows = await connection.execute(_DUE, {"now": within.instant, "released": within.released, "limit": limit})
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
    """When the earliest timer falls due; None while there is none."""
    return (await connection.execute(_NEXT_DUE)).scalar_one()


async def claim_due(connection: Connection, timer: DueTimer, *, now: datetime) -> bool:
    """Claims a due timer; False when it was cancelled, put off or taken by another process."""
    return (await connection.execute(_TAKE, {"id": timer.id, "now": now})).one_or_none() is not None
