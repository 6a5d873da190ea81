"""Builders of referral's values for tests. All people, providers and councils are invented."""

from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any, Final

from contracts.events.base import PackageEvent
from contracts.example_words import ServiceTypes
from contracts.examples import COLCHESTER, COUNCIL, a_visit, an_example_of, an_id, some_care
from contracts.ids import PackageId, ProviderId, ReferralId
from contracts.values import Wishes
from referral.domain.person import Address, Contact, Person, PersonKeyHasher
from referral.domain.referral import Referral
from referral.domain.request import LocatedPostcode, ReferralRequest
from referral.ports import NotificationTerms, PersonDetails
from testkit.clocks import MONDAY_NINE

PACKAGE: Final = PackageId(an_id("package_id"))
KEYS: Final = PersonKeyHasher(b"a secret that only tests have, of some length")
AN_NHS_NUMBER: Final = "999 000 0018"
"""It has a valid check digit and is from the range that is never issued."""
NOTIFICATION_TERMS: Final = NotificationTerms(
    referral_url="https://referral.example",
    notification_delivery_timeout=timedelta(hours=24),
)
MONDAY_AFTER: Final = date(2026, 3, 9)


def a_person(**changed: Any) -> Person:  # any field of Person, as `replace` takes them
    """An invented woman of 85 in Colchester."""
    defaults = Person(
        name="Test Person",
        date_of_birth=date(1940, 5, 17),
        address=Address(("1 Invented Street", "Colchester"), "CO1 1PJ"),
        nhs_number=AN_NHS_NUMBER,
        phone="01632 960001",
        contacts=(Contact("Test Daughter", "daughter", "01632 960002"),),
        communication_needs="speaks softly",
        notes="the key is with the neighbour",
    )
    return replace(defaults, **changed)


def some_person_details(**changed: Any) -> PersonDetails:  # any field of Person, as `replace` takes them
    return PersonDetails(a_person(**changed), "OUR-REFERENCE-1")


def a_body(**changed: object) -> dict[str, Any]:  # JSON, as a council's system writes it
    """The request body of the referral `a_request`."""
    person = a_person()
    defaults: dict[str, object] = {
        "reference": "OUR-REFERENCE-1",
        "person": {
            "name": person.name,
            "date_of_birth": person.date_of_birth.isoformat(),
            "nhs_number": person.nhs_number,
            "address": {"lines": list(person.address.lines), "postcode": person.address.postcode},
            "phone": person.phone,
            "contacts": [asdict(contact) for contact in person.contacts],
            "communication_needs": person.communication_needs,
            "notes": person.notes,
        },
        "service_type": "personal-care",
        "visits": [{"days": ["MON", "TUE"], "earliest": "07:30", "latest": "09:00", "minutes": 30}],
        "starts_on": MONDAY_AFTER.isoformat(),
    }
    return {**defaults, **changed}


def a_body_with_person(**changed: object) -> dict[str, Any]:  # JSON, as a council's system writes it
    """The request body of a referral with other fields of the person."""
    return a_body(person={**a_body()["person"], **changed})


def a_known_place() -> LocatedPostcode:
    return LocatedPostcode("CO1", COLCHESTER)


def a_request(**changed: Any) -> ReferralRequest:  # any field of ReferralRequest, as `replace` takes them
    """A referral for personal care every morning in Colchester, from `MONDAY_AFTER` on."""
    defaults = ReferralRequest(
        reference="OUR-REFERENCE-1",
        person=a_person(),
        postcode_result=a_known_place(),
        service_type=ServiceTypes.PERSONAL_CARE,
        visits=(a_visit(),),
        starts_on=MONDAY_AFTER,
    )
    return replace(defaults, **changed)


def a_referral(**changed: Any) -> Referral:  # any field of Referral, as `replace` takes them
    defaults = Referral(
        referral_id=ReferralId(an_id("referral_id")),
        package_id=PACKAGE,
        council=COUNCIL,
        care=some_care(starts_on=MONDAY_AFTER),
        wishes=Wishes(),
        requested_at=MONDAY_NINE,
    )
    return replace(defaults, **changed)


def to_provider_id(name: str) -> ProviderId:
    """The id of an invented provider; the same name always gives the same id."""
    return ProviderId(an_id(name))


def build_event(event: type[PackageEvent], package_id: PackageId = PACKAGE, **fields: object) -> PackageEvent:
    """Builds an example of another service's event about a package."""
    return an_example_of(event, package_id=package_id, **fields)
