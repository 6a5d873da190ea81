"""The route with everything that a replay of a package's decisions needs, from the record alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, JsonValue

from audit.api.callers import Archives, Queries, Reader
from audit.api.loading import load_package_rows, load_verified
from audit.domain.lists_in_force import find_care, get_time
from audit.domain.replay_evidence import (
    PROVIDER_FACTS,
    EvidenceScope,
    Placement,
    build_placements,
    find_named_providers,
    select_facts,
    select_own_events,
)
from audit.domain.trail import select_first_occurrences
from audit.domain.verification import VerifiedRecord, verify_record
from audit.ports import RecordQueries
from contracts.catalogue import FRAMEWORKS, PACKAGES, PROVIDERS, RATES
from contracts.events.base import Event
from contracts.events.frameworks import FrameworkPublished, RankedListPublished
from contracts.events.rates import RatesSelected
from contracts.events.searches import PlacementVoided
from contracts.ids import CouncilKey, PackageId
from contracts.values import Hours
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["trails"])


class RecordedEventOut(BaseModel):
    """One event on record, with what its envelope states."""

    event_id: UUID
    type: str
    source: str
    sequence: int = Field(description="number of the event in the stream of its source and subject")
    at: datetime = Field(description="time of publication by the clock of the producer, UTC")
    cause: str = Field(description="the event, command or timer that caused the event")
    actor: str
    payload: JsonValue = Field(description="null if the stored bytes cannot be read")


class PlacementOut(BaseModel):
    """A placement of any package of the council in the area, without the package."""

    provider_id: UUID
    framework: str
    lot: str
    area: str
    weekly_hours: Hours
    at: datetime
    voided_at: datetime | None = Field(description="null while it stands")


class ReplayEvidenceOut(BaseModel):
    """What a replay of the package's decisions needs. Lists are in the order of publication within each stream."""

    package_id: UUID
    verified: bool = Field(description="true: hashes and stored bytes of all these events are correct")
    archives: list[str] = Field(
        description="archives that hold the earlier events of the package, oldest first; `events` begins after them"
    )
    events: list[RecordedEventOut] = Field(description="the package's events of all services, in the topic's order")
    definitions: list[RecordedEventOut] = Field(description="all published versions of the framework's definition")
    ranked_lists: list[RecordedEventOut] = Field(description="of the package's lot and area, all tiers and groups")
    provider_events: list[RecordedEventOut] = Field(
        description="eligibility, channels, embargoes, capacity and rates of every provider that the package's events "
        "or the lists name, or that ever had a place in the lot, in the area or a neighbouring one; those that a "
        "decision about the package can have used"
    )
    placements: list[PlacementOut] = Field(description="in the area, until the package's last event, earliest first")


@dataclass(frozen=True)
class _Market:
    definitions: Sequence[VerifiedRecord] = ()
    lists: Sequence[VerifiedRecord] = ()
    facts: Sequence[VerifiedRecord] = ()
    placed: Sequence[VerifiedRecord] = ()
    voided: Sequence[VerifiedRecord] = ()
    placements: Sequence[Placement] = ()

    @property
    def rows(self) -> Sequence[VerifiedRecord]:
        return [*self.definitions, *self.lists, *self.facts, *self.placed, *self.voided]


@router.get("/v1/packages/{package_id}/evidence", response_model=ReplayEvidenceOut, responses=describe_problems(404))
async def show_evidence(package_id: UUID, caller: Reader, queries: Queries, archives: Archives) -> ReplayEvidenceOut:
    """Everything from which the decisions about a package can be made again, as it is on record."""
    names = await archives.find_archives_of_package(PackageId(package_id), caller.council)
    rows = await load_package_rows(PackageId(package_id), caller.council, queries, archives=names)
    market = await _load_market(rows, caller.council, queries)
    return ReplayEvidenceOut(
        package_id=package_id,
        verified=all(row.verified for row in (*rows, *market.rows)),
        archives=list(names),
        events=_to_events_out(select_own_events(rows)),
        definitions=_to_events_out(market.definitions),
        ranked_lists=_to_events_out(market.lists),
        provider_events=_to_events_out(market.facts),
        placements=[_to_placement_out(each) for each in market.placements],
    )


async def _load_market(rows: Sequence[VerifiedRecord], council: CouncilKey, queries: RecordQueries) -> _Market:
    """Loads what is published of the package's framework; nothing if its request is not on record here."""
    care = find_care(rows)
    if care is None:
        return _Market()
    loader = _Loader(council, queries)
    definitions = await loader.load(FRAMEWORKS, [care.framework], FrameworkPublished)
    scope = EvidenceScope.from_published(care, definitions)
    lists = await loader.load(FRAMEWORKS, scope.list_ranked_list_keys(), RankedListPublished)
    holders = await queries.find_holders(council, scope.list_place_fragments())
    providers = sorted({*holders, *map(str, find_named_providers(rows, lists))})
    facts = [
        *await loader.load(PROVIDERS, providers, *PROVIDER_FACTS),
        *await loader.load(RATES, providers, RatesSelected),
    ]
    placed, voided = await loader.load_placements(scope)
    return _Market(
        definitions,
        lists,
        facts=select_facts(facts, rows, care),
        placed=placed,
        voided=voided,
        placements=build_placements(placed, voided, area=care.area, until=max(map(get_time, rows))),
    )


@dataclass(frozen=True)
class _Loader:
    """Loads events of one council."""

    council: CouncilKey
    queries: RecordQueries

    async def load(self, topic: str, subjects: Sequence[str], *kinds: type[Event]) -> Sequence[VerifiedRecord]:
        return select_first_occurrences(await load_verified(topic, subjects, kinds, self.queries), self.council)

    async def load_placements(self, scope: EvidenceScope) -> tuple[Sequence[VerifiedRecord], Sequence[VerifiedRecord]]:
        """Loads the placements of the area, and which of them were voided."""
        rows = await self.queries.find_placements(self.council, scope.make_placement_fragment())
        placed = select_first_occurrences(map(verify_record, rows), self.council)
        packages = sorted({row.entry.stream.subject for row in placed})
        return placed, await self.load(PACKAGES, packages, PlacementVoided)


def _to_events_out(rows: Sequence[VerifiedRecord]) -> list[RecordedEventOut]:
    return [_to_event_out(row) for row in rows]


def _to_event_out(row: VerifiedRecord) -> RecordedEventOut:
    envelope = row.entry.envelope
    assert envelope is not None, "rows of a council have envelopes"
    return RecordedEventOut(
        event_id=envelope.id,
        type=envelope.type,
        source=envelope.source,
        sequence=envelope.sequence,
        at=envelope.time,
        cause=envelope.causationid,
        actor=envelope.actor,
        payload=None if row.entry.event is None else json.loads(row.entry.raw.payload or b"null"),
    )


def _to_placement_out(placement: Placement) -> PlacementOut:
    return PlacementOut(
        provider_id=placement.provider_id,
        framework=placement.framework,
        lot=placement.lot,
        area=placement.area,
        weekly_hours=placement.weekly_hours,
        at=placement.at,
        voided_at=placement.voided_at,
    )
