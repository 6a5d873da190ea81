"""The record over HTTP: what happened to a package, why somebody did not get it, and whether all of it still fits."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, StringConstraints, TypeAdapter

from audit.domain.errors import PackageNotFound
from audit.domain.evidence import Evidence, place_of, places_of
from audit.domain.names import Cast
from audit.domain.records import Fault, FaultKind, Place, StreamName
from audit.domain.story import Line, events_of, first_occurrences, names_in, providers_in, story
from audit.domain.verification import MOST_FAULTS, Checked, Report, Verifier, by_itself, in_their_streams
from audit.domain.why_not import Market, Reason, Verdict, WhyNot, stories_area, why_not
from audit.ports import RecordQueries, Violation
from contracts.catalogue import FRAMEWORKS, PROVIDERS
from contracts.errors import FieldError, InvalidInput
from contracts.events.base import Event
from contracts.events.frameworks import RankedListPublished, ranked_list_key
from contracts.events.packages import ViewUse
from contracts.events.providers import EligibilityChanged, ProviderRegistered
from contracts.ids import CouncilKey, PackageId, ProviderId
from contracts.values import Tier
from service_runtime.http.app import injected
from service_runtime.http.auth import Caller, requires
from service_runtime.http.paging import Cursor, Limit, Page, cursor_at, position_of
from service_runtime.http.problems import problems

stories = APIRouter(tags=["stories"])
checks = APIRouter(tags=["checks"])

Reader = Annotated[Caller, Depends(requires(("audit:read", "sourcing:operate")))]
Auditor = Annotated[Caller, Depends(requires(("audit:read", "operations:manage")))]
Ask = Annotated[RecordQueries, injected(RecordQueries)]

_Name = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
_Names = TypeAdapter(tuple[_Name, _Name, _Name])


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


class FaultOut(BaseModel):
    kind: FaultKind
    topic: str
    partition: int
    offset: int
    event_id: UUID | None


class ViolationOut(FaultOut):
    found_at: datetime


class VerificationOut(BaseModel):
    """What came of computing everything again from the stored bytes."""

    verified: bool
    records: int
    streams: int
    found: int = Field(description="how many faults there are, of which at most 500 are listed")
    faults: list[FaultOut]
    next: str | None = Field(description="cursor of the next part of the record; null when this was the last")


@stories.get("/v1/packages/{package_id}/trail", response_model=TrailOut, responses=problems(404))
async def show_trail(package_id: UUID, caller: Reader, ask: Ask) -> TrailOut:
    """What happened to a package: when, what, who did it and why, a line for each event."""
    rows = await _rows_of(PackageId(package_id), caller.council, ask)
    lines = story(rows, await _cast_of(rows, ask))
    return TrailOut(
        package_id=package_id,
        verified=all(line.verified for line in lines),
        lines=[_line_out(line) for line in lines],
    )


@stories.get("/v1/packages/{package_id}/why-not/{provider_id}", response_model=WhyNotOut, responses=problems(404))
async def explain_why_not(package_id: UUID, provider_id: UUID, caller: Reader, ask: Ask) -> WhyNotOut:
    """Why a provider did not get a package: the verdict, the reasons, and the events that prove them."""
    asked = ProviderId(provider_id)
    rows = await _rows_of(PackageId(package_id), caller.council, ask)
    cast = await _cast_of(rows, ask, asked)
    answer = why_not(asked, rows, await _market_of(asked, rows, ask), cast)
    said_by = await _said_by(answer, ask)
    return WhyNotOut(
        package_id=package_id,
        provider_id=provider_id,
        provider=cast.name(asked),
        verdict=answer.verdict,
        in_short=answer.in_short,
        reasons=[_reason_out(reason, said_by) for reason in answer.reasons],
    )


async def _rows_of(package_id: PackageId, council: CouncilKey, ask: RecordQueries) -> Sequence[Checked]:
    """Another council's package is as unknown as one that does not exist."""
    rows = first_occurrences(in_their_streams(await ask.of_package(package_id)), council)
    if not rows:
        raise PackageNotFound
    return rows


async def _cast_of(rows: Sequence[Checked], ask: RecordQueries, *more: ProviderId) -> Cast:
    events = events_of(rows)
    subjects = sorted({str(each) for each in (*providers_in(events), *more)})
    registered = await _checked(PROVIDERS, subjects, [ProviderRegistered], ask)
    return Cast.of(events, names_in(events_of(registered)))


async def _market_of(provider_id: ProviderId, rows: Sequence[Checked], ask: RecordQueries) -> Market:
    provider = await _checked(PROVIDERS, [str(provider_id)], [ProviderRegistered, EligibilityChanged], ask)
    called_off = stories_area(rows)
    if called_off is None:
        return Market(provider, ())
    keys = [ranked_list_key(*called_off, tier) for tier in Tier]
    return Market(provider, await _checked(FRAMEWORKS, keys, [RankedListPublished], ask))


