"""Why a package went where it went, from the record."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from contracts.events.packages import ViewUse
from contracts.ids import PackageId
from contracts.values import Terms
from service_runtime.http.problems import problems
from sourcing.api.callers import Queries, Reader, searched
from sourcing.domain.explanation import StageTold, Turn, explain
from sourcing.domain.search import (
    SearchStatus,
)
from sourcing.ports import Recorded

router = APIRouter(tags=["records"])


class TurnOut(BaseModel):
    provider_id: UUID
    rank: int | None = Field(description="null on an open list")
    outcome: str
    reasons: list[str]
    offer_id: UUID | None
    terms: Terms | None
    views: list[ViewUse] = Field(description="which versions of what was known the decision was taken on")


class StageOut(BaseModel):
    stage: str
    tier: int | None = Field(description="null for an open list")
    list_version: int | None
    turns: list[TurnOut]


class RecordedOut(BaseModel):
    sequence: int
    type: str
    at: datetime
    actor: str
    cause: str
    hash: str


class DecisionOut(BaseModel):
    """Why the package went where it went, told from the record alone."""

    package_id: UUID
    status: SearchStatus
    framework: str
    area: str
    definition_version: int | None
    stages: list[StageOut]
    placed_with: UUID | None
    missing: list[str]
    record: list[RecordedOut]


@router.get("/v1/packages/{package_id}/decision", response_model=DecisionOut, responses=problems(404))
async def show_decision(package_id: UUID, caller: Reader, ask: Queries) -> DecisionOut:
    """Who was asked in which order, who was passed over and why, on which versions, and what the record says."""
    search, record = await searched(package_id, caller, ask), await ask.record(PackageId(package_id))
    placement = search.placement
    return DecisionOut(
        package_id=package_id,
        status=search.status,
        framework=search.care.framework,
        area=search.care.area,
        definition_version=search.definition_version,
        stages=[_stage_out(stage) for stage in explain(each.event for each in record)],
        placed_with=placement.provider_id if placement is not None and not placement.voided else None,
        missing=list(search.missing),
        record=_record_out(record),
    )


def _stage_out(stage: StageTold) -> StageOut:
    turns = [_turn_out(turn) for turn in stage.turns]
    tier = None if stage.tier is None else int(stage.tier)
    return StageOut(stage=stage.stage, tier=tier, list_version=stage.list_version, turns=turns)


def _turn_out(turn: Turn) -> TurnOut:
    return TurnOut(
        provider_id=turn.provider_id,
        rank=turn.rank,
        outcome=turn.outcome,
        reasons=[reason.value for reason in turn.reasons],
        offer_id=turn.offer_id,
        terms=turn.terms,
        views=list(turn.views),
    )


def _record_out(record: Sequence[Recorded]) -> list[RecordedOut]:
    return [
        RecordedOut(
            sequence=each.sequence,
            type=each.event.type_name(),
            at=each.at,
            actor=each.actor,
            cause=each.cause,
            hash=each.hash,
        )
        for each in record
    ]
