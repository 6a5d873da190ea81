"""Response bodies about providers."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.events.providers import EmbargoReason, KeyQuestionRating
from contracts.values import Channel, Hours, Money, PassOverReason, PlaceState, Rating
from provider_registry.domain.eligibility import PlaceAssessment, assess_places
from provider_registry.domain.places import PlaceApproval
from provider_registry.domain.provider import Branch, BranchStatus, LocationFinding, Provider
from provider_registry.handlers.provider_changes import ProviderChange
from provider_registry.ports import DeclaredCapacity, ProviderSnapshot
from service_runtime.http.commands import json_response
from service_runtime.http.preconditions import format_etag
from service_runtime.idempotency import StoredResponse
from service_runtime.webhooks.endpoint_api import EndpointOut


class RatingsOut(BaseModel):
    """One publication of a branch's ratings."""

    published_on: date
    rating: Rating
    key_questions: list[KeyQuestionRating]
    recorded_at: datetime
    corrects: date | None
    counts: bool = Field(description="false: it was corrected later")


class FindingOut(BaseModel):
    """An officer's finding where the branch lies."""

    framework: str
    within: bool
    miles: str = Field(description="outside the boundary")
    found_by: str
    found_at: datetime


class BranchOut(BaseModel):
    branch_id: UUID
    name: str
    outward_code: str
    domiciliary_care: bool
    status: BranchStatus
    rating: Rating = Field(description="of the newest publication")
    published_on: date | None
    ratings: list[RatingsOut] = Field(description="all publications, in the order of recording")
    findings: list[FindingOut] = Field(description="in the order of recording")


class ApprovalOut(BaseModel):
    """Who requested the place against the rules, and who approved it."""

    because: str
    requested_by: str
    requested_at: datetime
    approved_by: str | None
    approved_at: datetime | None


class PlaceOut(BaseModel):
    """One place of the provider: its eligibility there, and what it lacks."""

    framework: str
    lot: str
    area: str
    tier: str
    service_types: list[str]
    number: int | None
    applied_on: date | None
    awarded_on: date | None
    joined_on: date
    until: date | None
    existing_until: date | None
    state: PlaceState = Field(description="today; a place before its first day is awarded, and after its last one left")
    recorded_state: PlaceState
    approval: ApprovalOut | None
    eligible: bool
    lacking: list[str] = Field(description="the entry rules that are not met, in words")
    reasons: list[PassOverReason] = Field(description="reasons recorded when the provider is passed over")


class SkillOut(BaseModel):
    skill: str
    evidence: str
    valid_from: date
    valid_until: date | None


class ProviderOut(BaseModel):
    """A provider with its branches and places."""

    provider_id: UUID
    name: str
    turnover: Money | None
    turnover_evidence: str | None
    registered_at: datetime
    embargo: EmbargoReason | None
    channels: list[Channel] = Field(description="channels for offers, in order of use")
    rating: Rating = Field(description="the best of its branches that may give home care")
    branches: list[BranchOut]
    places: list[PlaceOut]
    skills: list[SkillOut]
    spot_areas: list[str] = Field(description="areas in which it takes packages outside frameworks")


class CapacityOut(BaseModel):
    area: str
    free_hours: Hours
    declared_at: datetime


class ProviderDetails(ProviderOut):
    """Details for the council's staff and the provider itself."""

    phone: str = Field(description="office number for the officers' calls")
    capacity: list[CapacityOut]
    endpoint: EndpointOut | None


class ProviderListed(BaseModel):
    provider_id: UUID
    name: str
    registered_at: datetime
    embargoed: bool


def respond_with_provider(change: ProviderChange) -> StoredResponse:
    """Omits the telephone number, because answers are stored for repeated requests."""
    return json_response(to_provider_out(change), headers=(("etag", format_etag(change.provider.version)),))


