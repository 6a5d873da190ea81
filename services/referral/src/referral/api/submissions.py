"""The route that submits a referral, with its request and response bodies."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.ids import AreaCode, FrameworkKey, PackageId, ProviderId
from contracts.values import CarerGender, Need, ServiceType, Urgency, Visit, Wishes
from referral.api.callers import Bus, Writer, build_stream_key
from referral.api.persons import PersonBody
from referral.api.text_fields import ShortText
from referral.domain.intake import DespiteOpenReferral, IntakeRules, PostcodeResult, ReferralRequest
from referral.domain.person import PersonKeyHasher
from referral.domain.referral import Status
from referral.handlers import SubmissionResult, SubmitReferral, submit_referral
from referral.ports import PostcodeLocator
from service_runtime.http.app import inject
from service_runtime.http.commands import json_response
from service_runtime.http.problems import WrongField, describe_problems
from service_runtime.idempotency import StoredResponse

router = APIRouter(tags=["referrals"])

Locator = Annotated[PostcodeLocator, inject(PostcodeLocator)]
Hasher = Annotated[PersonKeyHasher, inject(PersonKeyHasher)]
Rules = Annotated[IntakeRules, inject(IntakeRules)]


class ReferralIn(BaseModel):
    """A need for care at home of one adult."""

    model_config = ConfigDict(extra="forbid")

    reference: Annotated[
        ShortText, Field(max_length=100, description="your own reference; returned to your council only")
    ]
    person: PersonBody
    service_type: ServiceType
    visits: tuple[Visit, ...] = Field(min_length=1, max_length=50)
    starts_on: date
    urgency: Urgency = Urgency.ROUTINE
    needs: tuple[Need, ...] = Field(default=(), max_length=len(Need))
    carer_gender: CarerGender = Field(default=CarerGender.ANY, description="only where it matters to the care")
    refused_providers: tuple[UUID, ...] = Field(
        default=(), max_length=50, description="providers that receive no offer of this package"
    )
    preferred_providers: tuple[UUID, ...] = Field(
        default=(), max_length=50, description="shown to officers; the framework alone decides the order of offers"
    )
    district: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9-]{2,32}$",
        description="where care is given; required if the postcode directory has no district for the postcode",
    )
    district_confirmed: bool = Field(
        default=False, description="true: `district` applies although the postcode is in another district"
    )
    framework: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9-]{3,60}$",
        description="required if several frameworks of your council that are in force have the district",
    )
    despite_open_referral: DespiteOpenReferral | None = Field(
        default=None,
        description="the reason for another referral while one is open for the same person and service",
    )

    def to_request(self, postcode_result: PostcodeResult) -> ReferralRequest:
        return ReferralRequest(
            reference=self.reference,
            person=self.person.to_person(),
            postcode_result=postcode_result,
            service_type=self.service_type,
            visits=self.visits,
            starts_on=self.starts_on,
            urgency=self.urgency,
            needs=self.needs,
            carer_gender=self.carer_gender,
            wishes=Wishes(
                refused=tuple(map(ProviderId, self.refused_providers)),
                preferred=tuple(map(ProviderId, self.preferred_providers)),
            ),
            district=None if self.district is None else AreaCode(self.district),
            district_confirmed=self.district_confirmed,
            framework=None if self.framework is None else FrameworkKey(self.framework),
            despite_open_referral=self.despite_open_referral,
        )


class SubmittedOut(BaseModel):
    """The referral is accepted, and the search for a provider has started. Nothing here identifies the person."""

    referral_id: UUID
    package_id: UUID = Field(description="the opaque reference of the package in every other service")
    status: Status
    warnings: list[WrongField] = Field(description="fields that are accepted but look wrong; check them")


@router.post("/v1/referrals", status_code=201, response_model=SubmittedOut, responses=describe_problems(409))
async def post_referral(
    *, body: ReferralIn, caller: Writer, locator: Locator, hasher: Hasher, rules: Rules, bus: Bus
) -> Response:
    """Refer one adult for care at home; the search for a provider starts at once."""
    request = body.to_request(locator.locate(body.person.address.postcode))
    package_id = PackageId(bus.new_id())
    person_key = hasher.compute_key(request.person, caller.council)
    command = SubmitReferral(package_id, caller.council, request, person_key, rules)
    return await bus.execute(
        command,
        submit_referral,
        on=build_stream_key(package_id),
        by=caller,
        respond=_respond_with_submission,
        creates_subject=True,
    )


def _respond_with_submission(result: SubmissionResult) -> StoredResponse:
    referral = result.referral
    body = SubmittedOut(
        referral_id=referral.referral_id,
        package_id=referral.package_id,
        status=referral.status,
        warnings=[WrongField(pointer=warning.pointer, detail=warning.detail) for warning in result.warnings],
    )
    return json_response(body, status=201, headers=(("location", f"/v1/referrals/{referral.referral_id}"),))
