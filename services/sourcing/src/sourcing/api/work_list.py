"""The route that lists what waits for an officer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import AreaName, FrameworkName
from sourcing.api.callers import Officer, Queries
from sourcing.api.officer_acts import OfficerName
from sourcing.domain.competitions.work_items import (
    BidsToScore,
    CompetitionWorkItem,
    QuestionsToAnswer,
    ResultToConfirm,
)
from sourcing.domain.work_items import (
    ActToApprove,
    AwardToApprove,
    CallToMake,
    ExhaustedSearch,
    HeldSearch,
    NoProposals,
    PausedSearch,
    ProposalsToDecide,
    WorkItem,
)
from sourcing.ports import WorkFilter, WorkListEntry

router = APIRouter(tags=["officers"])


WorkKind = Literal[
    "exhausted",
    "held",
    "paused",
    "call to make",
    "act to approve",
    "price to approve",
    "proposals to decide",
    "nobody proposes",
    "questions to answer",
    "bids to score",
    "result to confirm",
]
_LABELS: Final[Mapping[type[WorkItem], tuple[WorkKind, str]]] = {
    ExhaustedSearch: (
        "exhausted",
        "no stage is left: source the package again, offer it out of order, or record a placement made by hand",
    ),
    HeldSearch: ("held", "publish what is missing; the search then goes on by itself"),
    PausedSearch: ("paused", "an officer paused the search; resume it when it can go on"),
    CallToMake: ("call to make", "telephone the provider, then record the call and its answer"),
    ActToApprove: ("act to approve", "a second officer approves or refuses what another officer proposed"),
    AwardToApprove: ("price to approve", "a second officer approves or refuses the price, at pricing"),
    ProposalsToDecide: ("proposals to decide", "look at the proposals and award one, or wait for others"),
    NoProposals: (
        "nobody proposes",
        "nobody has proposed in all the time the framework allows: find another way, or change the package",
    ),
    QuestionsToAnswer: ("questions to answer", "answer the questions; all that are invited read the answers"),
    BidsToScore: ("bids to score", "score every bid by every criterion"),
    ResultToConfirm: (
        "result to confirm",
        "confirm the first bid of the ranking or that none is suitable, or overrule the result",
    ),
}


class WorkItemOut(BaseModel):
    """One thing that waits for an officer; several for one package where it waits for several."""

    item_id: UUID
    what: WorkKind
    do: str = Field(description="what the officer can do")
    package_id: UUID
    since: datetime = Field(description="since when it waits")
    due: datetime = Field(description="when it matters; the list is sorted by it")
    framework: str
    area: str
    stage: str | None
    officer: str | None = Field(description="to whom the package is assigned")
    preferred: list[UUID] = Field(description="providers that the person would like; they never reorder a list")
    missing: list[str] = Field(description="held: what is not known yet")
    proposals: int | None = Field(description="proposals to decide: how many")
    award_id: UUID | None = Field(description="price to approve: at pricing, /v1/spot-prices/{award_id}")
    act_id: UUID | None = Field(description="act to approve: /v1/packages/{package_id}/acts/{act_id}/approve")
    offer_id: UUID | None = Field(description="call to make: record the call at /v1/offers/{offer_id}/calls")
    provider_id: UUID | None = Field(description="name and number: the call list of provider-registry")
    attempt: int | None
    competition_id: UUID | None = Field(description="at /v1/packages/{package_id}/competitions/{competition_id}")
    count: int | None = Field(description="questions to answer, bids to score: how many questions or scores")
    bid_id: UUID | None = Field(description="result to confirm: the first bid; null if none is suitable")


Area = Annotated[AreaName | None, Query(description="only packages of this area")]
Framework = Annotated[FrameworkName | None, Query(description="only packages of this framework")]
AssignedTo = Annotated[OfficerName | None, Query(description="only packages that are assigned to this officer")]


def _read_filters(area: Area = None, framework: Framework = None, officer: AssignedTo = None) -> WorkFilter:
    return WorkFilter(area, framework, None if officer is None else f"officer:{officer}")


Filters = Annotated[WorkFilter, Depends(_read_filters)]


@router.get("/v1/work-list", response_model=Page[WorkItemOut], responses=describe_problems())
async def show_work_list(
    caller: Officer,
    queries: Queries,
    filters: Filters,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> Page[WorkItemOut]:
    """List what needs an officer now, what is due first before the others; `GET /v1/packages/{id}/search` has more."""
    found = await queries.list_work(caller.council, filters, after=decode_cursor(cursor), limit=limit + 1)
    return build_page(found, limit, to_item=_build_work_item_out, position=lambda entry: (entry.due, entry.item_id))


def _build_work_item_out(entry: WorkListEntry) -> WorkItemOut:
    item = entry.item
    what, action = _LABELS[type(item)]
    concerns_provider = isinstance(item, CallToMake | ActToApprove)
    return WorkItemOut(
        item_id=entry.item_id,
        what=what,
        do=action,
        package_id=entry.package_id,
        since=entry.since,
        due=entry.due,
        framework=entry.framework,
        area=entry.area,
        stage=entry.stage,
        officer=entry.officer,
        preferred=list(entry.preferred),
        missing=list(item.missing) if isinstance(item, HeldSearch) else [],
        proposals=item.count if isinstance(item, ProposalsToDecide) else None,
        award_id=item.award_id if isinstance(item, AwardToApprove) else None,
        act_id=item.act_id if isinstance(item, ActToApprove) else None,
        offer_id=item.offer_id if isinstance(item, CallToMake) else None,
        provider_id=item.provider_id if concerns_provider else None,
        attempt=item.attempt if isinstance(item, CallToMake) else None,
        competition_id=item.competition_id if isinstance(item, CompetitionWorkItem) else None,
        count=item.count if isinstance(item, QuestionsToAnswer | BidsToScore) else None,
        bid_id=item.bid_id if isinstance(item, ResultToConfirm) else None,
    )
