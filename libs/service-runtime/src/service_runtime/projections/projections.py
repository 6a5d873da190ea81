"""Projections: the newest event per key of other services' topics, so that a handler makes no call to them.

Missing is not empty: a key without a row has not been received yet. A stream that needs such a key *holds*; the update
of the key arms a timer for every holder in the same transaction. An advisory lock on (projection, key), shared by
holders (`apply_changes`) and exclusive for the updater, prevents a lost wake-up between the read and the hold.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import text

from contracts.catalogue import BY_TYPE, decode
from contracts.events.base import Event
from contracts.precedence import Precedence
from service_runtime.postgres.database import Connection

EventT = TypeVar("EventT", bound=Event)

PROJECTION_UPDATED: Final = "view-moved"
"""Kind of the timer that fires for a held stream after its projection was updated."""

_UPDATES: Final = "projections"
"""Name of the lock that one update holds at a time, so that the numbers of changes are in the order of commits."""
_MAX_DECODED: Final = 16_384
"""Size of the cache of decoded events; the providers of a district have about a hundred."""


@dataclass(frozen=True)
class Projection(Generic[EventT]):
    """A projection: its name, its event types, and the function that reads the key from an event.

    If it has several event types, such as `ProviderEmbargoed` and `EmbargoLifted`, a key's row is the last of them.
    """

    name: str
    event_types: tuple[type[EventT], ...]
    key: Callable[[EventT], str]


@dataclass(frozen=True)
class ProjectionEntry(Generic[EventT]):
    """A decoded entry of a projection: the event and its sequence number in its stream."""

    view: str
    key: str
    sequence: int
    event: EventT


@dataclass(frozen=True)
class ProjectionRow:
    """A row of a projection with the encoded event; `traceparent` is set only on rows to write."""

    view: str
    key: str
    sequence: int
    type: str
    body: bytes
    traceparent: str = ""


# OFFSET 0 forces a lookup by key for each row; otherwise the planner scans whole projections.
_READ = text(
    """
    SELECT requested.view, requested.key, sequence, type, body
    FROM unnest(CAST(:views AS text[]), CAST(:keys AS text[])) AS requested(view, key) CROSS JOIN LATERAL (
        SELECT sequence, type, body FROM projections
        WHERE projections.view = requested.view AND projections.key = requested.key OFFSET 0) AS held
    UNION ALL
    SELECT requested.view, held.key, sequence, type, body
    FROM unnest(CAST(:prefix_views AS text[]), CAST(:prefixes AS text[])) AS requested(view, prefix)
    CROSS JOIN LATERAL (
        SELECT key, sequence, type, body FROM projections
        WHERE projections.view = requested.view AND starts_with(projections.key, requested.prefix) OFFSET 0) AS held
    """
)
_LOCK_EXCLUSIVE = text(
    """
    SELECT pg_advisory_xact_lock(hashtextextended(name, 0))
    FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS requested(name, ordinal) ORDER BY ordinal
    """
)
# A concurrent update may have written a newer event: only a higher sequence of the same stream replaces a row.
_UPSERT = text(
    """
    INSERT INTO projections (view, key, sequence, type, body)
    SELECT * FROM unnest(CAST(:views AS text[]), CAST(:keys AS text[]), CAST(:sequences AS bigint[]),
                         CAST(:types AS text[]), CAST(:bodies AS bytea[]))
    ON CONFLICT (view, key) DO UPDATE
    SET sequence = excluded.sequence, type = excluded.type, body = excluded.body, change = DEFAULT
    WHERE excluded.sequence > projections.sequence
    """
)
# Each timer has a random `about`, so that the insert never waits for a timer that another transaction is handling.
# Its trace continues from the last update among those that its stream held for.
_RELEASE_HOLDS = text(
    """
    WITH released AS (
        DELETE FROM holds
        USING unnest(CAST(:views AS text[]), CAST(:keys AS text[]), CAST(:traceparents AS text[]),
                     CAST(:ordinals AS integer[])) AS updated(view, view_key, traceparent, ordinal)
        WHERE holds.view = updated.view AND holds.view_key = updated.view_key
        RETURNING holds.topic, holds.key, holds.council, updated.traceparent, updated.ordinal
    )
    INSERT INTO timers (topic, key, kind, about, due_at, precedence, council, armed_by, traceparent)
    SELECT DISTINCT ON (topic, key) topic, key, :kind, gen_random_uuid()::text, CAST(:now AS timestamptz),
           CAST(:precedence AS smallint), council, :kind, traceparent
    FROM released ORDER BY topic, key, ordinal DESC
    RETURNING id
    """
)


class ProjectionReader:
    """Reads projections from the table, for queries; decisions read them from memory (`memory.py`)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, projection: Projection[EventT], key: str) -> ProjectionEntry[EventT] | None:
        """Returns the projection's entry for `key`; None if it has no row."""
        return (await self.get_many(projection, (key,))).get(key)

    async def get_many(
        self, projection: Projection[EventT], keys: Iterable[str]
    ) -> Mapping[str, ProjectionEntry[EventT]]:
        """Returns the projection's entries for `keys` in one round trip; keys without a row are absent."""
        rows = await self.read((projection, key) for key in keys)
        return {key: _to_entry(projection, row) for (_, key), row in rows.items()}

    async def read(
        self, keys: Iterable[tuple[Projection[Any], str]], *, prefixes: Iterable[tuple[Projection[Any], str]] = ()
    ) -> Mapping[tuple[str, str], ProjectionRow]:
        """Returns rows of several projections in one round trip, by (projection, key).

        `keys` are exact, `prefixes` select all keys that begin so. `find_entry` and `list_entries` decode the rows.
        """
        names = sorted({(projection.name, key) for projection, key in keys})
        prefix_names = [(projection.name, prefix) for projection, prefix in prefixes]
        arguments = {
            "views": [view for view, _ in names],
            "keys": [key for _, key in names],
            "prefix_views": [view for view, _ in prefix_names],
            "prefixes": [prefix for _, prefix in prefix_names],
        }
        rows = await self._connection.execute(_READ, arguments)
        return {(row.view, row.key): ProjectionRow(row.view, row.key, row.sequence, row.type, row.body) for row in rows}

    async def get_by_prefix(self, projection: Projection[EventT], prefix: str) -> list[ProjectionEntry[EventT]]:
        """Returns the entries whose keys begin with `prefix`, ordered by key."""
        return list_entries(projection, await self.read((), prefixes=((projection, prefix),)))


