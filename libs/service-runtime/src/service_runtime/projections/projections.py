"""Projections: the newest event per key of other services' topics, so that a decision needs no call to them.

Missing is not empty: a key without a row has not been received yet. A stream that needs such a key *holds*; the update
of the key arms a timer for every holder in the same transaction. An advisory lock on (projection, key), shared by
holders and exclusive for the updater, prevents a lost wake-up between the read and the hold.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import text

from contracts.catalogue import BY_TYPE, decode
from contracts.events.base import Event
from service_runtime.postgres.database import Connection
from service_runtime.timers.timers import Precedence
from service_runtime.unit_of_work.streams import StreamKey

EventT = TypeVar("EventT", bound=Event)

PROJECTION_UPDATED: Final = "view-moved"
"""Kind of the timer that wakes a stream held for a projection."""


_MAX_DECODED: Final = 4_096
"""Entries, the least used of which are decoded again: a district's providers have about a hundred."""


@dataclass(frozen=True)
class Projection(Generic[EventT]):
    """A named view over one or more event types, keyed by what `key` reads from the event.

    Give related types a common base (`ProviderEmbargoed` and `EmbargoLifted`) and the view holds whichever came last.
    """

    name: str
    event_types: tuple[type[EventT], ...]
    key: Callable[[EventT], str]


@dataclass(frozen=True)
class ProjectionEntry(Generic[EventT]):
    """What a view holds for one key: the event, and where in its stream it stood."""

    view: str
    key: str
    sequence: int
    event: EventT


@dataclass(frozen=True)
class ProjectionRow:
    """One event on its way into a view, or out of it again; what it follows from is known on its way in only."""

    view: str
    key: str
    sequence: int
    type: str
    body: bytes
    traceparent: str = ""


# OFFSET 0 has each row looked up by its key: left to itself, the planner reads whole views.
_READ = text(
    """
    SELECT wanted.view, wanted.key, sequence, type, body
    FROM unnest(CAST(:views AS text[]), CAST(:keys AS text[])) AS wanted(view, key) CROSS JOIN LATERAL (
        SELECT sequence, type, body FROM projections
        WHERE projections.view = wanted.view AND projections.key = wanted.key OFFSET 0) AS held
    UNION ALL
    SELECT wanted.view, held.key, sequence, type, body
    FROM unnest(CAST(:views_under AS text[]), CAST(:prefixes AS text[])) AS wanted(view, prefix) CROSS JOIN LATERAL (
        SELECT key, sequence, type, body FROM projections
        WHERE projections.view = wanted.view AND starts_with(projections.key, wanted.prefix) OFFSET 0) AS held
    """
)
_LOCK_SHARED = text(
    """
    SELECT pg_advisory_xact_lock_shared(hashtextextended(name, 0))
    FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS wanted(name, ordinal) ORDER BY ordinal
    """
)
_LOCK_EXCLUSIVE = text(
    """
    SELECT pg_advisory_xact_lock(hashtextextended(name, 0))
    FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS wanted(name, ordinal) ORDER BY ordinal
    """
)
_MOVED = text(
    """
    SELECT 1
    FROM unnest(CAST(:views AS text[]), CAST(:keys AS text[]), CAST(:seen AS bigint[])) AS wanted(view, key, seen)
    JOIN projections USING (view, key) WHERE projections.sequence > wanted.seen
    """
)
_HOLD = text(
    """
    INSERT INTO holds (view, view_key, topic, key, council)
    SELECT view, view_key, :topic, :key, :council
    FROM unnest(CAST(:views AS text[]), CAST(:keys AS text[])) AS wanted(view, view_key) ON CONFLICT DO NOTHING
    """
)
# A view may have moved again while we looked: only a higher sequence of the same stream replaces what is there.
_UPSERT = text(
    """
    INSERT INTO projections (view, key, sequence, type, body)
    SELECT * FROM unnest(CAST(:views AS text[]), CAST(:keys AS text[]), CAST(:sequences AS bigint[]),
                         CAST(:types AS text[]), CAST(:bodies AS bytea[]))
    ON CONFLICT (view, key) DO UPDATE
    SET sequence = excluded.sequence, type = excluded.type, body = excluded.body
    WHERE excluded.sequence > projections.sequence
    """
)
# Each wake-up has a name of its own, so that it never waits for a timer that another transaction is just taking.
# It follows from the last of the news that its stream held for.
_WAKE_HOLDERS = text(
    """
    WITH released AS (
        DELETE FROM holds
        USING unnest(CAST(:views AS text[]), CAST(:keys AS text[]), CAST(:traceparents AS text[]),
                     CAST(:places AS integer[])) AS moved(view, view_key, traceparent, place)
        WHERE holds.view = moved.view AND holds.view_key = moved.view_key
        RETURNING holds.topic, holds.key, holds.council, moved.traceparent, moved.place
    )
    INSERT INTO timers (topic, key, kind, about, due_at, precedence, council, armed_by, traceparent)
    SELECT DISTINCT ON (topic, key) topic, key, :kind, gen_random_uuid()::text, CAST(:now AS timestamptz),
           CAST(:precedence AS smallint), council, :kind, traceparent
    FROM released ORDER BY topic, key, place DESC
    RETURNING id
    """
)


