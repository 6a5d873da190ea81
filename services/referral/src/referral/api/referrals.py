"""Referrals over HTTP: a council posts, follows and withdraws referrals; a placed provider learns who the person is."""

from collections.abc import Sequence
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
from referral.domain.referral import Noted, Referral, Status, What
from referral.handlers import (
    ShowPerson,
    SubmitReferral,
    Submitted,
    WithdrawReferral,
    show_person,
    submit_referral,
    withdraw_referral,
)
from referral.ports import Postcodes, ReferralListed, ReferralQueries, ReferralSeen
from service_runtime.http.app import injected
from service_runtime.http.auth import Caller, requires
from service_runtime.http.commands import CommandBus, command_bus, command_bus_without_idempotency, json_response
from service_runtime.http.paging import Cursor, Limit, Page, cursor_at, position_of
from service_runtime.http.problems import WrongField, problems
from service_runtime.idempotency import StoredResponse
from service_runtime.observability.tracing import package_attributes
from service_runtime.unit_of_work.streams import StreamKey

referrals = APIRouter(tags=["referrals"])
persons = APIRouter(tags=["persons"])

Writer = Annotated[Caller, Depends(requires("referrals:write"))]
Reader = Annotated[Caller, Depends(requires("referrals:read"))]
Provider = Annotated[Caller, Depends(requires("offers:answer"))]
Ask = Annotated[ReferralQueries, injected(ReferralQueries)]
Directory = Annotated[Postcodes, injected(Postcodes)]
Keys = Annotated[PersonKeys, injected(PersonKeys)]
Rules = Annotated[IntakeRules, injected(IntakeRules)]
Do = Annotated[CommandBus, Depends(command_bus)]
DoUnkept = Annotated[CommandBus, Depends(command_bus_without_idempotency)]

NOT_TO_BE_STORED = ("cache-control", "no-store")


def _printable(value: str) -> str:
    if all(letter.isprintable() or letter in "\n\t" for letter in value):
        return value
    message = "has characters that cannot be printed; take them out"
    raise ValueError(message)


Printable = AfterValidator(_printable)
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


@referrals.post("/v1/referrals", status_code=201, response_model=SubmittedOut, responses=problems(409))
async def post_referral(
    *, body: ReferralIn, caller: Writer, directory: Directory, keys: Keys, rules: Rules, do: Do
) -> Response:
    """Refer one adult for care at home; sourcing starts at once."""
    request = body.as_request(directory.place_of(body.person.address.postcode))
    package_id = PackageId(do.new_id())
    person_key = keys.key_of(request.person, caller.council)
    command = SubmitReferral(package_id, caller.council, request, person_key, rules)
    return await do.execute(command, submit_referral, on=_stream(package_id), by=caller, respond=_tell_submitted)


@referrals.get("/v1/referrals", response_model=Page[ReferralLine], responses=problems())
async def list_referrals(
    caller: Reader,
    ask: Ask,
    status: Annotated[Status | None, Query(description="only those that stand here")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ReferralLine]:
    """Your council's referrals, the newest first."""
    after = position_of(cursor)
    found = await ask.referrals_of(caller.council, status=status, after=after, limit=limit + 1)
    page = found[:limit]
    return Page(items=[_line(each) for each in page], next=_following(page) if len(found) > limit else None)


@referrals.get("/v1/referrals/{referral_id}", response_model=ReferralOut, responses=problems(404))
async def show_referral(referral_id: UUID, caller: Reader, ask: Ask, response: Response) -> ReferralOut:
    """One of your council's referrals: the person, where it stands, and what has happened."""
    seen = await _own_referral(referral_id, caller, ask)
    response.headers.append(*NOT_TO_BE_STORED)
    return _referral_out(seen)


@referrals.post(
    "/v1/referrals/{referral_id}/withdrawal",
    status_code=202,
    response_model=WithdrawalOut,
    responses=problems(404, 409),
)
async def post_withdrawal(referral_id: UUID, body: WithdrawalIn, caller: Writer, ask: Ask, do: Do) -> Response:
    """Take the package back: before care starts, whatever sourcing has come to. Asked again, it is the same one."""
    seen = await _own_referral(referral_id, caller, ask)
    package_id = seen.referral.package_id
    command = WithdrawReferral(package_id, body.reason)
    return await do.execute(command, withdraw_referral, on=_stream(package_id), by=caller, respond=_tell_withdrawal)


@persons.get("/v1/packages/{package_id}/person", response_model=PersonBody, responses=problems(404, 409))
async def show_person_of_package(package_id: UUID, caller: Provider, ask: Ask, do: DoUnkept) -> Response:
    """Who the person is, for the provider with which the package is placed. Each showing is on record."""
    referral = await ask.of_package(PackageId(package_id))
    if referral is None or (referral.council, referral.placed_with) != (caller.council, caller.as_provider):
        raise PersonNotShown
    command = ShowPerson(referral.package_id, caller.council, caller.as_provider)
    return await do.execute(command, show_person, on=_stream(referral.package_id), by=caller, respond=_tell_person)


async def _own_referral(referral_id: UUID, caller: Caller, ask: ReferralQueries) -> ReferralSeen:
    """Another council's referral is as unknown as one that does not exist."""
    seen = await ask.referral(ReferralId(referral_id))
    if seen is None or seen.referral.council != caller.council:
        raise ReferralNotFound
    package_attributes(seen.referral.package_id)
    return seen


def _tell_submitted(result: Submitted) -> StoredResponse:
    referral = result.referral
    body = SubmittedOut(
        referral_id=referral.referral_id,
        package_id=referral.package_id,
        status=referral.status,
        warnings=[WrongField(pointer=each.pointer, detail=each.detail) for each in result.warnings],
    )
    return json_response(body, status=201, headers=(("location", f"/v1/referrals/{referral.referral_id}"),))


def _tell_withdrawal(referral: Referral) -> StoredResponse:
    body = WithdrawalOut(
        referral_id=referral.referral_id,
        package_id=referral.package_id,
        status=referral.status,
        reason=referral.withdrawal_reason,
    )
    return json_response(body, status=202)


def _tell_person(person: Person) -> StoredResponse:
    return json_response(PersonBody.model_validate(person), headers=(NOT_TO_BE_STORED,))


def _line(listed: ReferralListed) -> ReferralLine:
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


def _following(page: Sequence[ReferralListed]) -> str:
    last = page[-1].referral
    return cursor_at(last.requested_at, last.referral_id)


def _referral_out(seen: ReferralSeen) -> ReferralOut:
    referral, about = seen.referral, seen.about
    line = _line(ReferralListed(referral, None if about is None else about.reference))
    return ReferralOut(
        **line.model_dump(),
        care=referral.care,
        wishes=referral.wishes,
        despite_open_referral=referral.despite_open_referral,
        person=None if about is None else PersonBody.model_validate(about.person),
        offers_made=sum(each.what is What.OFFER_MADE for each in seen.history),
        history=[_history_line(each) for each in seen.history],
    )


def _history_line(line: Noted) -> HistoryLine:
    return HistoryLine(what=line.what, at=line.at, stage=line.stage, provider_id=line.provider_id, reason=line.reason)


def _stream(package_id: PackageId) -> StreamKey:
    return StreamKey(PACKAGES, str(package_id))
