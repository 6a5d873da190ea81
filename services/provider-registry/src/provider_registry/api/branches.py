"""Routes of a provider's branches: registration and ratings, and officers' findings where they lie."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BeforeValidator, Field, StringConstraints

from contracts.errors import FieldError, InvalidInput
from contracts.events.providers import KeyQuestionRating
from contracts.ids import BranchId, ProviderId
from provider_registry.api.callers import Admin, Bus, build_stream_key
from provider_registry.api.provider_responses import ProviderOut, respond_with_provider
from provider_registry.domain.provider import Branch, BranchStatus
from provider_registry.domain.ratings import NewRating, find_key_question, parse_rating
from provider_registry.handlers.branches import PutBranch, RecordLocation, put_branch, record_location
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import Day, FrameworkName, OutwardName, RequestBody, ShortText, YesOrNo
from service_runtime.http.text_rules import TextRule
from service_runtime.http.value_rules import parse_amount

router = APIRouter(tags=["branches"])

RatingText = Annotated[str, StringConstraints(max_length=100), BeforeValidator(TextRule(100, min_length=0))]
"""A rating in CQC's words; any other text means not rated."""
Miles = Annotated[Decimal, Field(ge=0, le=500, max_digits=5, decimal_places=2), BeforeValidator(parse_amount)]


class KeyQuestionIn(RequestBody):
    key_question: ShortText = Field(description="by its name, Safe or Well-led; never by its position")
    rating: RatingText | None = None


class BranchIn(RequestBody):
    """One location of CQC's register. Its ratings are added to those that are known."""

    name: ShortText
    outward_code: OutwardName
    domiciliary_care: YesOrNo = Field(
        description="registered for the activity Personal care with the service type Domiciliary care service"
    )
    status: BranchStatus = BranchStatus.ACTIVE
    rating: RatingText | None = Field(
        default=None,
        description="the overall rating in CQC's words; any other text means not rated",
    )
    key_questions: list[KeyQuestionIn] | None = Field(
        default=None, max_length=5, description="null: as published before; a missing one is not rated"
    )
    published_on: Day | None = Field(default=None, description="when CQC published the ratings; null: the present ones")
    corrects: Day | None = Field(
        default=None, description="the day of a publication that was recorded wrongly, which then counts no more"
    )

    def to_branch(self, branch_id: UUID) -> Branch:
        return Branch(BranchId(branch_id), self.name, self.outward_code, self.domiciliary_care, self.status)

    def to_rating(self) -> NewRating:
        """Raises InvalidInput for an unknown or repeated key question."""
        questions = None if self.key_questions is None else _to_key_questions(self.key_questions)
        return NewRating(parse_rating(self.rating), questions, self.published_on, self.corrects)


class LocationIn(RequestBody):
    """Where an officer found the branch to lie."""

    framework: FrameworkName = Field(description="whose boundary it is")
    within: YesOrNo = Field(description="within the boundary")
    miles: Miles | None = Field(default=None, description="outside it: as the crow flies, from the branch's postcode")

    def to_miles(self) -> Decimal:
        """Raises InvalidInput if the miles are missing outside the boundary, or given within it."""
        if self.within == (self.miles is not None):
            detail = "is for a branch outside the boundary only" if self.within else "is missing; give the distance"
            raise InvalidInput(FieldError("#/miles", detail))
        return Decimal("0.00") if self.miles is None else self.miles


@router.put(
    "/v1/providers/{provider_id}/branches/{branch_id}",
    response_model=ProviderOut,
    responses=describe_problems(404, 409),
)
async def put_provider_branch(provider_id: UUID, branch_id: UUID, body: BranchIn, caller: Admin, bus: Bus) -> Response:
    """Add or replace a branch's registration, and add its ratings in CQC's words to its history."""
    command = PutBranch(ProviderId(provider_id), body.to_branch(branch_id), body.to_rating())
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, put_branch, on=stream, by=caller, respond=respond_with_provider)


@router.post(
    "/v1/providers/{provider_id}/branches/{branch_id}/location",
    response_model=ProviderOut,
    responses=describe_problems(404, 409),
)
async def post_location(provider_id: UUID, branch_id: UUID, body: LocationIn, caller: Admin, bus: Bus) -> Response:
    """Record where a branch lies, by a framework's boundary; the newest finding counts, and the earlier ones stay."""
    command = RecordLocation(ProviderId(provider_id), BranchId(branch_id), body.framework, body.within, body.to_miles())
    stream = build_stream_key(command.provider_id)
    return await bus.execute(command, record_location, on=stream, by=caller, respond=respond_with_provider)


def _to_key_questions(sent: list[KeyQuestionIn]) -> tuple[KeyQuestionRating, ...]:
    found = [find_key_question(each.key_question) for each in sent]
    wrong = [
        FieldError(f"#/key_questions/{position}/key_question", "is unknown or given twice; the five are CQC's")
        for position, question in enumerate(found)
        if question is None or question in found[:position]
    ]
    if wrong:
        raise InvalidInput(*wrong)
    return tuple(
        KeyQuestionRating(key_question=question, rating=parse_rating(each.rating))
        for question, each in zip(found, sent, strict=True)
        if question is not None
    )
