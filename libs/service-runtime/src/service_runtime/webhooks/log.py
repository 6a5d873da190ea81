"""Delivery log: deliveries and their attempts, for owners and officers; it contains no request or response bodies."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text

from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.deliveries import Attempt

MAX_LOGGED: Final = 100


@dataclass(frozen=True)
class LoggedDelivery:
    """A delivery with its attempts; `outcome` is None until it is delivered or given up."""

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


def _build_newest_query(where: str) -> TextClause:
    return text(
        f"""
        SELECT position, id, owner, topic, key, kind, about, queued_at, outcome, failure, decided_at
        FROM deliveries WHERE {where} ORDER BY position DESC LIMIT :limit
        """  # noqa: S608  `where` is a constant
    )


_OF_OWNER = _build_newest_query("owner = :owner")
_OF_STREAM = _build_newest_query("topic = :topic AND key = :key")
_ATTEMPTS = text(
    """
    SELECT delivery_id, attempt, at, took_ms, status, failure FROM delivery_attempts
    WHERE delivery_id = ANY(CAST(:ids AS uuid[])) ORDER BY delivery_id, attempt
    """
)


async def load_delivery_log(
    connection: Connection, about: str | StreamKey, *, limit: int = MAX_LOGGED
) -> list[LoggedDelivery]:
    """Loads the `limit` newest deliveries of an owner (a string) or of a stream, newest first, with their attempts."""
    if isinstance(about, StreamKey):
        found = await connection.execute(_OF_STREAM, {"topic": about.topic, "key": about.key, "limit": limit})
    else:
        found = await connection.execute(_OF_OWNER, {"owner": about, "limit": limit})
    rows = found.all()
    attempts = await _load_attempts(connection, [row.id for row in rows])
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


async def _load_attempts(connection: Connection, ids: list[UUID]) -> dict[UUID, list[Attempt]]:
    by_delivery: dict[UUID, list[Attempt]] = defaultdict(list)
    for row in await connection.execute(_ATTEMPTS, {"ids": ids}):
        took = timedelta(milliseconds=row.took_ms)
        by_delivery[row.delivery_id].append(Attempt(row.attempt, row.at, took, row.status, row.failure))
    return by_delivery
