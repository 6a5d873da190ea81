"""Intake of a referral: validation, which reports all errors at once, and the care that is requested from sourcing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from contracts.errors import FieldError, InvalidInput
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, FrameworkKey
from contracts.values import Care, CarerGender, Need, ServiceType, Urgency, Visit, Wishes
from referral.domain.errors import FrameworksNotKnown
from referral.domain.person import ADULT_AGE, MAX_AGE, Person, compute_age, find_age_band, is_nhs_number

MAX_NOTICE: Final = timedelta(days=3_653)
"""Longest time from a referral to the start of care. A later start means that the year is mistyped."""
POSTCODE_POINTER = "#/person/address/postcode"
DISTRICT_POINTER = "#/district"


@dataclass(frozen=True)
class LocatedPostcode:
    """A postcode whose district is known."""

    outward_code: str
    district: AreaCode


@dataclass(frozen=True)
class UnlocatedPostcode:
    """A valid postcode without a known district; `detail` is the text of the error, with what to do."""

    outward_code: str
    detail: str


@dataclass(frozen=True)
class InvalidPostcode:
    """A text without the form of a postcode; `detail` is the text of the error, with what to do."""

    detail: str


PostcodeResult = LocatedPostcode | UnlocatedPostcode | InvalidPostcode


class DespiteOpenReferral(StrEnum):
    """The reason for another referral while one is open for the same person and service."""

    SEPARATE_PACKAGE = "a separate package for the same person"
    REPLACEMENT = "replaces the open referral, which is being withdrawn"
    DIFFERENT_PERSON = "a different person with the same details"


@dataclass(frozen=True)
class IntakeRules:
    """The rules of intake that are settings."""

    refuses_invalid_nhs_number: bool = False


@dataclass(frozen=True)
class ReferralRequest:
    """A referral as the council's system submits it, before validation."""

    reference: str
    person: Person
    postcode_result: PostcodeResult
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
        """Where care is given: the district of the request, otherwise that of the postcode; None without either."""
        if self.district is not None:
            return self.district
        return self.postcode_result.district if isinstance(self.postcode_result, LocatedPostcode) else None


def build_care(
    request: ReferralRequest, frameworks: Sequence[FrameworkDefinition], *, today: date, rules: IntakeRules
) -> Care:
    """Validates the request, and returns the care to source under the one framework of the council that applies.

    Raises InvalidInput with every invalid field, and FrameworksNotKnown if `frameworks` is empty.
    """
    in_force = [framework for framework in frameworks if framework.runs_from <= today <= framework.runs_until]
    candidates = [framework for framework in in_force if _can_serve(framework, request)]
    errors = [*_check_person(request, rules), *_check_district(request), *_check_care(request, today)]
    if frameworks:
        errors += _check_framework(request, in_force, candidates)
    if errors:
        raise InvalidInput(*errors)
    if not frameworks:
        raise FrameworksNotKnown
    assert request.area is not None, "build_care rejects a request without a district above"
    assert not isinstance(request.postcode_result, InvalidPostcode), (
        "build_care rejects a request without a postcode above"
    )
    return Care(
        framework=candidates[0].framework,
        area=request.area,
        outward_code=request.postcode_result.outward_code,
        service_type=request.service_type,
        visits=request.visits,
        starts_on=request.starts_on,
        urgency=request.urgency,
        needs=request.needs,
        age_band=find_age_band(compute_age(request.starts_on, date_of_birth=request.person.date_of_birth)),
        carer_gender=request.carer_gender,
    )


def find_warnings(request: ReferralRequest) -> tuple[FieldError, ...]:
    """Returns the fields that are accepted but look wrong: an NHS number that fails its check."""
    return tuple(_check_nhs_number(request.person))


def _check_person(request: ReferralRequest, rules: IntakeRules) -> Iterable[FieldError]:
    age = compute_age(request.starts_on, date_of_birth=request.person.date_of_birth)
    if age < ADULT_AGE:
        yield FieldError(
            "#/person/date_of_birth", "the person is under 18 when care starts; Call-off sources care for adults only"
        )
    if age > MAX_AGE:
        yield FieldError("#/person/date_of_birth", f"makes the person older than {MAX_AGE} years; check the year")
    if rules.refuses_invalid_nhs_number:
        yield from _check_nhs_number(request.person)


def _check_nhs_number(person: Person) -> Iterable[FieldError]:
    if person.nhs_number is not None and not is_nhs_number(person.nhs_number):
        yield FieldError(
            "#/person/nhs_number", "is not a valid NHS number (check digit, modulus 11); correct it, or leave it out"
        )


def _check_district(request: ReferralRequest) -> Iterable[FieldError]:
    """A district of the request replaces that of the postcode only if it is confirmed, or if the postcode has none."""
    match request.postcode_result:
        case InvalidPostcode(detail=detail):
            yield FieldError(POSTCODE_POINTER, detail)
        case UnlocatedPostcode(detail=detail) if request.district is None:
            yield FieldError(POSTCODE_POINTER, detail)
            yield FieldError(DISTRICT_POINTER, "is required because the postcode has no known district")
        case LocatedPostcode(district=district) if request.area != district and not request.district_confirmed:
            yield FieldError(
                DISTRICT_POINTER,
                "is not the district of the postcode; leave it out, or set district_confirmed if care is given there",
            )
        case _:
            return


def _check_care(request: ReferralRequest, today: date) -> Iterable[FieldError]:
    if request.starts_on < today:
        yield FieldError("#/starts_on", "is in the past; give today or a later date")
    if request.starts_on > today + MAX_NOTICE:
        yield FieldError("#/starts_on", "is more than ten years ahead; check the year")
    if len(set(request.needs)) != len(request.needs):
        yield FieldError("#/needs", "contains a need twice; give each need once")
    if set(request.wishes.refused) & set(request.wishes.preferred):
        yield FieldError(
            "#/preferred_providers", "contains a provider that is also refused; remove it from one of the two lists"
        )


def _can_serve(framework: FrameworkDefinition, request: ReferralRequest) -> bool:
    is_requested = request.framework in {None, framework.framework}
    return is_requested and request.area is not None and framework.has_area(request.area)


def _check_framework(
    request: ReferralRequest, in_force: Sequence[FrameworkDefinition], candidates: Sequence[FrameworkDefinition]
) -> Iterable[FieldError]:
    """Exactly one framework must apply: the requested one, or the only one in force that has the district."""
    names = [framework.framework for framework in in_force]
    if not in_force:
        yield FieldError("#/framework", "no framework of your council is in force today")
        return
    if request.framework is not None and request.framework not in names:
        yield FieldError(
            "#/framework", f"is not a framework of your council that is in force; choose {_join_choices(names)}"
        )
        return
    if request.area is None:
        return
    if not candidates:
        pointer = DISTRICT_POINTER if request.district is not None else POSTCODE_POINTER
        yield FieldError(
            pointer, f"is in no district of {_join_choices(names)}; choose the district where care is given"
        )
    elif len(candidates) > 1:
        names = [framework.framework for framework in candidates]
        yield FieldError(
            "#/framework", f"is required because several frameworks have this district; choose {_join_choices(names)}"
        )
    elif request.service_type not in candidates[0].service_types:
        service_types = _join_choices(candidates[0].service_types)
        yield FieldError(
            "#/service_type", f"is not part of the framework {candidates[0].framework}; choose {service_types}"
        )


def _join_choices(names: Sequence[str]) -> str:
    return " or ".join(sorted(names))
