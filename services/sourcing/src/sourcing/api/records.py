"""The route that explains a package's placement from its journal."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from contracts.events.base import ProjectionVersion
from contracts.events.searches import ListUsed
from contracts.ids import PackageId
from contracts.values import Order, Terms
from service_runtime.http.instants import Now
from service_runtime.http.problems import describe_problems
from sourcing.api.callers import Queries, Reader, find_search
from sourcing.domain.explanation import CandidateTurn, StageExplanation, explain_stages
from sourcing.domain.next_step import find_next_step
from sourcing.domain.next_steps import NextStep, NextStepKind
from sourcing.domain.search import SearchStatus
from sourcing.ports import JournalRecord

router = APIRouter(tags=["records"])


class TurnOut(BaseModel):
    provider_id: UUID
    rank: int | None = Field(description="null on an open list and in a competition")
    outcome: str
    reasons: list[str]
    offer_id: UUID | None
    terms: Terms | None
    views: list[ProjectionVersion] = Field(description="versions of the projections on which the decision was made")


class StageOut(BaseModel):
    stage: str
    tiers: list[str] = Field(description="empty for an open list")
    order: list[Order] = Field(description="how the providers are ordered; empty where all are asked at once")
    lists: list[ListUsed] = Field(description="the ranked lists that were used")
    turns: list[TurnOut]


class RecordedOut(BaseModel):
    sequence: int
    type: str
    at: datetime
    actor: str
    cause: str
    hash: str


class NextStepOut(BaseModel):
    """The next step of the package, and when it is due."""

    kind: NextStepKind
    text: str = Field(description="the step as a sentence; providers are named by rank")
    at: datetime | None = Field(description="when the step is due; null where no instant is known")
    waits_for_opening: bool = Field(description="the step is held back until brokerage opens")
    waits_for_officer: bool = Field(description="nothing happens until an officer acts")
    stage: str | None
    provider_id: UUID | None = Field(description="eligibility is checked at `at`; a provider can be passed over then")
    rank: int | None
    offer_id: UUID | None
    award_id: UUID | None
    proposal_id: UUID | None
    missing: list[str] = Field(description="data missing: what is not published yet")


class DecisionOut(BaseModel):
    """How the package was placed, read from its journal, and the next step."""

    package_id: UUID
    status: SearchStatus
    framework: str
    lot: str
    area: str
    definition_version: int | None
    stages: list[StageOut]
    placed_with: UUID | None
    missing: list[str]
    next_step: NextStepOut
    archived_events: int = Field(
        description="the package's oldest events that were moved into archives, which `stages` and `record` lack"
    )
    record: list[RecordedOut]


@router.get("/v1/packages/{package_id}/decision", response_model=DecisionOut, responses=describe_problems(404))
async def show_decision(package_id: UUID, caller: Reader, queries: Queries, now: Now) -> DecisionOut:
    """Explain which providers were asked or passed over and why, and show the next step and its time."""
    search, record = await find_search(package_id, caller, queries), await queries.load_journal(PackageId(package_id))
    next_step = find_next_step(search, await queries.find_definition(search), now=now)
    placement = search.placement
    return DecisionOut(
        package_id=package_id,
        status=search.status,
        framework=search.care.framework,
        lot=search.care.lot,
        area=search.care.area,
        definition_version=search.definition_version,
        stages=[_to_stage_out(stage) for stage in explain_stages(entry.event for entry in record)],
        placed_with=placement.provider_id if placement is not None and not placement.voided else None,
        missing=list(search.missing),
        next_step=_to_next_step_out(next_step),
        archived_events=await queries.count_archived_events(PackageId(package_id)),
        record=_to_record_out(record),
    )


def _to_next_step_out(step: NextStep) -> NextStepOut:
    return NextStepOut(
        kind=step.kind,
        text=step.text,
        at=step.at,
        waits_for_opening=step.waits_for_opening,
        waits_for_officer=step.waits_for_officer,
        stage=step.stage,
        provider_id=step.provider_id,
        rank=step.rank,
        offer_id=step.offer_id,
        award_id=step.award_id,
        proposal_id=step.proposal_id,
        missing=list(step.missing),
    )


def _to_stage_out(stage: StageExplanation) -> StageOut:
    turns = [_to_turn_out(turn) for turn in stage.turns]
    return StageOut(
        stage=stage.stage, tiers=list(stage.tiers), order=list(stage.order), lists=list(stage.lists), turns=turns
    )


def _to_turn_out(turn: CandidateTurn) -> TurnOut:
    return TurnOut(
        provider_id=turn.provider_id,
        rank=turn.rank,
        outcome=turn.outcome,
        reasons=[str(reason) for reason in turn.reasons],
        offer_id=turn.offer_id,
        terms=turn.terms,
        views=list(turn.views),
    )


def _to_record_out(record: Sequence[JournalRecord]) -> list[RecordedOut]:
    return [
        RecordedOut(
            sequence=entry.sequence,
            type=entry.event.get_type_name(),
            at=entry.at,
            actor=entry.actor,
            cause=entry.cause,
            hash=entry.hash,
        )
        for entry in record
    ]
