"""Intake of a referral: all invalid fields are reported at once; a valid request becomes the care to source."""

from datetime import date, timedelta

import pytest

from contracts.errors import InvalidInput
from contracts.example_words import Needs, Routes, ServiceTypes
from contracts.examples import COLCHESTER, FRAMEWORK, MONDAY_NINE, a_definition
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Area
from contracts.ids import AreaCode, FrameworkKey
from contracts.values import AgeBand, Care, Wishes
from referral.domain.errors import FrameworksNotKnown
from referral.domain.intake import IntakeRules, build_care, find_warnings
from referral.domain.request import InvalidPostcode, LocatedPostcode, ReferralRequest, UnlocatedPostcode
from testkit.referral.builders import a_person, a_request, to_provider_id

NOW = MONDAY_NINE
TODAY = date(2026, 3, 2)
TENDRING = AreaCode("E07000076")
UNKNOWN_POSTCODE = "not in our postcode directory; choose the district"


def build_valid_care(
    request: ReferralRequest, *frameworks: FrameworkDefinition, rules: IntakeRules | None = None
) -> Care:
    return build_care(request, frameworks or (a_definition(),), at=NOW, rules=rules or IntakeRules())


def find_invalid_fields(
    request: ReferralRequest, *frameworks: FrameworkDefinition, rules: IntakeRules | None = None
) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        build_valid_care(request, *frameworks, rules=rules)
    return [field.pointer for field in refused.value.fields]


def a_framework(name: str, *areas: AreaCode, **changed: object) -> FrameworkDefinition:
    return a_definition(
        framework=FrameworkKey(name), areas=tuple(Area(code=area, name="Invented") for area in areas), **changed
    )


def test_care_contains_area_and_age_band_but_no_personal_data() -> None:
    care = build_valid_care(a_request())
    assert (care.framework, care.area, care.outward_code) == (FRAMEWORK, COLCHESTER, "CO1")
    assert care.age_band is AgeBand.FROM_85
    assert "Test" not in care.model_dump_json()


def test_the_age_band_is_that_of_the_day_on_which_care_starts() -> None:
    person = a_person(date_of_birth=date(1951, 3, 9))
    assert build_valid_care(a_request(person=person, starts_on=date(2026, 3, 9))).age_band is AgeBand.FROM_75
    assert build_valid_care(a_request(person=person, starts_on=date(2026, 3, 8))).age_band is AgeBand.FROM_65


def test_all_invalid_fields_are_reported_at_once() -> None:
    request = a_request(
        person=a_person(date_of_birth=date(2010, 1, 1), nhs_number="9990000019"),
        postcode_result=InvalidPostcode("write it in full"),
        starts_on=date(2026, 3, 1),
        needs=(Needs.HOIST, Needs.HOIST),
        wishes=Wishes(refused=(to_provider_id("Alder"),), preferred=(to_provider_id("Alder"),)),
        framework=FrameworkKey("no-such-framework"),
    )
    assert find_invalid_fields(request, rules=IntakeRules(refuses_invalid_nhs_number=True)) == [
        "#/person/date_of_birth",
        "#/person/nhs_number",
        "#/person/address/postcode",
        "#/starts_on",
        "#/needs",
        "#/preferred_providers",
        "#/framework",
    ]


def test_an_urgent_route_makes_the_care_urgent() -> None:
    since = NOW - timedelta(minutes=30)
    care = build_valid_care(a_request(route=Routes.CRISIS, urgent_since=since))
    assert (care.route, care.urgent, care.urgent_since) == (Routes.CRISIS, True, since)
    usual = build_valid_care(a_request())
    assert (usual.route, usual.urgent, usual.urgent_since) == (Routes.COMMUNITY, False, None)


def test_a_package_can_be_urgent_from_now_on_and_not_from_later() -> None:
    assert build_valid_care(a_request(route=Routes.CRISIS, urgent_since=NOW)).urgent_since == NOW
    later = a_request(route=Routes.CRISIS, urgent_since=NOW + timedelta(seconds=1))
    assert find_invalid_fields(later) == ["#/urgent_since"]


def test_a_route_that_is_not_urgent_has_no_urgent_since() -> None:
    with pytest.raises(InvalidInput, match="choose the route crisis or hospital-discharge") as refused:
        build_valid_care(a_request(route=Routes.COMMUNITY, urgent_since=NOW))
    assert [field.pointer for field in refused.value.fields] == ["#/urgent_since"]


