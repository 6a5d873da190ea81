"""Referrals over HTTP: a council posts, follows and withdraws referrals; a placed provider learns who the person is."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from contracts.catalogue import PACKAGES
from contracts.ids import AreaCode, FrameworkKey, PackageId, ProviderId, ReferralId
from contracts.values import Care, CarerGender, Need, ServiceType, Urgency, Visit, Wishes, WithdrawalReason
from referral.domain.errors import PersonNotShown, ReferralNotFound
from referral.domain.intake import DespiteOpenReferral, IntakeRules, PlaceFound, ReferralRequest
from referral.domain.person import Address, Contact, Person, PersonKeys
from referral.domain.referral import HistoryEntry, Referral, Status, What
from referral.handlers import (
    ShowPerson,
    SubmitReferral,
    Submitted,
    WithdrawReferral,
    show_person,
    submit_referral,
    withdraw_referral,
)
from referral.ports import Postcodes, ReferralDetails, ReferralQueries, ReferralSummary
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller, require_scopes
from service_runtime.http.commands import CommandBus, command_bus, command_bus_without_idempotency, json_response
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import WrongField, describe_problems
from service_runtime.idempotency import StoredResponse
from service_runtime.observability.tracing import set_package
from service_runtime.unit_of_work.streams import StreamKey

referrals = APIRouter(tags=["referrals"])
persons = APIRouter(tags=["persons"])

Writer = Annotated[Caller, Depends(require_scopes("referrals:write"))]
Reader = Annotated[Caller, Depends(require_scopes("referrals:read"))]
Provider = Annotated[Caller, Depends(require_scopes("offers:answer"))]
Queries = Annotated[ReferralQueries, inject(ReferralQueries)]
Directory = Annotated[Postcodes, inject(Postcodes)]
Keys = Annotated[PersonKeys, inject(PersonKeys)]
Rules = Annotated[IntakeRules, inject(IntakeRules)]
Bus = Annotated[CommandBus, Depends(command_bus)]
BusWithoutIdempotency = Annotated[CommandBus, Depends(command_bus_without_idempotency)]

NOT_TO_BE_STORED = ("cache-control", "no-store")


def _check_printable(value: str) -> str:
    if all(letter.isprintable() or letter in "\n\t" for letter in value):
        return value
    message = "has characters that cannot be printed; take them out"
    raise ValueError(message)


Printable = AfterValidator(_check_printable)
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Printable]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=40), Printable]
Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), Printable]


class AddressBody(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)

    lines: tuple[Line, ...] = Field(min_length=1, max_length=6)
    postcode: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=16), Printable]


class ContactBody(BaseModel):
    """Somebody to speak to about the person."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    name: Line
    relationship: Line
    phone: Phone