def to_provider_item(provider: Provider) -> ProviderListed:
    return ProviderListed(
        provider_id=provider.provider_id,
        name=provider.profile.name,
        registered_at=provider.registered_at,
        embargoed=provider.embargo is not None,
    )


def to_provider_out(change: ProviderChange) -> ProviderOut:
    provider = change.provider
    return ProviderOut(
        provider_id=provider.provider_id,
        name=provider.profile.name,
        turnover=provider.profile.turnover,
        turnover_evidence=provider.profile.turnover_evidence,
        registered_at=provider.registered_at,
        embargo=provider.embargo,
        channels=list(provider.published.channels or ()),
        rating=provider.published.rating,
        branches=[_to_branch_out(each) for each in provider.branches],
        places=[_to_place_out(each) for each in assess_places(provider, change.definitions, at=change.at)],
        skills=[
            SkillOut(skill=each.skill, evidence=each.evidence, valid_from=each.valid_from, valid_until=each.valid_until)
            for each in provider.skills
        ],
        spot_areas=list(provider.spot_areas),
    )


def to_provider_details(snapshot: ProviderSnapshot, *, at: datetime) -> ProviderDetails:
    return ProviderDetails(
        **dict(to_provider_out(ProviderChange(snapshot.provider, snapshot.definitions, at))),
        phone=snapshot.provider.profile.phone,
        capacity=[to_capacity_out(each) for each in snapshot.capacity],
        endpoint=None if snapshot.endpoint is None else EndpointOut.from_state(snapshot.endpoint),
    )


def _to_place_out(assessment: PlaceAssessment) -> PlaceOut:
    held = assessment.place
    return PlaceOut(
        framework=held.place.framework,
        lot=held.place.lot,
        area=held.place.area,
        tier=held.place.tier,
        service_types=list(assessment.service_types),
        number=held.number,
        applied_on=held.applied_on,
        awarded_on=held.awarded_on,
        joined_on=held.joined_on,
        until=held.until,
        existing_until=held.existing_until,
        state=assessment.state,
        recorded_state=held.state,
        approval=None if held.approval is None else _to_approval_out(held.approval),
        eligible=assessment.eligible,
        lacking=[each.words for each in assessment.outcomes if not each.is_met],
        reasons=list(assessment.reasons),
    )


def _to_approval_out(approval: PlaceApproval) -> ApprovalOut:
    return ApprovalOut(
        because=approval.because,
        requested_by=approval.requested_by,
        requested_at=approval.requested_at,
        approved_by=approval.approved_by,
        approved_at=approval.approved_at,
    )


def _to_branch_out(branch: Branch) -> BranchOut:
    newest = branch.ratings.newest
    return BranchOut(
        branch_id=branch.branch_id,
        name=branch.name,
        outward_code=branch.outward_code,
        domiciliary_care=branch.domiciliary_care,
        status=branch.status,
        rating=Rating.NOT_RATED if newest is None else newest.overall,
        published_on=None if newest is None else newest.published_on,
        ratings=_to_ratings_out(branch),
        findings=[_to_finding_out(each) for each in branch.findings],
    )


def _to_ratings_out(branch: Branch) -> list[RatingsOut]:
    valid = branch.ratings.list_valid()
    return [
        RatingsOut(
            published_on=each.published_on,
            rating=each.overall,
            key_questions=list(each.key_questions),
            recorded_at=each.recorded_at,
            corrects=each.corrects,
            counts=any(each is record for record in valid),
        )
        for each in branch.ratings.records
    ]


def _to_finding_out(finding: LocationFinding) -> FindingOut:
    return FindingOut(
        framework=finding.framework,
        within=finding.within,
        miles=f"{finding.miles:.2f}",
        found_by=finding.found_by,
        found_at=finding.found_at,
    )


def to_capacity_out(capacity: DeclaredCapacity) -> CapacityOut:
    return CapacityOut(area=capacity.area, free_hours=capacity.free_hours, declared_at=capacity.declared_at)
