"""The table of the officers' work list: one row for each item of a package, found by when it is due.

The rows of a package are replaced with the decision that changes them. A row keeps its id and the instant since which
it stands while its kind and subject stay the same.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter

from contracts.ids import CouncilKey
from sourcing.domain.competitions.work_items import BidsToScore, QuestionsToAnswer, ResultToConfirm
from sourcing.domain.search import Search
from sourcing.domain.work_items import (
    ActToApprove,
    AwardToApprove,
    CallToMake,
    ExhaustedSearch,
    HeldSearch,
    NoProposals,
    PausedSearch,
    ProposalsToDecide,
    WorkItem,
    find_due_time,
    find_subject,
    find_work_items,
)

TABLES: Final = """
CREATE TABLE work_items (
    item_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    package_id uuid NOT NULL REFERENCES searches,
    kind text NOT NULL,
    subject text NOT NULL,
    council text NOT NULL,
    framework text NOT NULL,
    area text NOT NULL,
    officer text,
    since timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    details jsonb NOT NULL,
    UNIQUE (package_id, kind, subject)
);
CREATE INDEX work_list ON work_items (council, due_at, item_id);
CREATE INDEX work_list_of_an_area ON work_items (council, area, due_at, item_id);
CREATE INDEX work_list_of_an_officer ON work_items (council, officer, due_at, item_id) WHERE officer IS NOT NULL;
"""
# Parts of the statement that saves searches (`searches.py`). They touch different rows: what is removed is not saved.
REMOVE_WORK_ITEMS: Final = """
    DELETE FROM work_items
    USING jsonb_to_recordset(:rows -> 'work_lists') AS changed(package_id uuid, kept text[])
    WHERE work_items.package_id = changed.package_id
      AND NOT (work_items.kind || '/' || work_items.subject = ANY(changed.kept))
"""
SAVE_WORK_ITEMS: Final = """
    INSERT INTO work_items (package_id, kind, subject, council, framework, area, officer, since, due_at, details)
    SELECT package_id, kind, subject, council, framework, area, officer, changed_at, coalesce(due, changed_at), details
    FROM jsonb_to_recordset(:rows -> 'work_lists') AS changed(
            package_id uuid, council text, framework text, area text, officer text, changed_at timestamptz,
            items jsonb),
        jsonb_to_recordset(changed.items) AS item(kind text, subject text, due timestamptz, details jsonb)
    ON CONFLICT (package_id, kind, subject) DO UPDATE SET
        framework = excluded.framework, area = excluded.area, officer = excluded.officer,
        details = excluded.details,
        due_at = CASE WHEN excluded.details ? 'due' THEN excluded.due_at ELSE work_items.due_at END
"""

KINDS: Final[Mapping[type[WorkItem], str]] = {
    ExhaustedSearch: "exhausted",
    HeldSearch: "held",
    PausedSearch: "paused",
    CallToMake: "call",
    ActToApprove: "act",
    AwardToApprove: "price",
    ProposalsToDecide: "proposals",
    NoProposals: "nobody proposes",
    QuestionsToAnswer: "questions",
    BidsToScore: "scores",
    ResultToConfirm: "result",
}
"""The kind of each item in the table. A new item is a class in `domain/work_items.py` and a line here."""
_ADAPTERS: Final[Mapping[str, TypeAdapter[WorkItem]]] = {kind: TypeAdapter(item) for item, kind in KINDS.items()}


def has_other_work(search: Search, before: Search | None) -> bool:
    """Return whether the package's rows differ from those before the step."""
    if before is None:
        return bool(find_work_items(search))
    return _describe(search) != _describe(before)


def build_work_list_row(search: Search, council: CouncilKey, *, at: datetime) -> Mapping[str, object]:
    """Build all rows of a package as one value; those that are not in it are removed."""
    items = [_build_item(item) for item in find_work_items(search)]
    return {
        "package_id": search.package_id,
        "council": council,
        "framework": search.care.framework,
        "area": search.care.area,
        "officer": search.acts.assigned_to,
        "changed_at": at,
        "items": items,
        "kept": [f"{item['kind']}/{item['subject']}" for item in items],
    }


def parse_work_item(row: Any) -> WorkItem:  # a row's attributes are its columns
    return _ADAPTERS[row.kind].validate_json(row.details)


def _describe(search: Search) -> tuple[object, ...]:
    care = search.care
    return find_work_items(search), care.framework, care.area, search.acts.assigned_to


def _build_item(item: WorkItem) -> Mapping[str, object]:
    subject = find_subject(item)
    return {
        "kind": KINDS[type(item)],
        "subject": "" if subject is None else str(subject),
        "due": find_due_time(item),
        "details": item,
    }
