"""Routes about one package: its trail, and why a provider did not get it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from audit.api.callers import Queries, Reader
from audit.domain.errors import PackageNotFound
from audit.domain.evidence import Evidence, find_position, list_positions
from audit.domain.names import Names
from audit.domain.records import StreamPosition
from audit.domain.story import (
    StoryLine,
    find_provider_names,
    find_providers,
    list_events,
    select_first_occurrences,
    write_story,
)
from audit.domain.verdicts import Reason, RegistryRecord, Verdict, WhyNot
from audit.domain.verification import (
    VerifiedRecord,
    verify_record,
    verify_streams,
)
from audit.domain.why_not import find_area, find_verdict
from audit.ports import RecordQueries
from contracts.catalogue import FRAMEWORKS, PROVIDERS
from contracts.events.base import Event, ViewUse
from contracts.events.frameworks import RankedListPublished, make_ranked_list_key
from contracts.events.providers import EligibilityChanged, ProviderRegistered
from contracts.ids import CouncilKey, PackageId, ProviderId
from contracts.values import Tier
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["stories"])


class WhyOut(BaseModel):
    cause: str = Field(description="the event, command or timer that caused it, as its envelope says")
    line: int | None = Field(description="the line of this trail that it is, or that armed it")
    words: str


class LineOut(BaseModel):
    line: int
    at: datetime = Field(description="by the clock of the service that said it, UTC")
    local: str = Field(description="the same instant on the wall clock in London")
    what: str
    who: str
    why: WhyOut
    event_id: UUID
    type: str
    sequence: int = Field(description="its number among what its source says about the package")
    hash: str
    verified: bool = Field(description="hash, chain and stored bytes were computed again just now, and fit")


class TrailOut(BaseModel):
    """The story of one package, told from the record alone."""

    package_id: UUID
    verified: bool
    lines: list[LineOut]


class EvidenceOut(BaseModel):
    event_id: UUID
    type: str
    at: datetime
    verified: bool


class ViewOut(BaseModel):
    """A version of what another service had said, and the event that said it where it is on record."""

    view: str
    key: str
    sequence: int
    said_by: EvidenceOut | None


class ReasonOut(BaseModel):
    text: str
    evidence: list[EvidenceOut]
    views: list[ViewOut]


class WhyNotOut(BaseModel):
    """Why a provider did not get a package, told from the record alone."""

    package_id: UUID
    provider_id: UUID
    provider: str
    verdict: Verdict
    in_short: str
    reasons: list[ReasonOut]


@router.get("/v1/packages/{package_id}/trail", response_model=TrailOut, responses=describe_problems(404))
async def show_trail(package_id: UUID, caller: Reader, queries: Queries) -> TrailOut:
    """What happened to a package: when, what, who did it and why, a line for each event."""
    rows = await _load_rows(PackageId(package_id), caller.council, queries)
    lines = write_story(rows, await _load_names(rows, queries))
    return TrailOut(
        package_id=package_id,
        verified=all(line.verified for line in lines),
        lines=[_to_line_out(line) for line in lines],
    )


@router.get(
    "/v1/packages/{package_id}/why-not/{provider_id}", response_model=WhyNotOut, responses=describe_problems(404)
)
async def explain_why_not(package_id: UUID, provider_id: UUID, caller: Reader, queries: Queries) -> WhyNotOut:
    """Why a provider did not get a package: the verdict, the reasons, and the events that prove them."""
    asked = ProviderId(provider_id)
    rows = await _load_rows(PackageId(package_id), caller.council, queries)
    names = await _load_names(rows, queries, asked)
    answer = find_verdict(asked, rows, await _load_registry_record(asked, rows, queries), names)
    said_by = await _load_view_sources(answer, queries)
    return WhyNotOut(
        package_id=package_id,
        provider_id=provider_id,
        provider=names.find(asked),
        verdict=answer.verdict,
        in_short=answer.in_short,
        reasons=[_to_reason_out(reason, said_by) for reason in answer.reasons],
    )


async def _load_rows(package_id: PackageId, council: CouncilKey, queries: RecordQueries) -> Sequence[VerifiedRecord]:
    """Another council's package is as unknown as one that does not exist."""
    rows = select_first_occurrences(verify_streams(await queries.find_by_package(package_id)), council)
    if not rows:
        raise PackageNotFound
    return rows


async def _load_names(rows: Sequence[VerifiedRecord], queries: RecordQueries, *more: ProviderId) -> Names:
    events = list_events(rows)
    subjects = sorted({str(each) for each in (*find_providers(events), *more)})
    registered = await _load_verified(PROVIDERS, subjects, [ProviderRegistered], queries)
    return Names.from_events(events, find_provider_names(list_events(registered)))


async def _load_registry_record(
    provider_id: ProviderId, rows: Sequence[VerifiedRecord], queries: RecordQueries
) -> RegistryRecord:
    provider = await _load_verified(PROVIDERS, [str(provider_id)], [ProviderRegistered, EligibilityChanged], queries)
    called_off = find_area(rows)
    if called_off is None:
        return RegistryRecord(provider, ())
    keys = [make_ranked_list_key(*called_off, tier) for tier in Tier]
    return RegistryRecord(provider, await _load_verified(FRAMEWORKS, keys, [RankedListPublished], queries))


async def _load_verified(
    topic: str, subjects: Sequence[str], kinds: Sequence[type[Event]], queries: RecordQueries
) -> list[VerifiedRecord]:
    """Some events of a stream: their own bytes are verified, their chain is not, for others stand between them."""
    rows = await queries.find_by_subjects(topic, subjects, [each.type_name() for each in kinds])
    return [verify_record(row) for row in rows]


async def _load_view_sources(answer: WhyNot, queries: RecordQueries) -> Mapping[StreamPosition, Evidence]:
    places = list_positions(use for reason in answer.reasons for use in reason.views)
    said: dict[StreamPosition, Evidence] = {}
    for row in await queries.find_by_positions(places):
        place = StreamPosition(row.stream, row.columns.sequence)
        said.setdefault(place, Evidence.from_row(verify_record(row)))
    return said


def _to_line_out(line: StoryLine) -> LineOut:
    why = WhyOut(cause=line.why.cause, line=line.why.line, words=line.why.words)
    return LineOut(
        line=line.number,
        at=line.at,
        local=line.local,
        what=line.what,
        who=line.who,
        why=why,
        event_id=line.event_id,
        type=line.type,
        sequence=line.sequence,
        hash=line.hash,
        verified=line.verified,
    )


def _to_reason_out(reason: Reason, said_by: Mapping[StreamPosition, Evidence]) -> ReasonOut:
    views = [_to_view_out(use, said_by) for use in reason.views]
    return ReasonOut(text=reason.text, evidence=[_to_evidence_out(each) for each in reason.evidence], views=views)


def _to_view_out(use: ViewUse, said_by: Mapping[StreamPosition, Evidence]) -> ViewOut:
    place = find_position(use)
    said = None if place is None else said_by.get(place)
    told = None if said is None else _to_evidence_out(said)
    return ViewOut(view=use.view, key=use.key, sequence=use.sequence, said_by=told)


def _to_evidence_out(evidence: Evidence) -> EvidenceOut:
    return EvidenceOut(event_id=evidence.event_id, type=evidence.type, at=evidence.at, verified=evidence.verified)
