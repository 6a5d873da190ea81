"""A list that is sent out: its parts, to whom it goes, and its closing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice

from contracts.events.lists import (
    MAX_ROWS_OF_PART,
    AvailablePackagesIssued,
    BatchingListClosed,
    BatchingListIssued,
    ListKind,
    ListRecipient,
    ListRow,
    ListRowAdded,
    hash_rows,
)
from contracts.events.providers import EligibilityChanged, Place
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import BatchingList, OpenList
from contracts.ids import AreaCode, FrameworkKey, ListId, LotKey, PackageId, ProviderId, TierKey
from contracts.values import ListReach, PlaceState
from sourcing.domain.calendar import BrokerageCalendar
from sourcing.domain.list_calendar import ListDay, find_list_day_after


@dataclass(frozen=True)
class SentList:
    """A list of one framework, stage and day; `parts` counts what was sent of it."""

    list_id: ListId
    kind: ListKind
    framework: FrameworkKey
    stage: str
    day: date
    late: bool
    moved_from: date | None = None
    closes_at: datetime | None = None
    parts: int = 0
    closed_at: datetime | None = None


@dataclass(frozen=True)
class ListedRow:
    """A row of a list, with the package that providers never see by it."""

    package_id: PackageId
    row: ListRow
    providers: tuple[ProviderId, ...] = ()


def begin_list(event: ListRowAdded) -> SentList:
    """Begin a list with its first row."""
    return SentList(
        list_id=event.list_id,
        kind=event.kind,
        framework=event.framework,
        stage=event.stage,
        day=event.day,
        late=event.late,
        moved_from=event.moved_from,
        closes_at=event.closes_at,
    )


def to_listed_row(event: ListRowAdded) -> ListedRow:
    """Return what the list shows of a package that joins it."""
    row = ListRow(advert=event.advert, unit=event.unit, listed_since=event.listed_since)
    return ListedRow(event.package_id, row, event.providers)


def split_into_parts(rows: Sequence[ListedRow]) -> Iterator[Sequence[ListedRow]]:
    """Split the rows by the most that one event of a list can have."""
    remaining = iter(rows)
    while part := tuple(islice(remaining, MAX_ROWS_OF_PART)):
        yield part


def build_batching_list(
    sent: SentList,
    rows: Sequence[ListedRow],
    definition: FrameworkDefinition,
    market: Iterable[EligibilityChanged],
    *,
    at: datetime,
) -> tuple[SentList, BatchingListIssued]:
    """Build the next part of a Batching List.

    It goes to the providers of the stage that still have an active and eligible place in one of its tiers, each with
    the rows of the areas of those places.
    """
    assert sent.closes_at is not None, "a Batching List closes"
    after = replace(sent, parts=sent.parts + 1)
    shown = tuple(each.row for each in rows)
    issued = BatchingListIssued(
        list_id=sent.list_id,
        part=after.parts,
        framework=sent.framework,
        definition_version=definition.version,
        stage=sent.stage,
        day=sent.day,
        late=sent.late,
        issued_at=at,
        rows=shown,
        recipients=tuple(_find_ticking_providers(sent, rows, definition, market)),
        content_hash=hash_rows(sent.list_id, shown),
        closes_at=sent.closes_at,
    )
    return after, issued


def _find_ticking_providers(
    sent: SentList,
    rows: Sequence[ListedRow],
    definition: FrameworkDefinition,
    market: Iterable[EligibilityChanged],
) -> Iterator[ListRecipient]:
    stage = next(each for each in definition.sourcing if _makes_list(each, sent.stage))
    asked = _index_areas(rows)
    tiers = stage.to.tiers if isinstance(stage, BatchingList) else ()
    for provider in market:
        held = {
            (place.lot, place.area)
            for place in provider.places
            if place.framework == sent.framework and _can_be_asked(place, tiers)
        }
        areas = {area for lot, area in asked.get(provider.provider_id, set()) if (lot, area) in held}
        if areas:
            yield ListRecipient(provider_id=provider.provider_id, areas=_sort_areas(definition, areas))


def _makes_list(stage: object, name: str) -> bool:
    return isinstance(stage, BatchingList) and stage.stage == name


def _can_be_asked(place: Place, tiers: Sequence[TierKey]) -> bool:
    return place.state is PlaceState.ACTIVE and place.eligible and place.tier in tiers


def _index_areas(rows: Sequence[ListedRow]) -> Mapping[ProviderId, set[tuple[LotKey, AreaCode]]]:
    """Index the lots and areas of the rows by the providers to whom they are open."""
    found: dict[ProviderId, set[tuple[LotKey, AreaCode]]] = {}
    for each in rows:
        for provider in each.providers:
            found.setdefault(provider, set()).add((each.row.advert.lot, each.row.advert.area))
    return found


def build_available_list(
    sent: SentList,
    rows: Sequence[ListedRow],
    definition: FrameworkDefinition,
    market: Iterable[EligibilityChanged],
    *,
    at: datetime,
) -> tuple[SentList, AvailablePackagesIssued]:
    """Build the next part of a list of available packages, for everybody who may propose."""
    stage = definition.get_stage(sent.stage)
    assert isinstance(stage, OpenList), "available packages are on an open list"
    assert stage.issued is not None, "the open list goes out on days"
    calendar = BrokerageCalendar(definition.brokerage)
    this_day = ListDay(sent.day, calendar.to_instant(sent.day, stage.issued.time))
    after = replace(sent, parts=sent.parts + 1)
    shown = tuple(each.row for each in rows)
    issued = AvailablePackagesIssued(
        list_id=sent.list_id,
        part=after.parts,
        framework=sent.framework,
        definition_version=definition.version,
        stage=sent.stage,
        day=sent.day,
        late=sent.late,
        issued_at=at,
        rows=shown,
        recipients=tuple(_find_proposers(sent, stage, {row.advert.area for row in shown}, definition, market)),
        content_hash=hash_rows(sent.list_id, shown),
        moved_from=sent.moved_from,
        next_list_on=find_list_day_after(calendar, stage.issued, this_day).day,
    )
    return after, issued


def _find_proposers(
    sent: SentList,
    stage: OpenList,
    listed: set[AreaCode],
    definition: FrameworkDefinition,
    market: Iterable[EligibilityChanged],
) -> Iterator[ListRecipient]:
    """Find everybody who may propose, with the areas that it serves: all of the council, or those of listed areas."""
    for provider in market:
        places = [each.area for each in provider.places if each.framework == sent.framework and _is_active(each)]
        areas = {
            *(places if stage.members else ()),
            *(area for area in provider.spot_areas if stage.spot and definition.has_area(area)),
        }
        if areas and (stage.reach is ListReach.COUNCIL or areas & listed):
            yield ListRecipient(provider_id=provider.provider_id, areas=_sort_areas(definition, areas))


def _is_active(place: Place) -> bool:
    return place.state is PlaceState.ACTIVE


def _sort_areas(definition: FrameworkDefinition, areas: set[AreaCode]) -> tuple[AreaCode, ...]:
    """Sort areas as the definition has them."""
    return tuple(area.code for area in definition.areas if area.code in areas)


def build_closing(
    sent: SentList, rows: int, rows_with_interest: int, *, at: datetime
) -> tuple[SentList, BatchingListClosed]:
    """Build the closing of a Batching List; what follows for its packages is decided in their own streams."""
    closed = BatchingListClosed(
        list_id=sent.list_id,
        framework=sent.framework,
        day=sent.day,
        rows=rows,
        rows_with_interest=rows_with_interest,
    )
    return replace(sent, closed_at=at), closed
