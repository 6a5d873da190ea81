"""Projection memory: the rows of a service's projections in this process, read by every decision without a round trip.

The table stays the truth. Rows that this process has updated are read again before the next decision, rows that another
process has updated within MAX_AGE. A decision on an older row is the same as one made just before the update; what must
not be missed, a wake-up of a stream that holds, is checked against the table when the hold is applied.
"""

import asyncio
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final, TypeVar

from contracts.events.base import Event
from service_runtime.postgres.database import Database
from service_runtime.projections.projections import (
    Projection,
    ProjectionEntry,
    ProjectionRow,
    find_entry,
    list_entries,
)

EventT = TypeVar("EventT", bound=Event)
ValueT = TypeVar("ValueT")

MAX_AGE: Final = 1.0
"""Seconds after which the table is asked for newer rows before a decision."""

MAX_DERIVED: Final = 20_000
"""Derived values that are kept; a county of 60 areas has some 10,000 facts about providers."""

_CHANGED: Final = """
    SELECT view, key, sequence, type, body, change FROM projections WHERE change > $1 ORDER BY change
"""


class ProjectionMemory:
    """All rows by projection and key, and the number of the last change that they include."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: dict[str, dict[str, ProjectionRow]] = {}
        self._change = 0
        self._refreshed_at = -MAX_AGE
        self._is_stale = True
        self._refreshing = asyncio.Lock()
        self._derived: dict[Hashable, Any] = {}

    def mark_stale(self) -> None:
        """Makes the next decision read newer rows first; called after this process has changed the table."""
        self._is_stale = True

    async def refresh(self) -> None:
        """Reads newer rows if this process has changed the table, or has not looked for MAX_AGE."""
        if not self._is_outdated():
            return
        async with self._refreshing:
            if self._is_outdated():
                await self._read_changes()

    def _is_outdated(self) -> bool:
        return self._is_stale or time.monotonic() - self._refreshed_at >= MAX_AGE

    async def _read_changes(self) -> None:
        self._is_stale = False
        at = time.monotonic()
        try:
            rows = await self._database.fetch(_CHANGED, self._change)
        except BaseException:
            self._is_stale = True
            raise
        for row in rows:
            stored = ProjectionRow(row.view, row.key, row.sequence, row.type, row.body)
            self._rows.setdefault(row.view, {})[row.key] = stored
            self._change = row.change
        self._refreshed_at = at
        if rows:
            self._derived.clear()

    def find(self, view: str, key: str) -> ProjectionRow | None:
        return self._rows.get(view, {}).get(key)

    def list_by_prefix(self, view: str, prefix: str) -> list[ProjectionRow]:
        return [row for key, row in self._rows.get(view, {}).items() if key.startswith(prefix)]

    def derive(self, name: Hashable, build: Callable[[], ValueT]) -> ValueT:
        """Returns the value that `build` makes of the rows; it is made once and kept until any row changes."""
        if name not in self._derived:
            if len(self._derived) >= MAX_DERIVED:
                self._derived.clear()
            self._derived[name] = build()
        value: ValueT = self._derived[name]
        return value


class ProjectionSnapshot:
    """Reads the projections for one unit of work, and remembers the sequences that it has seen."""

    def __init__(self, memory: ProjectionMemory) -> None:
        self.memory = memory
        self._seen: dict[tuple[str, str], int] = {}

    async def get(self, projection: Projection[EventT], key: str) -> ProjectionEntry[EventT] | None:
        """Returns the projection's entry for `key`; None if it has no row."""
        return find_entry(projection, self.look_up([(projection, key)]), key)

    async def get_many(
        self, projection: Projection[EventT], keys: Iterable[str]
    ) -> Mapping[str, ProjectionEntry[EventT]]:
        """Returns the projection's entries for `keys`; keys without a row are absent."""
        rows = self.look_up((projection, key) for key in keys)
        entries = {key: find_entry(projection, rows, key) for _, key in rows}
        return {key: entry for key, entry in entries.items() if entry is not None}

    async def get_by_prefix(self, projection: Projection[EventT], prefix: str) -> list[ProjectionEntry[EventT]]:
        """Returns the entries whose keys begin with `prefix`, ordered by key."""
        return list_entries(projection, self.look_up((), prefixes=((projection, prefix),)))

    def look_up(
        self, keys: Iterable[tuple[Projection[Any], str]], *, prefixes: Iterable[tuple[Projection[Any], str]] = ()
    ) -> Mapping[tuple[str, str], ProjectionRow]:
        """Returns rows of several projections by (projection, key): exact `keys`, and all keys with a prefix."""
        found: dict[tuple[str, str], ProjectionRow] = {}
        for projection, key in keys:
            row = self.memory.find(projection.name, key)
            self._seen[projection.name, key] = 0 if row is None else row.sequence
            if row is not None:
                found[projection.name, key] = row
        for projection, prefix in prefixes:
            found.update({(row.view, row.key): row for row in self.memory.list_by_prefix(projection.name, prefix)})
        return found

    def note_seen(self, sequences: Mapping[tuple[str, str], int]) -> None:
        """Records the sequences of entries that a derived value was made of; 0 is an entry without a row."""
        self._seen.update(sequences)

    def get_seen(self, view: str, key: str) -> int:
        """Returns the sequence at which this unit of work saw the entry; 0 if it had no row, or was not looked at."""
        return self._seen.get((view, key), 0)
