"""A list of packages as a document: what one provider gets, in words for people. It never says who a person is."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from contracts.events.lists import ListKind, ListRow
from contracts.ids import ListId, ReasonKey


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One package. All texts are titles of the framework's definition; the ceiling and the person are not on it."""

    reference: UUID
    area: str
    outward_code: str | None
    age_band: str
    carers_wanted: str
    service_type: str
    weekly_hours: Decimal
    carers_at_once: int
    skills: tuple[str, ...]
    unit: str
    """What a rate is for."""
    listed_since: date


@dataclass(frozen=True, slots=True)
class Variation:
    """Another way to deliver that a provider may propose."""

    key: ReasonKey
    title: str


@dataclass(frozen=True, slots=True)
class ListDocument:
    """One list for one recipient; its rows stand in the order in which the recipient reads them.

    An empty list is never issued, and a list has each reference once: both raise ValueError, as does an instant
    without a time zone or a Batching List without an instant at which it closes.
    """

    list_id: ListId
    kind: ListKind
    title: str
    framework: str
    issued_at: datetime
    closes_at: datetime | None
    """The last instant, inclusive, at which a return counts; None where it counts until a package is placed."""
    moved_from: date | None
    """The list's usual day, where that was a bank holiday."""
    next_list_on: date | None
    recipient_areas: tuple[str, ...]
    """The areas that the recipient serves; their rows stand first."""
    rows: tuple[DocumentRow, ...]
    content: tuple[ListRow, ...]
    """The same rows as they were issued, in that order; the content hash is theirs."""
    variations: tuple[Variation, ...] = ()

    def __post_init__(self) -> None:
        if not self.rows:
            raise ValueError("an empty list is not issued; build a document with at least one row")
        if len({row.reference for row in self.rows}) != len(self.rows):
            raise ValueError("a reference stands twice; give each package a reference of its own")
        if {row.reference for row in self.rows} != {row.advert.reference for row in self.content}:
            raise ValueError("rows and content differ; build the rows from the content")
        if self.kind is ListKind.BATCHING_LIST and self.closes_at is None:
            raise ValueError("a Batching List says until when it is returned; give closes_at")
        if any(at is not None and at.utcoffset() is None for at in (self.issued_at, self.closes_at)):
            raise ValueError("issued_at and closes_at need a time zone")

    @property
    def asks_for_rates(self) -> bool:
        return self.kind is ListKind.AVAILABLE_PACKAGES
