"""The tables of lists that are sent out and of their rows.

A row is written with the decision that puts its package on the list; the list itself is a stream of its own, which
reads the rows when all packages that are due have joined it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from contracts.catalogue import LISTS
from contracts.events.lists import ListIssued, ListKind, ListRowAdded
from contracts.events.providers import EligibilityChanged
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import FrameworkKey, ListId
from contracts.precedence import Precedence
from service_runtime.projections.projections import find_entry, list_entries
from service_runtime.timers.timers import Timer
from service_runtime.unit_of_work.loading import StateQuery
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from sourcing.domain.sent_list import ListedRow, SentList, begin_list, to_listed_row
from sourcing.domain.steps import TimerKind
from sourcing.ports import DEFINITIONS, ELIGIBILITY, SEND_LIST

TABLES: Final = """
CREATE TABLE lists (
    list_id uuid PRIMARY KEY,
    council text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('batching-list', 'available-packages')),
    framework text NOT NULL,
    stage text NOT NULL,
    day date NOT NULL,
    late boolean NOT NULL,
    moved_from date,
    closes_at timestamptz,
    parts integer NOT NULL,
    issued_at timestamptz NOT NULL,
    closed_at timestamptz
);
CREATE INDEX lists_of_a_council ON lists (council, issued_at DESC, list_id DESC);
CREATE TABLE list_rows (
    reference uuid PRIMARY KEY,
    list_id uuid NOT NULL,
    package_id uuid NOT NULL REFERENCES searches,
    council text NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    added jsonb NOT NULL,
    part integer
);
CREATE TABLE list_recipients (
    list_id uuid NOT NULL,
    part integer NOT NULL,
    provider_id uuid NOT NULL,
    areas text[] NOT NULL,
    PRIMARY KEY (list_id, provider_id, part)
);
CREATE INDEX lists_of_a_provider ON list_recipients (provider_id, list_id);
CREATE INDEX rows_of_a_list ON list_rows (list_id, position);
CREATE INDEX rows_of_a_package ON list_rows (package_id, position);
"""
# Parts of the statement that saves searches (`searches.py`).
SAVE_LIST_ROWS: Final = """
    INSERT INTO list_rows (reference, list_id, package_id, council, added)
    SELECT reference, list_id, package_id, council, added
    FROM jsonb_to_recordset(:rows -> 'list_rows') AS new_row(
        reference uuid, list_id uuid, package_id uuid, council text, added jsonb)
    ON CONFLICT (reference) DO NOTHING
"""
SAVE_LIST_RECIPIENTS: Final = """
    INSERT INTO list_recipients
    SELECT * FROM jsonb_populate_recordset(CAST(NULL AS list_recipients), :rows -> 'list_recipients')
    ON CONFLICT (list_id, provider_id, part) DO NOTHING
"""
SAVE_LISTS: Final = """
    INSERT INTO lists SELECT * FROM jsonb_populate_recordset(CAST(NULL AS lists), :rows -> 'lists')
    ON CONFLICT (list_id) DO UPDATE SET parts = excluded.parts, closed_at = excluded.closed_at
"""
_TO_COME = text(
    """
    SELECT EXISTS (
        SELECT 1 FROM timers WHERE kind = :kind AND council = :council AND due_at <= :now AND NOT EXISTS (
            SELECT 1 FROM streams WHERE streams.topic = timers.topic AND streams.key = timers.key
                                    AND streams.parked_because IS NOT NULL)
    ) AS some
    """
)
_UNSENT = text(
    """
    SELECT package_id, CAST(added AS text) FROM list_rows
    WHERE list_id = :list_id AND part IS NULL ORDER BY position
    """
)
_MARK_SENT = text("UPDATE list_rows SET part = :part WHERE reference = ANY(:references) AND part IS NULL")
_COUNTS = text(
    """
    SELECT count(*) AS rows,
           count(*) FILTER (WHERE jsonb_array_length(searches.batching -> 'ticks') > 0) AS rows_with_interest
    FROM list_rows JOIN searches USING (package_id) WHERE list_id = :list_id
    """
)
LIST_COLUMNS: Final = "list_id, kind, framework, stage, day, late, moved_from, closes_at, parts, closed_at"
_JOINING_TIMERS: Final = {
    ListKind.BATCHING_LIST: TimerKind.LIST_CUT_OFF,
    ListKind.AVAILABLE_PACKAGES: TimerKind.LIST_GOES_OUT,
}
"""The timers by which packages join a list."""


def parse_list(row: Any) -> SentList | None:  # a row's attributes are its columns
    if row.list_id is None:
        return None
    return SentList(
        list_id=ListId(row.list_id),
        kind=ListKind(row.kind),
        framework=FrameworkKey(row.framework),
        stage=row.stage,
        day=row.day,
        late=row.late,
        moved_from=row.moved_from,
        closes_at=row.closes_at,
        parts=row.parts,
        closed_at=row.closed_at,
    )


LIST_STATE: Final = StateQuery(
    LISTS,
    f"SELECT {LIST_COLUMNS} FROM lists WHERE lists.list_id = wanted.id",  # noqa: S608  our own columns
    parse_list,
)
"""The list of each list's stream."""


