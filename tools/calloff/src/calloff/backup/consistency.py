"""Checks that databases are of one instant: no effect without its event, no record without its event.

Back-ups of `calloff backup` cannot fail it. Databases that were restored to a point in time, each by its own server,
can: their clocks differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.ids import uuid7
from devstack.errors import Inconsistent
from devstack.names import AUDIT

_BATCH: Final = 10_000
_MARGIN: Final = "interval '1 hour'"
"""More than the clocks of two machines differ."""

_LAST_EVENT: Final = text("SELECT occurred_at FROM journal ORDER BY position DESC LIMIT 1")
_ARCHIVED_UNTIL: Final = text(
    "SELECT (max(month) + interval '1 month') AT TIME ZONE 'UTC' FROM archives WHERE kind = 'journal'"
)
_HANDLED: Final = text(
    f"""
    SELECT event_id FROM inbox
    WHERE discarded_because IS NULL AND handled_at >= CAST(:since AS timestamptz) - {_MARGIN}
      AND event_id >= CAST(:first_id AS uuid)
    """  # noqa: S608  a constant
)
# A record of which audit has recorded a violation was not published by the service that it names.
_RECORDED: Final = text(
    f"""
    SELECT event_id FROM records
    WHERE source = ANY(CAST(:sources AS text[])) AND taken_in_at >= CAST(:since AS timestamptz) - {_MARGIN}
      AND event_id >= CAST(:first_id AS uuid)
      AND NOT EXISTS (SELECT 1 FROM violations WHERE violations.topic = records.topic
                      AND violations.partition = records.partition AND violations."offset" = records."offset")
    """  # noqa: S608  a constant
)
_EARLIEST: Final = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
_KNOWN: Final = text("SELECT id FROM journal WHERE id = ANY(CAST(:ids AS uuid[]))")


@dataclass(frozen=True)
class _Begin:
    """Where the comparison begins. Events of archived months are in no journal, however late they were handled."""

    since: datetime
    first_id: UUID
    """Ids are ordered by time; every id of an archived month is lower."""


@dataclass(frozen=True)
class _Excess:
    """What one database has, and no journal holds."""

    service: str
    count: int
    example: UUID

    def describe(self) -> str:
        what = "recorded" if self.service == AUDIT else "handled"
        return f"{self.service} has {what} {self.count} events that no journal holds (one is {self.example})"


async def check_consistency(databases: Mapping[str, AsyncConnection]) -> None:
    """Raises Inconsistent, which names the databases that are ahead."""
    begin = await _find_begin(databases.values())
    found: list[_Excess] = []
    for service, database in databases.items():
        found += await _find_excess(service, database, _HANDLED, databases, begin)
    sources = [f"/calloff/{service}" for service in databases]
    found += await _find_excess(AUDIT, databases[AUDIT], _RECORDED, databases, begin, sources=sources)
    if found:
        faults = "; ".join(excess.describe() for excess in found)
        advice = "restore the named databases to an earlier instant, or the others to a later one"
        raise Inconsistent(f"{faults}: {advice}")


async def _find_begin(databases: Iterable[AsyncConnection]) -> _Begin:
    """Begins where the shortest journal ends, or where the last archived month does if that is later."""
    last_events = [await database.scalar(_LAST_EVENT) for database in databases]
    ends = [end for end in last_events if end is not None]
    archived = [until for database in databases if (until := await database.scalar(_ARCHIVED_UNTIL)) is not None]
    first_id = uuid7(max(archived), random_bits=0) if archived else UUID(int=0)
    return _Begin(max([min(ends, default=_EARLIEST), *archived]), first_id)


async def _find_excess(
    service: str,
    database: AsyncConnection,
    query: TextClause,
    databases: Mapping[str, AsyncConnection],
    begin: _Begin,
    *,
    sources: Sequence[str] = (),
) -> list[_Excess]:
    arguments = {**vars(begin), **({"sources": sources} if sources else {})}
    missing: list[UUID] = []
    async with database.stream(query, arguments) as rows:
        async for ids in rows.scalars().partitions(_BATCH):
            missing += await _find_unknown(ids, databases)
    return [_Excess(service, len(missing), missing[0])] if missing else []


async def _find_unknown(ids: Sequence[UUID], databases: Mapping[str, AsyncConnection]) -> set[UUID]:
    unknown = set(ids)
    for database in databases.values():
        unknown -= set(await database.scalars(_KNOWN, {"ids": list(unknown)}))
    return unknown
