"""What a replay of a package's decisions needs from the record: of which streams, and which of their events."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from audit.domain.evidence import list_source_positions
from audit.domain.lists_in_force import get_time
from audit.domain.records import StreamPosition
from audit.domain.trail import find_providers, list_events
from audit.domain.verification import VerifiedRecord
from contracts.catalogue import PACKAGES
from contracts.events.base import Event, HasProjectionVersions
from contracts.events.frameworks import FrameworkPublished, RankedListPublished, make_ranked_list_key
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    ProviderEmbargoed,
)
from contracts.events.rates import RatesSelected
from contracts.events.searches import PackagePlaced, PlacementVoided, StageEntered
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, FrameworkKey, LotKey, PlacementId, ProviderId
from contracts.values import Care

PROVIDER_FACTS: Final = (EligibilityChanged, ChannelsChanged, ProviderEmbargoed, EmbargoLifted, CapacityDeclared)
"""The events of the registry that decisions read; pricing's RatesSelected is the only other one."""


@dataclass(frozen=True)
class EvidenceScope:
    """The lot and the areas whose lists and places can matter to a package, in any version of the definition."""

    care: Care
    definitions: Sequence[FrameworkDefinition]

    @classmethod
    def from_published(cls, care: Care, published: Iterable[VerifiedRecord]) -> "EvidenceScope":
        events = list_events(published)
        return cls(care, [event.definition for event in events if isinstance(event, FrameworkPublished)])

    def list_areas(self) -> Sequence[AreaCode]:
        """Returns the package's area and its neighbours."""
        found = (definition.find_area(self.care.area) for definition in self.definitions)
        neighbours = {each for area in found if area is not None for each in area.neighbours}
        return [self.care.area, *sorted(neighbours - {self.care.area})]

    def list_ranked_list_keys(self) -> Sequence[str]:
        """Returns the stream keys of the lists of the package's lot and area, of all tiers and groups."""
        care = self.care
        keys = {
            make_ranked_list_key(care.framework, care.lot, care.area, tier.tier, group)
            for definition in self.definitions
            for tier in definition.tiers
            for group in (None, *(each.group for each in definition.list_groups))
        }
        return sorted(keys)

    def list_place_fragments(self) -> Sequence[bytes]:
        """Returns what the payload of an EligibilityChanged contains if it has a place in one of the areas."""
        care = self.care
        return [_encode_fragment(framework=care.framework, lot=care.lot, area=area) for area in self.list_areas()]

    def make_placement_fragment(self) -> bytes:
        """Returns what the payload of a PackagePlaced contains if it is in the package's area."""
        return _encode_fragment(area=self.care.area)


def _encode_fragment(**fields: str) -> bytes:
    """Returns consecutive fields as they are encoded within a payload (`contracts.catalogue.encode`)."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)[1:-1].encode()


def select_own_events(rows: Iterable[VerifiedRecord]) -> Sequence[VerifiedRecord]:
    """Returns the rows of the packages' topic; what was parked about the package is no part of its stream."""
    return [row for row in rows if row.entry.position.topic == PACKAGES]


def find_named_providers(rows: Iterable[VerifiedRecord], lists: Iterable[VerifiedRecord]) -> set[ProviderId]:
    """Returns every provider that the package's events or the ranked lists name."""
    ranked = (event.ranking for event in list_events(lists) if isinstance(event, RankedListPublished))
    return find_providers(list_events(rows)) | {each.provider_id for ranking in ranked for each in ranking}


def select_facts(
    facts: Sequence[VerifiedRecord], rows: Sequence[VerifiedRecord], care: Care
) -> Sequence[VerifiedRecord]:
    """Returns the facts that a decision about the package can have used, in the order of `facts`.

    Of each kind, those from its first event to its last, the one before, and those whose versions its events state.
    """
    first, last = min(map(get_time, rows)), max(map(get_time, rows))
    stated, latest = _list_stated_positions(rows), dict[tuple[object, ...], VerifiedRecord]()
    kept = set[int]()
    for row in facts:
        kind = _find_kind(row.entry.event, care)
        if kind is None:
            continue
        if get_time(row) < first:
            latest[kind] = row
        if first <= get_time(row) <= last or _get_position(row) in stated:
            kept.add(id(row))
    kept |= {id(row) for row in latest.values()}
    return [row for row in facts if id(row) in kept]


def _find_kind(event: Event | None, care: Care) -> tuple[object, ...] | None:
    """Returns what the event replaces the previous state of; None if it does not concern the package's framework."""
    match event:
        case CapacityDeclared():
            return ("capacity", event.provider_id) if event.area == care.area else None
        case RatesSelected():
            return ("rates", event.provider_id, event.area) if event.framework == care.framework else None
        case ProviderEmbargoed() | EmbargoLifted():
            return ("embargo", event.provider_id)
        case EligibilityChanged() | ChannelsChanged():
            return (type(event), event.provider_id)
        case _:
            return None


def _list_stated_positions(rows: Iterable[VerifiedRecord]) -> set[StreamPosition]:
    events = (row.entry.event for row in rows)
    views = (view for each in events if isinstance(each, HasProjectionVersions | StageEntered) for view in each.views)
    return set(list_source_positions(views))


def _get_position(row: VerifiedRecord) -> StreamPosition:
    assert row.entry.envelope is not None, "a row with an event has an envelope"
    return StreamPosition(row.entry.stream, row.entry.envelope.sequence)


@dataclass(frozen=True)
class Placement:
    """A placement of any package of the council in the area; nothing shows which package it is."""

    provider_id: ProviderId
    framework: FrameworkKey
    lot: LotKey
    area: AreaCode
    weekly_hours: Decimal
    at: datetime
    voided_at: datetime | None


def build_placements(
    placed: Sequence[VerifiedRecord], voided: Sequence[VerifiedRecord], *, area: AreaCode, until: datetime
) -> Sequence[Placement]:
    """Returns the placements in the area up to an instant, the earliest first."""
    ends = _index_ends(voided)
    found = [
        Placement(
            provider_id=event.provider_id,
            framework=event.framework,
            lot=event.lot,
            area=event.area,
            weekly_hours=event.weekly_hours,
            at=get_time(row),
            voided_at=ends.get(event.placement_id),
        )
        for row in placed
        if isinstance(event := row.entry.event, PackagePlaced) and event.area == area and get_time(row) <= until
    ]
    return sorted(found, key=lambda each: (each.at, each.provider_id))


def _index_ends(voided: Iterable[VerifiedRecord]) -> Mapping[PlacementId, datetime]:
    return {
        event.placement_id: get_time(row) for row in voided if isinstance(event := row.entry.event, PlacementVoided)
    }