class PersonBody(BaseModel):
    """The adult. Kept in referral alone; only the council that sent it and the placed provider ever see it."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    name: Line
    date_of_birth: date
    nhs_number: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20), Printable] | None
    ) = Field(default=None, description="checked by modulus 11; what fails is reported under warnings")
    address: AddressBody
    phone: Phone | None = None
    contacts: tuple[ContactBody, ...] = Field(default=(), max_length=10)
    communication_needs: Paragraph | None = None
    notes: Paragraph | None = None

    def as_person(self) -> Person:
        return Person(
            name=self.name,
            date_of_birth=self.date_of_birth,
            address=Address(self.address.lines, self.address.postcode),
            nhs_number=self.nhs_number,
            phone=self.phone,
            contacts=tuple(Contact(each.name, each.relationship, each.phone) for each in self.contacts),
            communication_needs=self.communication_needs,
            notes=self.notes,
        )


class ReferralIn(BaseModel):
    """Care at home that is needed for one adult."""

    model_config = ConfigDict(extra="forbid")

    reference: Annotated[Line, Field(max_length=100, description="your own; given back to you, and to nobody else")]
    person: PersonBody
    service_type: ServiceType
    visits: tuple[Visit, ...] = Field(min_length=1, max_length=50)
    starts_on: date
    urgency: Urgency = Urgency.ROUTINE
    needs: tuple[Need, ...] = Field(default=(), max_length=len(Need))
    carer_gender: CarerGender = Field(default=CarerGender.ANY, description="only where it matters to the care")
    refused_providers: tuple[UUID, ...] = Field(default=(), max_length=50, description="will not be asked")
    preferred_providers: tuple[UUID, ...] = Field(
        default=(), max_length=50, description="shown to officers; the order of offers stays as the framework has it"
    )
    district: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9-]{2,32}$",
        description="where care is given; needed where our directory does not know the postcode",
    )
    district_confirmed: bool = Field(
        default=False, description="true: `district` holds although the postcode is in another one"
    )
    framework: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9-]{3,60}$",
        description="needed where several frameworks of your council in force have the district",
    )
    despite_open_referral: DespiteOpenReferral | None = Field(
        default=None, description="why there is to be another referral for this person and service while one is open"
    )

    def as_request(self, place: PlaceFound) -> ReferralRequest:
        return ReferralRequest(
            reference=self.reference,
            person=self.person.as_person(),
            place=place,
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
    """The referral is taken in, and its package is being sourced. Nothing here says who the person is."""

    referral_id: UUID
    package_id: UUID = Field(description="the opaque reference under which everybody else knows the package")
    status: Status
    warnings: list[WrongField] = Field(description="noticed and not refused; check these fields")


class WithdrawalIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: WithdrawalReason


class ReferralLine(BaseModel):
    """One referral without anything that tells whom it is about."""

    referral_id: UUID
    package_id: UUID
    reference: str | None = Field(description="your own; null once the person was erased")
    status: Status
    service_type: ServiceType
    district: str
    starts_on: date
    urgency: Urgency
    requested_at: datetime
    placed_with: UUID | None = Field(description="the provider that has the package")
    withdrawal_reason: WithdrawalReason | None


class HistoryLine(BaseModel):
    """One thing that happened, in the order in which one caused the other."""

    what: What
    at: datetime
    stage: str | None
    provider_id: UUID | None
    reason: str | None


class ReferralOut(ReferralLine):
    """One of your referrals, with the person whom it is about."""

    care: Care
    wishes: Wishes
    despite_open_referral: DespiteOpenReferral | None
    person: PersonBody | None = Field(description="null once the person was erased")
    offers_made: int
    history: list[HistoryLine]


class WithdrawalOut(BaseModel):
    """The withdrawal is in hand; sourcing settles what it means, and the status then says `withdrawn`."""

    referral_id: UUID
    package_id: UUID
    status: Status
    reason: WithdrawalReason | None


@referrals.post("/v1/referrals", status_code=201, response_model=SubmittedOut, responses=describe_problems(409))
async def post_referral(
    *, body: ReferralIn, caller: Writer, directory: Directory, keys: Keys, rules: Rules, bus: Bus
) -> Response:
    """Refer one adult for care at home; sourcing starts at once."""
    request = body.as_request(directory.locate(body.person.address.postcode))
    package_id = PackageId(bus.new_id())
    person_key = keys.compute_key(request.person, caller.council)
    command = SubmitReferral(package_id, caller.council, request, person_key, rules)
    return await bus.execute(
        command, submit_referral, on=_build_stream_key(package_id), by=caller, respond=_respond_with_submitted
    )


@referrals.get("/v1/referrals", response_model=Page[ReferralLine], responses=describe_problems())
async def list_referrals(
    caller: Reader,
    queries: Queries,
    status: Annotated[Status | None, Query(description="only those that stand here")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ReferralLine]:
    """Your council's referrals, the newest first."""
    after = decode_cursor(cursor)
    found = await queries.list_referrals(caller.council, status=status, after=after, limit=limit + 1)
    return build_page(found, limit, to_item=_to_referral_line, position=_to_position)


@referrals.get("/v1/referrals/{referral_id}", response_model=ReferralOut, responses=describe_problems(404))
async def show_referral(referral_id: UUID, caller: Reader, queries: Queries, response: Response) -> ReferralOut:
    """One of your council's referrals: the person, where it stands, and what has happened."""
    seen = await _load_own_referral(referral_id, caller, queries)
    response.headers.append(*NOT_TO_BE_STORED)
    return _to_referral_out(seen)


