"""The delivery log: every attempt with its status and duration, for owners and officers; never what was said."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text

from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.deliveries import Attempt

MOST: Final = 100


@dataclass(frozen=True)
class LoggedDelivery:
    """One webhook and what became of it; `outcome` is None while it is being sent."""

    id: UUID
    owner: str
    stream: StreamKey
    kind: str
    about: str
    queued_at: datetime
    outcome: str | None
    failure: str | None
    decided_at: datetime | None
    attempts: tuple[Attempt, ...]


def _newest(where: str) -> TextClause:
    return text(
        f"""
        SELECT position, id, owner, topic, key, kind, about, queued_at, outcome, failure, decided_at
        FROM deliveries WHERE {where} ORDER BY position DESC LIMIT :most
        """  # noqa: S608  put together from constants
    )


_OF_OWNER = _newest("owner = :owner")
_OF_STREAM = _newest("topic = :topic AND key = :key")
_ATTEMPTS = text(
    """
    SELECT delivery_id, attempt, at, took_ms, status, failure FROM delivery_attempts
    WHERE delivery_id = ANY(CAST(:ids AS uuid[])) ORDER BY delivery_id, attempt
    """
)


async def log_for(connection: Connection, about: str | StreamKey, *, most: int = MOST) -> list[LoggedDelivery]:
    """The `most` newest deliveries of an owner (text) or of a stream, newest first, with their attempts in order."""
    if isinstance(about, StreamKey):
        found = await connection.execute(_OF_STREAM, {"topic": about.topic, "key": about.key, "most": most})
    else:
        found = await connection.execute(_OF_OWNER, {"owner": about, "most": most})
    rows = found.all()
    attempts = await _attempts(connection, [row.id for row in rows])
    return [
        LoggedDelivery(
            row.id,
            row.owner,
            StreamKey(row.topic, row.key),
            row.kind,
            row.about,
            row.queued_at,
            row.outcome,
            row.failure,
            row.decided_at,
            tuple(attempts[row.id]),
        )
        for row in rows
    ]


async def _attempts(connection: Connection, ids: list[UUID]) -> dict[UUID, list[Attempt]]:
    by_delivery: dict[UUID, list[Attempt]] = defaultdict(list)
    for row in await connection.execute(_ATTEMPTS, {"ids": ids}):
        took = timedelta(milliseconds=row.took_ms)
        by_delivery[row.delivery_id].append(Attempt(row.attempt, row.at, took, row.status, row.failure))
    return by_delivery
