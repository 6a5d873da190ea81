"""Taking a referral in: what is wrong with it, all of it at once, and the care that it asks sourcing for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from contracts.errors import FieldError, InvalidInput
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, FrameworkKey
from contracts.values import Care, CarerGender, Need, ServiceType, Urgency, Visit, Wishes
from referral.domain.errors import FrameworksNotKnown
from referral.domain.person import ADULT, OLDEST, Person, compute_age, find_age_band, is_nhs_number

POSTCODE = "#/person/address/postcode"
DISTRICT = "#/district"


@dataclass(frozen=True)
class KnownPlace:
    """The directory has the postcode, and says which district it is in."""

    outward_code: str
    district: AreaCode


@dataclass(frozen=True)
class UnknownPlace:
    """The postcode is one, but has no district; `why` says what to do."""

    outward_code: str
    why: str


@dataclass(frozen=True)
class NotAPostcode:
    """The text has not the form of a postcode; `why` says what to do."""

    why: str


PlaceFound = KnownPlace | UnknownPlace | NotAPostcode


class DespiteOpenReferral(StrEnum):
    """Why there is to be another referral although one is open for the same person and service."""

    SEPARATE_PACKAGE = "a separate package for the same person"
    REPLACEMENT = "replaces the open referral, which is being withdrawn"
    DIFFERENT_PERSON = "a different person with the same details"


@dataclass(frozen=True)
class IntakeRules:
    """What a council may choose about taking referrals in."""

    refuses_invalid_nhs_number: bool = False


@dataclass(frozen=True)
class ReferralRequest:
    """What a council's system asks for."""

    reference: str
    person: Person
    place: PlaceFound
    service_type: ServiceType
    visits: tuple[Visit, ...]
    starts_on: date
    urgency: Urgency = Urgency.ROUTINE
    needs: tuple[Need, ...] = ()
    carer_gender: CarerGender = CarerGender.ANY
    wishes: Wishes = field(default_factory=Wishes)
    district: AreaCode | None = None
    district_confirmed: bool = False
    framework: FrameworkKey | None = None
    despite_open_referral: DespiteOpenReferral | None = None

    @property
    def area(self) -> AreaCode | None:
        """Where the care is given: the district that was chosen, else the postcode's; None where that is unknown."""
        if self.district is not None:
            return self.district
        return self.place.district if isinstance(self.place, KnownPlace) else None


def build_care(
    request: ReferralRequest, frameworks: Sequence[FrameworkDefinition], *, today: date, rules: IntakeRules
) -> Care:
    """What sourcing is asked for, under the one of the council's `frameworks` that fits.

    Raises InvalidInput with every field that is wrong, FrameworksNotKnown while `frameworks` is empty.
    """
    in_force = [each for each in frameworks if each.runs_from <= today <= each.runs_until]
    fitting = [each for each in in_force if _is_fitting(each, request)]
    wrong = [*_check_person(request, rules), *_check_place(request), *_check_care(request, today)]
    if frameworks:
        wrong += _check_framework(request, in_force, fitting)
    if wrong:
        raise InvalidInput(*wrong)
    if not frameworks:
        raise FrameworksNotKnown
    assert request.area is not None, "a request without a district was refused above"
    assert not isinstance(request.place, NotAPostcode), "a request without a postcode was refused above"
    return Care(
        framework=fitting[0].framework,
        area=request.area,
        outward_code=request.place.outward_code,
        service_type=request.service_type,
        visits=request.visits,
        starts_on=request.starts_on,
        urgency=request.urgency,
        needs=request.needs,
        age_band=find_age_band(compute_age(request.starts_on, born=request.person.date_of_birth)),
        carer_gender=request.carer_gender,
    )


def find_warnings(request: ReferralRequest) -> tuple[FieldError, ...]:
    """What is reported without being refused: an NHS number that cannot be one."""
    return tuple(_check_nhs_number(request.person))


def _check_person(request: ReferralRequest, rules: IntakeRules) -> Iterable[FieldError]:
    age = compute_age(request.starts_on, born=request.person.date_of_birth)
    if age < ADULT:
        yield FieldError(
            "#/person/date_of_birth", "the person is under 18 when care starts; Call-off sources care for adults"
        )
    if age > OLDEST:
        yield FieldError("#/person/date_of_birth", f"makes the person older than {OLDEST}; check the year")
    if rules.refuses_invalid_nhs_number:
        yield from _check_nhs_number(request.person)


def _check_nhs_number(person: Person) -> Iterable[FieldError]:
    if person.nhs_number is not None and not is_nhs_number(person.nhs_number):
        yield FieldError("#/person/nhs_number", "is no NHS number (check digit, modulus 11); check it, or leave it out")


def _check_place(request: ReferralRequest) -> Iterable[FieldError]:
    """A chosen district wins where the postcode has none; against the postcode's own it wins only if confirmed."""
    match request.place:
        case NotAPostcode(why=why):
            yield FieldError(POSTCODE, why)
        case UnknownPlace(why=why) if request.district is None:
            yield FieldError(POSTCODE, why)
            yield FieldError(DISTRICT, "is needed where the postcode does not tell it")
        case KnownPlace(district=district) if request.area != district and not request.district_confirmed:
            yield FieldError(
                DISTRICT,
                "is not the district of the postcode; leave it out, or set district_confirmed if care is given there",
            )
        case _:
            return


def _check_care(request: ReferralRequest, today: date) -> Iterable[FieldError]:
    if request.starts_on < today:
        yield FieldError("#/starts_on", "has passed; give today or a later day")
    if len(set(request.needs)) != len(request.needs):
        yield FieldError("#/needs", "names a need twice; name each once")
    if set(request.wishes.refused) & set(request.wishes.preferred):
        yield FieldError("#/preferred_providers", "names a provider that is also refused; keep it in one of the two")


def _is_fitting(framework: FrameworkDefinition, request: ReferralRequest) -> bool:
    named = request.framework in {None, framework.framework}
    return named and request.area is not None and framework.has_area(request.area)


def _check_framework(
    request: ReferralRequest, in_force: Sequence[FrameworkDefinition], fitting: Sequence[FrameworkDefinition]
) -> Iterable[FieldError]:
    """The council's one framework in force that has the district, or the one that was named, and that alone."""
    names = [each.framework for each in in_force]
    if not in_force:
        yield FieldError("#/framework", "no framework of your council is in force today")
        return
    if request.framework is not None and request.framework not in names:
        yield FieldError("#/framework", f"is no framework of your council in force; choose {_join_choices(names)}")
        return
    if request.area is None:
        return
    if not fitting:
        chosen = DISTRICT if request.district is not None else POSTCODE
        yield FieldError(
            chosen, f"is in no district of {_join_choices(names)}; choose the district where care is given"
        )
    elif len(fitting) > 1:
        names = [each.framework for each in fitting]
        yield FieldError("#/framework", f"is needed, several have this district; choose {_join_choices(names)}")
    elif request.service_type not in fitting[0].service_types:
        offered = _join_choices(fitting[0].service_types)
        yield FieldError("#/service_type", f"is not called off under {fitting[0].framework}; choose {offered}")


def _join_choices(names: Sequence[str]) -> str:
    return " or ".join(sorted(names))
