"""The route that lists the searches that need an officer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service_runtime.http.paging import Limit
from service_runtime.http.problems import describe_problems
from sourcing.api.callers import Officer, Queries
from sourcing.domain.search import Search
from sourcing.domain.work_items import (
    AwardToApprove,
    CallToMake,
    ExhaustedSearch,
    HeldSearch,
    NoProposals,
    ProposalsToDecide,
    WorkItem,
    find_work_items,
)

router = APIRouter(tags=["officers"])


WorkKind = Literal["exhausted", "held", "call to make", "price to approve", "proposals to decide", "nobody proposes"]
_LABELS: Final[Mapping[type[WorkItem], tuple[WorkKind, str]]] = {
    ExhaustedSearch: (
        "exhausted",
        "no stage is left: source the package by hand, or change it and request it anew",
    ),
    HeldSearch: ("held", "publish what is missing; the search then goes on by itself"),
    CallToMake: ("call to make", "telephone the provider, then record the call and its answer"),
    AwardToApprove: ("price to approve", "a second officer approves or refuses the price, at pricing"),
    ProposalsToDecide: ("proposals to decide", "look at the proposals and award one, or wait for others"),
    NoProposals: (
        "nobody proposes",
        "nobody has proposed in all the time the framework allows: find another way, or change the package",
    ),
}


class WorkItemOut(BaseModel):
    """One search that makes no progress until an officer acts."""

    what: WorkKind
    do: str = Field(description="what the officer can do")
    package_id: UUID
    since: datetime
    stage: str | None
    missing: list[str] = Field(description="held: what is not known yet")
    proposals: int | None = Field(description="proposals to decide: how many")
    award_id: UUID | None = Field(description="price to approve: at pricing, /v1/spot-prices/{award_id}")
    offer_id: UUID | None = Field(description="call to make: record the call at /v1/offers/{offer_id}/calls")
    provider_id: UUID | None
    attempt: int | None


class WorkList(BaseModel):
    items: list[WorkItemOut] = Field(description="several for one package where all providers are asked at once")


@router.get("/v1/work-list", response_model=WorkList, responses=describe_problems())
async def show_work_list(caller: Officer, queries: Queries, limit: Limit = 200) -> WorkList:
    """List what needs an officer now, the longest wait first."""
    found = await queries.list_searches_needing_officer(caller.council, limit=limit)
    return WorkList(
        items=[
            _build_work_item_out(details.search, item) for details in found for item in find_work_items(details.search)
        ]
    )


def _build_work_item_out(search: Search, item: WorkItem) -> WorkItemOut:
    what, action = _LABELS[type(item)]
    return WorkItemOut(
        what=what,
        do=action,
        package_id=search.package_id,
        since=search.requested_at,
        stage=search.listing.stage if search.listing else search.stage.name if search.stage else None,
        missing=list(item.missing) if isinstance(item, HeldSearch) else [],
        proposals=item.count if isinstance(item, ProposalsToDecide) else None,
        award_id=item.award_id if isinstance(item, AwardToApprove) else None,
        offer_id=item.offer_id if isinstance(item, CallToMake) else None,
        provider_id=item.provider_id if isinstance(item, CallToMake) else None,
        attempt=item.attempt if isinstance(item, CallToMake) else None,
    )
