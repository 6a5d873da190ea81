"""Invented lists of packages, and workbooks as people build them by hand."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final
from uuid import UUID

from xlsxwriter import Workbook

from contracts.events.listings import Advert
from contracts.events.lists import ListKind, ListRow
from contracts.example_words import LOT
from contracts.ids import AreaCode, ListId, ListingReference, NeedKey, ReasonKey, ServiceTypeKey, UnitKey
from contracts.values import AgeBand
from list_documents import DocumentRow, ListDocument, Variation

LIST_ID: Final = ListId(UUID("7b0c1f7e-5c2f-4b52-9a63-0d5f3a1c2e41"))
ISSUED_AT: Final = datetime(2026, 4, 7, 15, tzinfo=UTC)
"""16:00 in London, on the Tuesday after Easter."""
CLOSES_AT: Final = datetime(2026, 4, 8, 9, tzinfo=UTC)
OTHER_TIMES: Final = Variation(ReasonKey("other-times"), "At other times of day")
SHARED: Final = Variation(ReasonKey("shared"), "Shared with another provider")

Cells = Sequence[str | float | Decimal | date | None]


def a_reference(number: int) -> UUID:
    """A random-looking reference, the same for the same number."""
    return UUID(int=(0xA5A5A5A5 << 96) + number * 0x9E3779B97F4A7C15 % (1 << 64), version=4)


def a_row(number: int = 1, **changed: object) -> DocumentRow:
    usual = DocumentRow(
        reference=a_reference(number),
        area="Northmoor",
        outward_code="CO1",
        age_band="75 to 84",
        carers_wanted="any",
        service_type="Personal care",
        weekly_hours=Decimal("14.00"),
        carers_at_once=1,
        skills=("Dementia", "Moving and handling"),
        unit="hour",
        listed_since=date(2026, 4, 2),
    )
    return replace(usual, **changed)


def a_batching_list(*rows: DocumentRow, **changed: object) -> ListDocument:
    """A Batching List of three packages unless `rows` are given; it closes at 10:00 on the next day."""
    shown = rows or tuple(a_row(number) for number in (1, 2, 3))
    usual = ListDocument(
        list_id=LIST_ID,
        kind=ListKind.BATCHING_LIST,
        title="Batching List of Tue 7 Apr 2026",
        framework="Invented Framework 2026",
        issued_at=ISSUED_AT,
        closes_at=CLOSES_AT,
        moved_from=None,
        next_list_on=None,
        recipient_areas=("Northmoor",),
        rows=shown,
        content=_list_content(shown),
    )
    return replace(usual, **changed)


def an_available_packages_list(*rows: DocumentRow, **changed: object) -> ListDocument:
    """An Available Packages list of three packages, moved from Easter Monday, with two other ways to deliver."""
    shown = rows or tuple(a_row(number) for number in (1, 2, 3))
    usual = ListDocument(
        list_id=LIST_ID,
        kind=ListKind.AVAILABLE_PACKAGES,
        title="Available Packages list of Tue 7 Apr 2026",
        framework="Invented Framework 2026",
        issued_at=datetime(2026, 4, 7, 11, tzinfo=UTC),
        closes_at=None,
        moved_from=date(2026, 4, 6),
        next_list_on=date(2026, 4, 9),
        recipient_areas=("Northmoor",),
        rows=shown,
        content=_list_content(shown),
        variations=(OTHER_TIMES, SHARED),
    )
    return replace(usual, **changed)


def _list_content(rows: Iterable[DocumentRow]) -> tuple[ListRow, ...]:
    """The rows as they could have been issued; titles stand for keys."""
    return tuple(
        ListRow(
            advert=Advert(
                reference=ListingReference(row.reference),
                lot=LOT,
                area=AreaCode(row.area),
                outward_code=row.outward_code,
                age_band=AgeBand.FROM_75,
                carer_gender=None,
                service_type=ServiceTypeKey(row.service_type),
                weekly_hours=row.weekly_hours,
                carers_at_once=row.carers_at_once,
                skills=tuple(map(NeedKey, row.skills)),
            ),
            unit=UnitKey(row.unit),
            listed_since=datetime.combine(row.listed_since, time(), UTC),
        )
        for row in rows
    )


def build_workbook(*sheets: Iterable[Cells], date_1904: bool = False) -> bytes:
    """A workbook with typed cells, one argument a sheet; `date_1904` as old Macintoshes count days."""
    content = io.BytesIO()
    with Workbook(content, {"in_memory": True, "date_1904": date_1904}) as workbook:
        day_format = workbook.add_format({"num_format": "dd/mm/yyyy"})
        for rows in sheets:
            sheet = workbook.add_worksheet()
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, bool):
                        sheet.write_boolean(row, column, cell)
                    elif isinstance(cell, str):
                        sheet.write_string(row, column, cell)
                    elif isinstance(cell, date):
                        sheet.write_datetime(row, column, cell, day_format)
                    elif cell is not None:
                        sheet.write_number(row, column, cell)
    return content.getvalue()
