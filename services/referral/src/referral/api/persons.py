"""The person of a referral: the JSON body, and the route that discloses the person to the placed provider."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.ids import PackageId
from referral.api.callers import NO_STORE, BusWithoutIdempotency, Provider, Queries, build_stream_key
from referral.api.text_fields import LongText, NhsNumberText, PhoneNumber, PostcodeText, ShortText
from referral.domain.errors import PersonNotShown
from referral.domain.person import Address, Contact, Person
from referral.handlers import ShowPerson, show_person
from service_runtime.http.commands import json_response
from service_runtime.http.problems import describe_problems
from service_runtime.idempotency import StoredResponse

router = APIRouter(tags=["persons"])


class AddressBody(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)

    lines: tuple[ShortText, ...] = Field(min_length=1, max_length=6)
    postcode: PostcodeText


class ContactBody(BaseModel):
    """A contact of the person, such as a relative."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    name: ShortText
    relationship: ShortText
    phone: PhoneNumber


class PersonBody(BaseModel):
    """The adult who needs care. Only the council that posted the referral and the placed provider can read it."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    name: ShortText
    date_of_birth: date
    nhs_number: NhsNumberText | None = Field(
        default=None, description="checked by modulus 11; a number that fails the check is reported under warnings"
    )
    address: AddressBody
    phone: PhoneNumber | None = None
    contacts: tuple[ContactBody, ...] = Field(default=(), max_length=10)
    communication_needs: LongText | None = None
    notes: LongText | None = None

    def to_person(self) -> Person:
        return Person(
            name=self.name,
            date_of_birth=self.date_of_birth,
            address=Address(self.address.lines, self.address.postcode),
            nhs_number=self.nhs_number,
            phone=self.phone,
            contacts=tuple(Contact(contact.name, contact.relationship, contact.phone) for contact in self.contacts),
            communication_needs=self.communication_needs,
            notes=self.notes,
        )


@router.get("/v1/packages/{package_id}/person", response_model=PersonBody, responses=describe_problems(404, 409))
async def show_person_of_package(
    package_id: UUID, caller: Provider, queries: Queries, bus: BusWithoutIdempotency
) -> Response:
    """The person of a package that is placed with the calling provider. Every disclosure is put on record."""
    referral = await queries.find_by_package(PackageId(package_id))
    if referral is None or (referral.council, referral.placed_with) != (caller.council, caller.as_provider):
        raise PersonNotShown
    command = ShowPerson(referral.package_id, caller.council, caller.as_provider)
    return await bus.execute(
        command, show_person, on=build_stream_key(referral.package_id), by=caller, respond=_respond_with_person
    )


def _respond_with_person(person: Person) -> StoredResponse:
    return json_response(PersonBody.model_validate(person), headers=(NO_STORE,))