@referrals.post(
    "/v1/referrals/{referral_id}/withdrawal",
    status_code=202,
    response_model=WithdrawalOut,
    responses=describe_problems(404, 409),
)
async def post_withdrawal(
    referral_id: UUID, body: WithdrawalIn, caller: Writer, queries: Queries, bus: Bus
) -> Response:
    """Take the package back: before care starts, whatever sourcing has come to. Asked again, it is the same one."""
    seen = await _load_own_referral(referral_id, caller, queries)
    package_id = seen.referral.package_id
    command = WithdrawReferral(package_id, body.reason)
    return await bus.execute(
        command, withdraw_referral, on=_build_stream_key(package_id), by=caller, respond=_respond_with_withdrawal
    )


@persons.get("/v1/packages/{package_id}/person", response_model=PersonBody, responses=describe_problems(404, 409))
async def show_person_of_package(
    package_id: UUID, caller: Provider, queries: Queries, bus: BusWithoutIdempotency
) -> Response:
    """Who the person is, for the provider with which the package is placed. Each showing is on record."""
    referral = await queries.find_by_package(PackageId(package_id))
    if referral is None or (referral.council, referral.placed_with) != (caller.council, caller.as_provider):
        raise PersonNotShown
    command = ShowPerson(referral.package_id, caller.council, caller.as_provider)
    return await bus.execute(
        command, show_person, on=_build_stream_key(referral.package_id), by=caller, respond=_respond_with_person
    )


async def _load_own_referral(referral_id: UUID, caller: Caller, queries: ReferralQueries) -> ReferralDetails:
    """Another council's referral is as unknown as one that does not exist."""
    seen = await queries.find_referral(ReferralId(referral_id))
    if seen is None or seen.referral.council != caller.council:
        raise ReferralNotFound
    set_package(seen.referral.package_id)
    return seen


def _respond_with_submitted(result: Submitted) -> StoredResponse:
    referral = result.referral
    body = SubmittedOut(
        referral_id=referral.referral_id,
        package_id=referral.package_id,
        status=referral.status,
        warnings=[WrongField(pointer=each.pointer, detail=each.detail) for each in result.warnings],
    )
    return json_response(body, status=201, headers=(("location", f"/v1/referrals/{referral.referral_id}"),))


def _respond_with_withdrawal(referral: Referral) -> StoredResponse:
    body = WithdrawalOut(
        referral_id=referral.referral_id,
        package_id=referral.package_id,
        status=referral.status,
        reason=referral.withdrawal_reason,
    )
    return json_response(body, status=202)


def _respond_with_person(person: Person) -> StoredResponse:
    return json_response(PersonBody.model_validate(person), headers=(NOT_TO_BE_STORED,))


def _to_referral_line(listed: ReferralSummary) -> ReferralLine:
    referral = listed.referral
    return ReferralLine(
        referral_id=referral.referral_id,
        package_id=referral.package_id,
        reference=listed.reference,
        status=referral.status,
        service_type=referral.care.service_type,
        district=referral.care.area,
        starts_on=referral.care.starts_on,
        urgency=referral.care.urgency,
        requested_at=referral.requested_at,
        placed_with=referral.placed_with,
        withdrawal_reason=referral.withdrawal_reason,
    )


def _to_position(listed: ReferralSummary) -> tuple[datetime, UUID]:
    return listed.referral.requested_at, listed.referral.referral_id


def _to_referral_out(seen: ReferralDetails) -> ReferralOut:
    referral, about = seen.referral, seen.about
    line = _to_referral_line(ReferralSummary(referral, None if about is None else about.reference))
    return ReferralOut(
        **line.model_dump(),
        care=referral.care,
        wishes=referral.wishes,
        despite_open_referral=referral.despite_open_referral,
        person=None if about is None else PersonBody.model_validate(about.person),
        offers_made=sum(each.what is What.OFFER_MADE for each in seen.history),
        history=[_to_history_line(each) for each in seen.history],
    )


def _to_history_line(line: HistoryEntry) -> HistoryLine:
    return HistoryLine(what=line.what, at=line.at, stage=line.stage, provider_id=line.provider_id, reason=line.reason)


def _build_stream_key(package_id: PackageId) -> StreamKey:
    return StreamKey(PACKAGES, str(package_id))