async def _checked(
    topic: str, subjects: Sequence[str], kinds: Sequence[type[Event]], ask: RecordQueries
) -> list[Checked]:
    """Some events of a stream: their own bytes are verified, their chain is not, for others stand between them."""
    rows = await ask.of_subjects(topic, subjects, [each.type_name() for each in kinds])
    return [by_itself(row) for row in rows]


async def _said_by(answer: WhyNot, ask: RecordQueries) -> Mapping[Place, Evidence]:
    places = places_of(use for reason in answer.reasons for use in reason.views)
    said: dict[Place, Evidence] = {}
    for row in await ask.at_places(places):
        place = Place(row.stream, row.columns.sequence)
        said.setdefault(place, Evidence.of(by_itself(row)))
    return said


@checks.get("/v1/violations", response_model=Page[ViolationOut], responses=problems())
async def list_violations(caller: Auditor, ask: Ask, cursor: Cursor = None, limit: Limit = 50) -> Page[ViolationOut]:
    """What was wrong with events when they came, the newest first: your council's, and those that nobody can read."""
    found = await ask.violations(caller.council, after=position_of(cursor), limit=limit + 1)
    page = found[:limit]
    following = cursor_at(page[-1].found_at, page[-1].id) if len(found) > limit else None
    return Page(items=[_violation_out(each) for each in page], next=following)


Package = Annotated[UUID | None, Query(description="only what is on record about this package")]
Part = Annotated[str | None, Query(max_length=2_000, description="`next` of the part before; leave out to begin")]
Enough = Annotated[int, Query(ge=1, le=1_000_000, description="end this part at a stream's end after so many records")]


@checks.get("/v1/verification", response_model=VerificationOut, responses=problems(404))
async def verify(
    caller: Auditor, ask: Ask, package_id: Package = None, cursor: Part = None, records: Enough = 50_000
) -> VerificationOut:
    """Compute everything again from the stored bytes: of one package, or of the whole record, part by part."""
    if package_id is not None:
        return _report_out(await _package_verified(PackageId(package_id), caller.council, ask), None)
    return await _part_verified(_stream_at(cursor), records, ask)


async def _package_verified(package_id: PackageId, council: CouncilKey, ask: RecordQueries) -> Report:
    rows = await ask.of_package(package_id)
    if not any(row.columns.council == council for row in rows):
        raise PackageNotFound
    report = Report()
    for row, found in sorted(zip(rows, in_their_streams(rows), strict=True), key=lambda each: each[0].stream):
        report.add(row, found)
    return report


async def _part_verified(after: StreamName | None, enough: int, ask: RecordQueries) -> VerificationOut:
    """A part ends where a stream does, so that each stream is followed from its beginning."""
    report = Report(await ask.missing(limit=MOST_FAULTS) if after is None else ())
    verifier, last = Verifier(), after
    async with aclosing(ask.by_stream(after)) as rows:
        async for row in rows:
            if report.records >= enough and last is not None and row.stream != last:
                return _report_out(report, _cursor_of(last))
            last = row.stream
            report.add(row, verifier.check(row))
    return _report_out(report, None)


def _cursor_of(stream: StreamName) -> str:
    return base64.urlsafe_b64encode(json.dumps([stream.topic, stream.subject, stream.source]).encode()).decode()


def _stream_at(cursor: str | None) -> StreamName | None:
    if cursor is None:
        return None
    try:
        names = _Names.validate_json(base64.urlsafe_b64decode(cursor))
    except (ValueError, binascii.Error):
        raise InvalidInput(
            FieldError("query:cursor", "is not a cursor of ours; use `next` of the part before")
        ) from None
    return StreamName(*names)


def _line_out(line: Line) -> LineOut:
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


def _reason_out(reason: Reason, said_by: Mapping[Place, Evidence]) -> ReasonOut:
    views = [_view_out(use, said_by) for use in reason.views]
    return ReasonOut(text=reason.text, evidence=[_evidence_out(each) for each in reason.evidence], views=views)


def _view_out(use: ViewUse, said_by: Mapping[Place, Evidence]) -> ViewOut:
    place = place_of(use)
    said = None if place is None else said_by.get(place)
    told = None if said is None else _evidence_out(said)
    return ViewOut(view=use.view, key=use.key, sequence=use.sequence, said_by=told)


def _evidence_out(evidence: Evidence) -> EvidenceOut:
    return EvidenceOut(event_id=evidence.event_id, type=evidence.type, at=evidence.at, verified=evidence.verified)


def _fault_out(fault: Fault) -> FaultOut:
    at = fault.position
    return FaultOut(kind=fault.kind, topic=at.topic, partition=at.partition, offset=at.offset, event_id=fault.event_id)


def _violation_out(violation: Violation) -> ViolationOut:
    return ViolationOut(**_fault_out(violation.fault).model_dump(), found_at=violation.found_at)


def _report_out(report: Report, following: str | None) -> VerificationOut:
    return VerificationOut(
        verified=report.found == 0,
        records=report.records,
        streams=report.streams,
        found=report.found,
        faults=[_fault_out(each) for each in report.faults],
        next=following,
    )
