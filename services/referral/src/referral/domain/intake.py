"""Intake of a referral: validation, which reports all errors at once, and the care that is requested from sourcing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from contracts.errors import FieldError, InvalidInput
from contracts.framework.definition import FrameworkDefinition
from contracts.office_time import to_office_date
from contracts.values import Care
from referral.domain.choice import check_choice, check_postcode, join_choices
from referral.domain.earlier_package import EarlierPackage, check_follows
from referral.domain.errors import FrameworksNotKnown
from referral.domain.frameworks import list_in_force
from referral.domain.options import Option, list_options
from referral.domain.person import ADULT_AGE, MAX_AGE, Person, compute_age, find_age_band, is_nhs_number
from referral.domain.request import InvalidPostcode, ReferralRequest

MAX_NOTICE: Final = timedelta(days=3_653)
"""Longest time from a referral to the start of care. A later start means that the year is mistyped."""


@dataclass(frozen=True)
class IntakeRules:
    """The rules of intake that are settings."""

    refuses_invalid_nhs_number: bool = False


def build_care(
    request: ReferralRequest,
    versions: Sequence[FrameworkDefinition],
    *,
    at: datetime,
    rules: IntakeRules,
    earlier: EarlierPackage | None = None,
) -> Care:
    """Validates the request, and returns the care to source under the one lot of the council's frameworks that applies.

    `versions` are all published versions of the council's frameworks, `earlier` is the package that the request
    follows. Raises InvalidInput with every invalid field, and FrameworksNotKnown if `versions` is empty.
    """
    today = to_office_date(at)
    in_force = list_in_force(versions, today)
    options = list_options(request, in_force)
    errors = [
        *_check_person(request, rules),
        *check_postcode(request),
        *_check_care(request, today),
        *_check_urgency(request, options, at),
        *check_follows(request, earlier),
    ]
    if versions:
        errors += check_choice(request, in_force, options)
    if errors:
        raise InvalidInput(*errors)
    if not versions:
        raise FrameworksNotKnown
    (option,) = options
    return _to_care(request, option)


def _to_care(request: ReferralRequest, option: Option) -> Care:
    assert not isinstance(request.postcode_result, InvalidPostcode), "an invalid postcode is refused"
    return Care(
        framework=option.definition.framework,
        lot=option.lot.lot,
        area=option.area.code,
        outward_code=request.postcode_result.outward_code,
        service_type=option.service_type,
        visits=request.visits,
        starts_on=request.starts_on,
        route=option.route.route,
        urgent=option.route.urgent,
        urgent_since=request.urgent_since,
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


def _check_urgency(request: ReferralRequest, options: Sequence[Option], at: datetime) -> Iterable[FieldError]:
    """Whether the route is urgent is known as soon as one option is left."""
    if request.urgent_since is None:
        return
    if request.urgent_since > at:
        yield FieldError("#/urgent_since", "is in the future; give the instant since which it is urgent")
    if len(options) == 1 and not options[0].route.urgent:
        urgent = [route.route for route in options[0].definition.routes if route.urgent]
        remedy = f"leave it out, or choose the route {join_choices(urgent)}" if urgent else "leave it out"
        yield FieldError("#/urgent_since", f"does not go with the route {options[0].route.route}; {remedy}")
