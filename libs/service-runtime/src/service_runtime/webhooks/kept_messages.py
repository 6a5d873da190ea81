"""Kept messages: webhooks that did not arrive, which their owner lists, acknowledges, or has sent again.

A message that is undeliverable stays in the queue's table with its body until `retention.BodyEraser` erases that.
Sending it again makes its row due once more, with the same id and body. It is retried for REPLAY_TIMEOUT only, because
later webhooks of its stream wait behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from service_runtime.postgres.database import Reader
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

MAX_REPLAYED: Final = 200
"""Messages that one command sends again."""
REPLAY_TIMEOUT: Final = timedelta(minutes=2)
REPLAY_PAUSE: Final = timedelta(milliseconds=250)
"""Between the first attempts of messages that one command sends again, so that new webhooks are not held up."""

_LIST = text(
    """
    SELECT id, kind, about, body, queued_at, failure, decided_at FROM deliveries
    WHERE owner = :owner AND outcome = 'undeliverable' AND acknowledged_at IS NULL AND finished_at IS NOT NULL
      AND body <> '' AND position > coalesce(
          (SELECT position FROM deliveries AS last WHERE last.id = CAST(:after AS uuid) AND last.owner = :owner), 0)
    ORDER BY position LIMIT :limit
    """
)
_FIND = text(
    """
    SELECT id, outcome, finished_at, body <> '' AS has_body FROM deliveries
    WHERE owner = :owner AND id = ANY(CAST(:ids AS uuid[]))
    """
)
_FIND_UNDELIVERED = text(
    """
    SELECT id FROM deliveries
    WHERE owner = :owner AND outcome = 'undeliverable' AND acknowledged_at IS NULL AND finished_at IS NOT NULL
      AND body <> '' AND queued_at >= :since
    ORDER BY position LIMIT :limit
    """
)
_SEND_AGAIN = text(
    """
    UPDATE deliveries
    SET outcome = NULL, failure = NULL, decided_at = NULL, finished_at = NULL, lease = NULL, first_attempt_at = NULL,
        acknowledged_at = NULL, give_up_after = :timeout, replayed_at = :now,
        next_attempt_at = :now + (ordinal - 1) * CAST(:pause AS interval)
    FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS again(i, ordinal)
    WHERE id = i AND owner = :owner AND finished_at IS NOT NULL AND body <> ''
    """
)
_ACKNOWLEDGE = text(
    """
    UPDATE deliveries SET acknowledged_at = coalesce(acknowledged_at, :now)
    WHERE owner = :owner AND id = ANY(CAST(:ids AS uuid[])) AND outcome = 'undeliverable' AND finished_at IS NOT NULL
    """
)


@dataclass(frozen=True)
class KeptMessage:
    """A webhook that did not arrive, with the body that was signed, and why it was given up."""

    id: UUID
    kind: str
    about: str
    body: bytes
    queued_at: datetime
    failure: str
    decided_at: datetime


@dataclass(frozen=True)
class FoundMessage:
    """What is known of a message that a command names."""

    id: UUID
    is_finished: bool
    outcome: str | None
    has_body: bool


async def list_kept_messages(reader: Reader, owner: str, *, after: UUID | None, limit: int) -> list[KeptMessage]:
    """Returns the owner's messages that did not arrive and are not acknowledged, the oldest first."""
    rows = await reader.execute(_LIST, {"owner": owner, "after": after, "limit": limit})
    return [_to_kept_message(row) for row in rows]


def _to_kept_message(row: Any) -> KeptMessage:  # a row's attributes are its columns
    return KeptMessage(row.id, row.kind, row.about, row.body, row.queued_at, row.failure or "", row.decided_at)


class KeptMessages:
    """Finds and changes kept messages of one owner inside one unit of work."""

    def __init__(self, work: PostgresUnitOfWork, owner: str) -> None:
        self._work = work
        self._owner = owner

    async def find(self, ids: Sequence[UUID]) -> dict[UUID, FoundMessage]:
        """Returns those of `ids` that are the owner's."""
        rows = await self._work.execute(_FIND, {"owner": self._owner, "ids": list(ids)})
        return {row.id: FoundMessage(row.id, row.finished_at is not None, row.outcome, row.has_body) for row in rows}

    async def find_undelivered(self, *, since: datetime, limit: int) -> list[UUID]:
        """Returns messages queued since then that did not arrive and are not acknowledged, the oldest first."""
        arguments = {"owner": self._owner, "since": since, "limit": limit}
        return [row.id for row in await self._work.execute(_FIND_UNDELIVERED, arguments)]

    def send_again(self, ids: Sequence[UUID]) -> None:
        """Makes finished messages due once more, one after the other."""
        arguments = {
            "owner": self._owner,
            "ids": list(ids),
            "now": self._work.now,
            "timeout": REPLAY_TIMEOUT,
            "pause": REPLAY_PAUSE,
        }
        self._work.write(_SEND_AGAIN, arguments, rows=len(ids))

    def acknowledge(self, ids: Sequence[UUID]) -> None:
        """Takes undelivered messages off the list."""
        arguments = {"owner": self._owner, "ids": list(ids), "now": self._work.now}
        self._work.write(_ACKNOWLEDGE, arguments, rows=len(ids))