def test_an_invalid_nhs_number_is_a_warning_and_is_refused_only_if_the_setting_says_so() -> None:
    request = a_request(person=a_person(nhs_number="9990000019"))
    build_valid_care(request)
    assert [warning.pointer for warning in find_warnings(request)] == ["#/person/nhs_number"]
    assert find_invalid_fields(request, rules=IntakeRules(refuses_invalid_nhs_number=True)) == ["#/person/nhs_number"]


def test_an_age_above_the_limit_is_refused() -> None:
    assert find_invalid_fields(a_request(person=a_person(date_of_birth=date(1840, 5, 17)))) == [
        "#/person/date_of_birth"
    ]


def test_care_can_start_today() -> None:
    assert build_valid_care(a_request(starts_on=TODAY)).starts_on == TODAY


def test_an_unknown_postcode_is_accepted_with_an_area() -> None:
    result = UnlocatedPostcode("CO99", UNKNOWN_POSTCODE)
    assert find_invalid_fields(a_request(postcode_result=result)) == ["#/person/address/postcode", "#/area"]
    assert build_valid_care(a_request(postcode_result=result, area=COLCHESTER)).area == COLCHESTER


def test_no_fixed_abode_needs_an_area_and_keeps_its_outward_code() -> None:
    result = UnlocatedPostcode("ZZ99", "means no fixed abode; choose the district where the care is to be given")
    care = build_valid_care(a_request(postcode_result=result, area=COLCHESTER))
    assert (care.outward_code, care.area) == ("ZZ99", COLCHESTER)


def test_an_area_that_contradicts_the_postcode_needs_confirmation() -> None:
    request = a_request(area=TENDRING)
    both = a_framework("both-districts", COLCHESTER, TENDRING)
    assert find_invalid_fields(request, both) == ["#/area"]
    assert build_valid_care(a_request(area=TENDRING, area_confirmed=True), both).area == TENDRING


def test_an_area_that_agrees_with_the_postcode_needs_no_confirmation() -> None:
    assert build_valid_care(a_request(area=COLCHESTER)).area == COLCHESTER


def test_without_published_frameworks_the_council_is_asked_to_retry() -> None:
    with pytest.raises(FrameworksNotKnown):
        build_care(a_request(), (), at=NOW, rules=IntakeRules())


def test_the_only_framework_with_the_area_is_chosen() -> None:
    here, elsewhere = a_framework("here", COLCHESTER), a_framework("elsewhere", TENDRING)
    assert build_valid_care(a_request(), elsewhere, here).framework == "here"


def test_one_of_several_frameworks_must_be_named() -> None:
    one, other = a_framework("one", COLCHESTER), a_framework("other", COLCHESTER)
    assert find_invalid_fields(a_request(), one, other) == ["#/framework"]
    assert build_valid_care(a_request(framework=FrameworkKey("other")), one, other).framework == "other"


def test_a_framework_that_is_not_in_force_is_ignored() -> None:
    ended = a_framework("ended", COLCHESTER, runs_from=date(2020, 1, 1), runs_until=date(2026, 3, 1))
    assert find_invalid_fields(a_request(framework=FrameworkKey("ended")), ended, a_definition()) == ["#/framework"]
    assert build_valid_care(a_request(), ended, a_definition()).framework == FRAMEWORK


def test_a_referral_without_a_framework_in_force_is_refused() -> None:
    ended = a_framework("ended", COLCHESTER, runs_from=date(2020, 1, 1), runs_until=date(2026, 3, 1))
    assert find_invalid_fields(a_request(), ended) == ["#/framework"]


def test_a_place_in_no_framework_is_reported_on_the_field_it_came_from() -> None:
    elsewhere = a_request(postcode_result=LocatedPostcode("SW1A", AreaCode("E09000033")))
    assert find_invalid_fields(elsewhere) == ["#/person/address/postcode"]
    assert find_invalid_fields(a_request(area=TENDRING, area_confirmed=True)) == ["#/area"]


def test_a_service_type_outside_the_framework_is_refused() -> None:
    assert find_invalid_fields(a_request(service_type=ServiceTypes.CARERS_BREAK)) == ["#/service_type"]
