"""The person of a referral as it is submitted, and as it is shown.

What is shown is what was stored, so that it has no limits of its own: a rule that is added later hides no person.
"""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from referral.api.text_fields import ContactNumber, NhsNumberText, PostcodeText
from referral.domain.person import Address, Contact, Person
from service_runtime.http.text_fields import BirthDate, LongText, RequestBody, ShortText


class AddressIn(RequestBody):
    lines: tuple[ShortText, ...] = Field(min_length=1, max_length=6)
    postcode: PostcodeText


class ContactIn(RequestBody):
    """A contact of the person, such as a relative."""

    name: ShortText
    relationship: ShortText
    phone: ContactNumber


class PersonIn(RequestBody):
    """The adult who needs care. Only the council that posted the referral and the placed provider can read it."""

    name: ShortText
    date_of_birth: BirthDate
    nhs_number: NhsNumberText | None = Field(
        default=None, description="checked by modulus 11; a number that fails the check is reported under warnings"
    )
    address: AddressIn
    phone: ContactNumber | None = None
    contacts: tuple[ContactIn, ...] = Field(default=(), max_length=10)
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


class AddressOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    lines: tuple[str, ...]
    postcode: str


class ContactOut(BaseModel):
    """A contact of the person, such as a relative."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    relationship: str
    phone: str


class PersonOut(BaseModel):
    """The adult who needs care."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    date_of_birth: date
    nhs_number: str | None
    address: AddressOut
    phone: str | None
    contacts: tuple[ContactOut, ...]
    communication_needs: str | None
    notes: str | None