class PostgresLists:
    """Repository of lists; the list of the unit of work's own stream is its state."""

    def __init__(self, work: PostgresUnitOfWork) -> None:
        self._work = work

    def add_row(self, event: ListRowAdded) -> None:
        """Add a row in the stream of its package, and have the list sent when all packages have joined it."""
        row = {
            "reference": event.advert.reference,
            "list_id": event.list_id,
            "package_id": event.package_id,
            "council": self._work.cause.council,
            "added": event,
        }
        self._work.put_row("list_rows", event.advert.reference, row)
        about = str(event.list_id)
        timer = Timer(SEND_LIST, about, self._work.now, Precedence.LIST_SENT)
        self._work.schedule_on(StreamKey(LISTS, about), timer)

    def get(self) -> SentList | None:
        """Return the list of this stream; None before its first part was sent."""
        sent: SentList | None = self._work.state
        return sent

    async def list_unsent_rows(self, list_id: ListId) -> tuple[SentList, Sequence[ListedRow]] | None:
        """List the rows that no part has yet, with the list as they describe it; None without any."""
        rows = await self._work.execute(_UNSENT, {"list_id": list_id})
        added = [ListRowAdded.model_validate_json(row.added) for row in rows]
        if not added:
            return None
        return self.get() or begin_list(added[0]), [to_listed_row(event) for event in added]

    async def has_rows_to_come(self, sent: SentList) -> bool:
        """Return whether a package of this council still has to join lists of this kind that are due."""
        arguments = {
            "kind": _JOINING_TIMERS[sent.kind].value,
            "council": self._work.cause.council,
            "now": self._work.now,
        }
        return bool((await self._work.execute(_TO_COME, arguments)).one().some)

    async def count_rows(self, list_id: ListId) -> tuple[int, int]:
        """Count the list's rows, and those that at least one provider ticked."""
        row = (await self._work.execute(_COUNTS, {"list_id": list_id})).one()
        return row.rows, row.rows_with_interest

    def save(self, sent: SentList, *, issued_at: datetime) -> None:
        self._work.state = sent
        row = {
            "list_id": sent.list_id,
            "council": self._work.cause.council,
            "kind": sent.kind.value,
            "framework": sent.framework,
            "stage": sent.stage,
            "day": sent.day,
            "late": sent.late,
            "moved_from": sent.moved_from,
            "closes_at": sent.closes_at,
            "parts": sent.parts,
            "issued_at": issued_at,
            "closed_at": sent.closed_at,
        }
        self._work.put_row("lists", sent.list_id, row)

    def mark_sent(self, rows: Sequence[ListedRow], issued: ListIssued) -> None:
        """Record that these rows are in a part that was sent, and to whom it goes."""
        part = issued.part
        for each in issued.recipients:
            key = (issued.list_id, each.provider_id, part)
            row = {"list_id": issued.list_id, "part": part, "provider_id": each.provider_id, "areas": each.areas}
            self._work.put_row("list_recipients", key, row)
        references = [each.row.advert.reference for each in rows]
        self._work.write(_MARK_SENT, {"part": part, "references": references}, rows=len(references))

    def find_definition(self, framework: FrameworkKey) -> FrameworkDefinition | None:
        """Find the newest version of the framework's definition."""
        rows = self._work.projections.look_up([(DEFINITIONS, framework)])
        found = find_entry(DEFINITIONS, rows, framework)
        return None if found is None else found.event.definition

    def list_market(self) -> Sequence[EligibilityChanged]:
        """List what every provider may be offered, in the order of their ids."""
        rows = self._work.projections.look_up((), prefixes=[(ELIGIBILITY, "")])
        return sorted((entry.event for entry in list_entries(ELIGIBILITY, rows)), key=lambda each: each.key)