class ProjectionReader:
    """Reading views inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seen: dict[tuple[str, str], int] = {}

    async def get(self, view: Projection[EventT], key: str) -> ProjectionEntry[EventT] | None:
        """What the view holds for `key`; None while nothing was heard."""
        return (await self.get_many(view, (key,))).get(key)

    async def get_many(self, view: Projection[EventT], keys: Iterable[str]) -> Mapping[str, ProjectionEntry[EventT]]:
        """Returns the projection's entries for `keys` in one round trip; keys without a row are absent."""
        rows = await self.read((view, key) for key in keys)
        return {key: _to_entry(view, row) for (_, key), row in rows.items()}

    async def read(
        self, keys: Iterable[tuple[Projection[Any], str]], *, prefixes: Iterable[tuple[Projection[Any], str]] = ()
    ) -> Mapping[tuple[str, str], ProjectionRow]:
        """Returns rows of several projections in one round trip, by (projection, key).

        `keys` are exact, `prefixes` select all keys that begin so. `find_entry` and `list_entries` decode the rows.
        """
        names = sorted({(view.name, key) for view, key in keys})
        prefix_names = [(view.name, prefix) for view, prefix in prefixes]
        arguments = {
            "views": [view for view, _ in names],
            "keys": [key for _, key in names],
            "views_under": [view for view, _ in prefix_names],
            "prefixes": [prefix for _, prefix in prefix_names],
        }
        rows = await self._connection.execute(_READ, arguments)
        found = {
            (row.view, row.key): ProjectionRow(row.view, row.key, row.sequence, row.type, row.body) for row in rows
        }
        self._seen.update({name: found[name].sequence if name in found else 0 for name in names})
        return found

    async def get_by_prefix(self, view: Projection[EventT], prefix: str) -> list[ProjectionEntry[EventT]]:
        """Returns the entries whose keys begin with `prefix`, ordered by key."""
        return list_entries(view, await self.read((), prefixes=((view, prefix),)))

    async def hold(self, stream: StreamKey, council: str, missing: Sequence[tuple[str, str]]) -> bool:
        """Holds the stream until one of `missing` (projection, key) is updated.

        Returns False if one was updated since this unit of work read it.
        """
        keys = sorted(set(missing))
        arguments = {"views": [view for view, _ in keys], "keys": [key for _, key in keys]}
        await self._connection.execute(_LOCK_SHARED, {"names": [_lock_name(view, key) for view, key in keys]})
        seen = [self._seen.get(name, 0) for name in keys]
        if (await self._connection.execute(_MOVED, {**arguments, "seen": seen})).first() is not None:
            return False
        await self._connection.execute(
            _HOLD, {**arguments, "topic": stream.topic, "key": stream.key, "council": council}
        )
        return True


async def upsert_rows(connection: Connection, rows: Iterable[ProjectionRow], *, now: datetime) -> bool:
    """Brings views up to date and wakes who held for them; True when somebody was woken.

    `said` comes in the order in which it was said: whoever held for several things is woken by the last of them.
    """
    newest: dict[tuple[str, str], ProjectionRow] = {}
    for one in rows:
        before = newest.get((one.view, one.key))
        if before is None or one.sequence > before.sequence:
            newest.pop((one.view, one.key), None)  # it takes its place anew, behind what was said before it
            newest[one.view, one.key] = one
    places = {name: place for place, name in enumerate(newest)}
    ordered = [newest[name] for name in sorted(newest)]
    names = {"views": [one.view for one in ordered], "keys": [one.key for one in ordered]}
    await connection.execute(_LOCK_EXCLUSIVE, {"names": [_lock_name(one.view, one.key) for one in ordered]})
    await connection.execute(
        _UPSERT,
        {
            **names,
            "sequences": [one.sequence for one in ordered],
            "types": [one.type for one in ordered],
            "bodies": [one.body for one in ordered],
        },
    )
    woken = await connection.execute(
        _WAKE_HOLDERS,
        {
            **names,
            "traceparents": [one.traceparent for one in ordered],
            "places": [places[one.view, one.key] for one in ordered],
            "kind": PROJECTION_UPDATED,
            "now": now,
            "precedence": int(Precedence.FACT),
        },
    )
    return woken.first() is not None


def build_row(view: Projection[EventT], event: EventT, *, sequence: int, traceparent: str = "") -> ProjectionRow:
    """The row that `event` becomes in `view`."""
    body = event.model_dump_json().encode()
    return ProjectionRow(view.name, view.key(event), sequence, event.type_name(), body, traceparent)


def _lock_name(view: str, key: str) -> str:
    return f"{view}/{key}"


def find_entry(
    view: Projection[EventT], rows: Mapping[tuple[str, str], ProjectionRow], key: str
) -> ProjectionEntry[EventT] | None:
    """What `view` holds for `key` among what was `read`; None where nothing was heard."""
    one = rows.get((view.name, key))
    return None if one is None else _to_entry(view, one)


def list_entries(
    view: Projection[EventT], rows: Mapping[tuple[str, str], ProjectionRow]
) -> list[ProjectionEntry[EventT]]:
    """All of `view` among what was `read`, by key."""
    return [_to_entry(view, one) for name, one in sorted(rows.items()) if name[0] == view.name]


def _to_entry(view: Projection[EventT], row: ProjectionRow) -> ProjectionEntry[EventT]:
    event = _decode_event(row.type, row.body)
    assert isinstance(event, view.event_types), "a view holds events of its own types only"
    return ProjectionEntry(view.name, row.key, row.sequence, event)


@lru_cache(maxsize=_MAX_DECODED)
def _decode_event(type_name: str, body: bytes) -> Event:
    """Decisions read the same entries again and again, and the same bytes are always the same event."""
    return decode(BY_TYPE[type_name].event, body)
