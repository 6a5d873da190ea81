"""Route of a provider's eligibility as at any instant, with every rule's outcome in words."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from contracts.ids import ProviderId
from contracts.office_time import to_office_date
from contracts.values import PassOverReason, PlaceState
from provider_registry.api.callers import AnyCaller, Queries, check_own
from provider_registry.domain.eligibility import PlaceAssessment, assess_places
from provider_registry.domain.errors import ProviderNotFound
from provider_registry.domain.skills import list_skills
from service_runtime.http.instants import Now
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import InstantText

router = APIRouter(tags=["providers"])


class RuleOut(BaseModel):
    met: bool
    outcome: str = Field(description="in words: CQC overall Good since 3 March 2026, at least Good is asked")
    branch: str | None = Field(description="the branch that it is about; null for the provider as a whole")


class PlaceEligibilityOut(BaseModel):
    framework: str
    lot: str
    area: str
    tier: str
    state: PlaceState
    eligible: bool = Field(description="the place is active, and every rule is met")
    reasons: list[PassOverReason]
    rules: list[RuleOut]


class EligibilityOut(BaseModel):
    """A provider's eligibility at an instant, by the histories of ratings, findings, skills and places.

    Registration of branches and turnover have no history: they are as recorded now.
    """

    at: datetime
    places: list[PlaceEligibilityOut]
    skills: list[str] = Field(description="of which there is evidence on that day")


@router.get("/v1/providers/{provider_id}/eligibility", response_model=EligibilityOut, responses=describe_problems(404))
async def show_eligibility(
    provider_id: UUID,
    caller: AnyCaller,
    queries: Queries,
    now: Now,
    at: Annotated[InstantText | None, Query(description="the instant; now if omitted")] = None,
) -> EligibilityOut:
    """For each place whether the provider may be offered work there, and why; a provider sees only itself."""
    check_own(ProviderId(provider_id), caller)
    instant = at or now
    found = await queries.find_provider(ProviderId(provider_id), council=caller.council, at=instant)
    if found is None:
        raise ProviderNotFound
    return EligibilityOut(
        at=instant,
        places=[_to_place_out(each) for each in assess_places(found.provider, found.definitions, at=instant)],
        skills=list(list_skills(found.provider.skills, to_office_date(instant))),
    )


def _to_place_out(assessment: PlaceAssessment) -> PlaceEligibilityOut:
    place = assessment.place.place
    return PlaceEligibilityOut(
        framework=place.framework,
        lot=place.lot,
        area=place.area,
        tier=place.tier,
        state=assessment.state,
        eligible=assessment.eligible,
        reasons=list(assessment.reasons),
        rules=[RuleOut(met=each.is_met, outcome=each.words, branch=each.branch) for each in assessment.outcomes],
    )
