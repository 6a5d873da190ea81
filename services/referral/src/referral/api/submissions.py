"""The route that submits a referral, with its request and response bodies."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from contracts.ids import PackageId, ProviderId
from contracts.values import CarerGender, Wishes
from referral.api.callers import Bus, Writer, build_stream_key
from referral.api.person_bodies import PersonIn
from referral.api.visits import VisitIn
from referral.domain.intake import IntakeRules
from referral.domain.person import PersonKeyHasher
from referral.domain.referral import Status
from referral.domain.request import DespiteOpenReferral, PostcodeResult, ReferralRequest
from referral.handlers import SubmissionResult, SubmitReferral, submit_referral
from referral.ports import PostcodeLocator
from service_runtime.http.app import inject
from service_runtime.http.commands import json_response
from service_runtime.http.problems import WrongField, describe_problems
from service_runtime.http.text_fields import (
    AreaName,
    Day,
    FrameworkName,
    InstantText,
    LotName,
    NeedName,
    RequestBody,
    RouteName,
    ServiceTypeName,
    Uuid,
    YesOrNo,
)
from service_runtime.http.text_rules import TextRule
from service_runtime.idempotency import StoredResponse

router = APIRouter(tags=["referrals"])

Locator = Annotated[PostcodeLocator, inject(PostcodeLocator)]
Hasher = Annotated[PersonKeyHasher, inject(PersonKeyHasher)]
Rules = Annotated[IntakeRules, inject(IntakeRules)]

MAX_NEEDS: Final = 100


class ReferralIn(RequestBody):
    """A need for care at home of one adult."""

    reference: Annotated[
        str,
        StringConstraints(min_length=1, max_length=100),
        BeforeValidator(TextRule(100)),
        Field(description="your own reference; returned to your council only"),
    ]
    person: PersonIn
    service_type: ServiceTypeName = Field(description="a word of the framework, as are route, needs, lot and area")
    visits: tuple[VisitIn, ...] = Field(min_length=1, max_length=50)
    starts_on: Day
    route: RouteName | None = Field(
        default=None, description="how the referral comes; default: the framework's first route that is not urgent"
    )
    urgent_since: InstantText | None = Field(
        default=None, description="for an urgent route: since when it is urgent; not in the future"
    )
    needs: tuple[NeedName, ...] = Field(
        default=(), max_length=MAX_NEEDS, description="skills that the care needs, and circumstances of the home"
    )
    carer_gender: CarerGender = Field(default=CarerGender.ANY, description="only where it matters to the care")
    refused_providers: tuple[Uuid, ...] = Field(
        default=(), max_length=50, description="providers that receive no offer of this package"
    )
    preferred_providers: tuple[Uuid, ...] = Field(
        default=(), max_length=50, description="shown to officers; the framework alone decides the order of offers"
    )
    framework: FrameworkName | None = Field(
        default=None, description="required if several frameworks of your council apply"
    )
    lot: LotName | None = Field(default=None, description="required if several lots of the framework apply")
    area: AreaName | None = Field(
        default=None,
        description="where care is given; required if the postcode directory has no district for the postcode, or if "
        "the framework has several areas in the district",
    )
    area_confirmed: YesOrNo = Field(
        default=False, description="true: `area` applies although it does not cover the district of the postcode"
    )
    follows_package: Uuid | None = Field(
        default=None,
        description="the package_id of a placed package of the same person that this one follows, such as its "
        "reablement; some frameworks ask the same provider first",
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
            visits=tuple(visit.to_visit() for visit in self.visits),
            starts_on=self.starts_on,
            route=self.route,
            urgent_since=self.urgent_since,
            needs=self.needs,
            carer_gender=self.carer_gender,
            wishes=Wishes(
                refused=tuple(map(ProviderId, self.refused_providers)),
                preferred=tuple(map(ProviderId, self.preferred_providers)),
            ),
            framework=self.framework,
            lot=self.lot,
            area=self.area,
            area_confirmed=self.area_confirmed,
            follows_package=None if self.follows_package is None else PackageId(self.follows_package),
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
