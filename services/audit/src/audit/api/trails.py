"""Routes about one package: its trail, and why a provider did not get it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from audit.api.callers import Archives, Queries, Reader
from audit.api.loading import load_package_rows, load_verified
from audit.domain.errors import PackageArchived
from audit.domain.evidence import Evidence, find_source_position, list_source_positions
from audit.domain.lists_in_force import find_care, find_definition, list_ranked_list_keys
from audit.domain.names import Names
from audit.domain.records import StreamPosition
from audit.domain.trail import (
    TrailLine,
    find_provider_names,
    find_providers,
    list_events,
    write_trail,
)
from audit.domain.verdicts import Reason, RegistryRecord, Verdict, WhyNot
from audit.domain.verification import VerifiedRecord, verify_record
from audit.domain.why_not import find_verdict
from audit.ports import RecordQueries
from contracts.catalogue import FRAMEWORKS, PROVIDERS
from contracts.events.base import ProjectionVersion
from contracts.events.frameworks import FrameworkPublished, RankedListPublished
from contracts.events.providers import EligibilityChanged, ProviderRegistered
from contracts.ids import PackageId, ProviderId
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["trails"])


class WhyOut(BaseModel):
    cause: str = Field(description="the event, command or timer that caused the event, from its envelope")
    line: int | None = Field(description="the line of this trail that contains the cause, or that set the timer")
    words: str


class LineOut(BaseModel):
    line: int
    at: datetime = Field(description="time of publication by the clock of the producer, UTC")
    local: str = Field(description="the same instant on the wall clock in London")
    what: str
    who: str
    why: WhyOut
    event_id: UUID
    type: str
    sequence: int = Field(description="number of the event in the stream of its source and package")
    hash: str
    verified: bool = Field(description="true: hash, chain and stored bytes are correct; computed for this request")


class TrailOut(BaseModel):
    """The trail of one package, derived from the record alone."""

    package_id: UUID
    verified: bool
    archives: list[str] = Field(
        description="archives that hold the earlier events of the package, oldest first; `lines` begins after them"
    )
    lines: list[LineOut]


class EvidenceOut(BaseModel):
    event_id: UUID
    type: str
    at: datetime
    verified: bool


class ProjectionVersionOut(BaseModel):
    """A version of a projection that a decision used, and the event of that version if it is on record."""

    view: str
    key: str
    sequence: int
    said_by: EvidenceOut | None


class ReasonOut(BaseModel):
    text: str
    evidence: list[EvidenceOut]
    views: list[ProjectionVersionOut]


class WhyNotOut(BaseModel):
    """Why a provider did not get a package, derived from the record alone."""

    package_id: UUID
    provider_id: UUID
    provider: str
    verdict: Verdict
    in_short: str
    reasons: list[ReasonOut]


@router.get("/v1/packages/{package_id}/trail", response_model=TrailOut, responses=describe_problems(404))
async def show_trail(package_id: UUID, caller: Reader, queries: Queries, archives: Archives) -> TrailOut:
    """The events of a package, one line each: when, what, by whom and why."""
    names = await archives.find_archives_of_package(PackageId(package_id), caller.council)
    rows = await load_package_rows(PackageId(package_id), caller.council, queries, archives=names)
    lines = write_trail(rows, await _load_names(rows, queries))
    return TrailOut(
        package_id=package_id,
        verified=all(line.verified for line in lines),
        archives=list(names),
        lines=[_to_line_out(line) for line in lines],
    )


@router.get(
    "/v1/packages/{package_id}/why-not/{provider_id}", response_model=WhyNotOut, responses=describe_problems(404)
)
async def explain_why_not(
    package_id: UUID, provider_id: UUID, caller: Reader, queries: Queries, archives: Archives
) -> WhyNotOut:
    """Why a provider did not get a package: the verdict, the reasons, and the events that prove them."""
    provider = ProviderId(provider_id)
    if moved := await archives.find_archives_of_package(PackageId(package_id), caller.council):
        raise PackageArchived(moved)
    rows = await load_package_rows(PackageId(package_id), caller.council, queries, archives=())
    names = await _load_names(rows, queries, provider)
    why_not = find_verdict(provider, rows, await _load_registry_record(provider, rows, queries), names)
    sources = await _load_sources(why_not, queries)
    return WhyNotOut(
        package_id=package_id,
        provider_id=provider_id,
        provider=names.find_name(provider),
        verdict=why_not.verdict,
        in_short=why_not.in_short,
        reasons=[_to_reason_out(reason, sources) for reason in why_not.reasons],
    )


async def _load_names(rows: Sequence[VerifiedRecord], queries: RecordQueries, *provider_ids: ProviderId) -> Names:
    events = list_events(rows)
    subjects = sorted({str(provider_id) for provider_id in (*find_providers(events), *provider_ids)})
    registered = await load_verified(PROVIDERS, subjects, [ProviderRegistered], queries)
    return Names.from_events(events, find_provider_names(list_events(registered)))


async def _load_registry_record(
    provider_id: ProviderId, rows: Sequence[VerifiedRecord], queries: RecordQueries
) -> RegistryRecord:
    provider = await load_verified(PROVIDERS, [str(provider_id)], [ProviderRegistered, EligibilityChanged], queries)
    care = find_care(rows)
    if care is None:
        return RegistryRecord(provider, ())
    published = await load_verified(FRAMEWORKS, [care.framework], [FrameworkPublished], queries)
    definition = find_definition(rows, published)
    if definition is None:
        return RegistryRecord(provider, ())
    keys = list_ranked_list_keys(definition, care)
    lists = await load_verified(FRAMEWORKS, keys, [RankedListPublished], queries)
    return RegistryRecord(provider, sorted(lists, key=lambda row: keys.index(row.entry.stream.subject)))


async def _load_sources(why_not: WhyNot, queries: RecordQueries) -> Mapping[StreamPosition, Evidence]:
    """Returns the event of each projection version, as far as it is on record."""
    versions = (version for reason in why_not.reasons for version in reason.projection_versions)
    sources: dict[StreamPosition, Evidence] = {}
    for row in await queries.find_by_positions(list_source_positions(versions)):
        position = StreamPosition(row.stream, row.columns.sequence)
        sources.setdefault(position, Evidence.from_row(verify_record(row)))
    return sources


def _to_line_out(line: TrailLine) -> LineOut:
    why = WhyOut(cause=line.why.cause, line=line.why.line, words=line.why.text)
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


def _to_reason_out(reason: Reason, sources: Mapping[StreamPosition, Evidence]) -> ReasonOut:
    return ReasonOut(
        text=reason.text,
        evidence=[_to_evidence_out(evidence) for evidence in reason.evidence],
        views=[_to_projection_version_out(version, sources) for version in reason.projection_versions],
    )


def _to_projection_version_out(
    version: ProjectionVersion, sources: Mapping[StreamPosition, Evidence]
) -> ProjectionVersionOut:
    position = find_source_position(version)
    source = None if position is None else sources.get(position)
    return ProjectionVersionOut(
        view=version.view,
        key=version.key,
        sequence=version.sequence,
        said_by=None if source is None else _to_evidence_out(source),
    )


def _to_evidence_out(evidence: Evidence) -> EvidenceOut:
    return EvidenceOut(event_id=evidence.event_id, type=evidence.type, at=evidence.at, verified=evidence.verified)