async def upsert_rows(connection: Connection, rows: Iterable[ProjectionRow], *, now: datetime) -> bool:
    """Upserts newer rows and arms a timer for each stream that held for one; returns True if a hold was released.

    `rows` are in the order of their events: the timer of a stream that held for several follows from the last of them.
    """
    newest: dict[tuple[str, str], ProjectionRow] = {}
    for row in rows:
        earlier = newest.get((row.view, row.key))
        if earlier is None or row.sequence > earlier.sequence:
            newest.pop((row.view, row.key), None)  # so that the row is inserted last
            newest[row.view, row.key] = row
    ordinals = {name: ordinal for ordinal, name in enumerate(newest)}
    ordered = [newest[name] for name in sorted(newest)]
    names = {"views": [row.view for row in ordered], "keys": [row.key for row in ordered]}
    locks = [_UPDATES, *(_build_lock_name(row.view, row.key) for row in ordered)]
    await connection.execute(_LOCK_EXCLUSIVE, {"names": locks})
    await connection.execute(
        _UPSERT,
        {
            **names,
            "sequences": [row.sequence for row in ordered],
            "types": [row.type for row in ordered],
            "bodies": [row.body for row in ordered],
        },
    )
    released = await connection.execute(
        _RELEASE_HOLDS,
        {
            **names,
            "traceparents": [row.traceparent for row in ordered],
            "ordinals": [ordinals[row.view, row.key] for row in ordered],
            "kind": PROJECTION_UPDATED,
            "now": now,
            "precedence": int(Precedence.FACT),
        },
    )
    return released.first() is not None


def build_row(projection: Projection[EventT], event: EventT, *, sequence: int, traceparent: str = "") -> ProjectionRow:
    """Builds the row of `event` in `projection`."""
    body = event.model_dump_json().encode()
    return ProjectionRow(projection.name, projection.key(event), sequence, event.get_type_name(), body, traceparent)


def _build_lock_name(view: str, key: str) -> str:
    return f"{view}/{key}"


def find_entry(
    projection: Projection[EventT], rows: Mapping[tuple[str, str], ProjectionRow], key: str
) -> ProjectionEntry[EventT] | None:
    """Returns the projection's entry for `key` from the result of `read`; None if it has no row."""
    row = rows.get((projection.name, key))
    return None if row is None else _to_entry(projection, row)


def list_entries(
    projection: Projection[EventT], rows: Mapping[tuple[str, str], ProjectionRow]
) -> list[ProjectionEntry[EventT]]:
    """Returns all entries of the projection from the result of `read`, ordered by key."""
    return [_to_entry(projection, row) for name, row in sorted(rows.items()) if name[0] == projection.name]


def _to_entry(projection: Projection[EventT], row: ProjectionRow) -> ProjectionEntry[EventT]:
    event = _decode_event(row.type, row.body)
    assert isinstance(event, projection.event_types), "a projection has events of its own types only"
    return ProjectionEntry(projection.name, row.key, row.sequence, event)


@lru_cache(maxsize=_MAX_DECODED)
def _decode_event(type_name: str, body: bytes) -> Event:
    """Decodes an event. Cached, because decisions read the same entries repeatedly."""
    return decode(BY_TYPE[type_name].event, body)
