"""Builds the document of a list from its issued rows: words become titles, rows get an order."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from contracts.events.lists import ListKind, ListRow
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.titles import Titles
from contracts.ids import AreaCode, ListId
from contracts.office_time import to_office_date
from contracts.values import AgeBand, CarerGender
from list_documents.document import DocumentRow, ListDocument, Variation
from list_documents.wording import format_title

_AGES: Final[Mapping[AgeBand, str]] = {band: band.value.replace("-", " to ") for band in AgeBand}
"""A spreadsheet can take `10-12` for a date."""
_INVISIBLE: Final = frozenset({"Cc", "Cf"})


@dataclass(frozen=True, slots=True)
class Issue:
    """What one issue of a list has apart from its packages; fields as those of the document."""

    list_id: ListId
    kind: ListKind
    issued_at: datetime
    closes_at: datetime | None = None
    moved_from: date | None = None
    next_list_on: date | None = None
    title: str | None = None
    """None: the usual name of the list, with its day."""


def build_document(
    issue: Issue,
    rows: Iterable[ListRow],
    definition: FrameworkDefinition,
    *,
    served_areas: Collection[AreaCode] = (),
) -> ListDocument:
    """Builds the document of the `rows` that a provider gets; those of `served_areas` stand first.

    Within an area, packages stand by the day since which they are listed, then by service type and reference.
    """
    titles = Titles(definition)
    areas = [area.code for area in definition.areas if area.code in served_areas]
    content = tuple(rows)
    ordered = sorted(content, key=lambda row: _get_place_in_list(row, definition, areas))
    variations = definition.reasons.variation if issue.kind is ListKind.AVAILABLE_PACKAGES else ()
    return ListDocument(
        list_id=issue.list_id,
        kind=issue.kind,
        title=clean_text(issue.title or format_title(issue.kind, issue.issued_at)),
        framework=clean_text(definition.title),
        issued_at=issue.issued_at,
        closes_at=issue.closes_at,
        moved_from=issue.moved_from,
        next_list_on=issue.next_list_on,
        recipient_areas=tuple(clean_text(titles.get_area(code)) for code in areas),
        rows=tuple(_build_row(row, titles) for row in ordered),
        content=content,
        variations=tuple(Variation(each.reason, clean_text(each.title)) for each in variations),
    )


def clean_text(text: str) -> str:
    """Returns the text on one line, without control characters and without invisible ones that reverse its order."""
    spaced = "".join(" " if character.isspace() else character for character in text)
    return " ".join("".join(each for each in spaced if unicodedata.category(each) not in _INVISIBLE).split())


def _get_place_in_list(
    row: ListRow, definition: FrameworkDefinition, served: list[AreaCode]
) -> tuple[bool, int, date, str, UUID]:
    advert = row.advert
    codes = [area.code for area in definition.areas]
    position = codes.index(advert.area) if advert.area in codes else len(codes)
    listed_on = to_office_date(row.listed_since)
    return advert.area not in served, position, listed_on, advert.service_type, advert.reference


def _build_row(row: ListRow, titles: Titles) -> DocumentRow:
    advert = row.advert
    return DocumentRow(
        reference=advert.reference,
        area=clean_text(titles.get_area(advert.area)),
        outward_code=advert.outward_code,
        age_band=_AGES[advert.age_band],
        carers_wanted=(advert.carer_gender or CarerGender.ANY).value,
        service_type=clean_text(titles.get_service_type(advert.service_type)),
        weekly_hours=advert.weekly_hours,
        carers_at_once=advert.carers_at_once,
        skills=tuple(clean_text(titles.get_need(skill)) for skill in advert.skills),
        unit=clean_text(titles.get_unit(row.unit)),
        listed_since=to_office_date(row.listed_since),
    )
