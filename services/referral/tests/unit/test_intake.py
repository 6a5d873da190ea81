"""Taking a referral in: every wrong field is named at once, and what is right becomes the care to be sourced."""

from datetime import date

import pytest

from contracts.errors import InvalidInput
from contracts.examples import COLCHESTER, ESSEX, a_definition
from contracts.framework import Area, FrameworkDefinition
from contracts.ids import AreaCode, FrameworkKey
from contracts.values import AgeBand, Care, Need, ServiceType, Wishes
from referral.domain.errors import FrameworksNotKnown
from referral.domain.intake import (
    IntakeRules,
    KnownPlace,
    NotAPostcode,
    ReferralRequest,
    UnknownPlace,
    build_care,
    find_warnings,
)
from testkit.referral.builders import a_person, a_provider_id, a_request

TODAY = date(2026, 3, 2)
TENDRING = AreaCode("E07000076")
WHY = "not in our postcode directory; choose the district"


def taken_in(request: ReferralRequest, *frameworks: FrameworkDefinition, rules: IntakeRules | None = None) -> Care:
    return build_care(request, frameworks or (a_definition(),), today=TODAY, rules=rules or IntakeRules())


def wrong_fields(
    request: ReferralRequest, *frameworks: FrameworkDefinition, rules: IntakeRules | None = None
) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        taken_in(request, *frameworks, rules=rules)
    return [field.pointer for field in refused.value.fields]


def a_framework(name: str, *areas: AreaCode, **changed: object) -> FrameworkDefinition:
    return a_definition(
        framework=FrameworkKey(name), areas=tuple(Area(code=area, name="Invented") for area in areas), **changed
    )


def test_care_says_where_and_how_old_but_not_who() -> None:
    care = taken_in(a_request())
    assert (care.framework, care.area, care.outward_code) == (ESSEX, COLCHESTER, "CO1")
    assert care.age_band is AgeBand.FROM_85
    assert "Test" not in care.model_dump_json()


def test_the_age_band_is_that_of_the_day_on_which_care_starts() -> None:
    person = a_person(date_of_birth=date(1951, 3, 9))
    assert taken_in(a_request(person=person, starts_on=date(2026, 3, 9))).age_band is AgeBand.FROM_75
    assert taken_in(a_request(person=person, starts_on=date(2026, 3, 8))).age_band is AgeBand.FROM_65


def test_everything_that_is_wrong_is_named_at_once() -> None:
    request = a_request(
        person=a_person(date_of_birth=date(2010, 1, 1), nhs_number="9990000019"),
        place=NotAPostcode("write it in full"),
        starts_on=date(2026, 3, 1),
        needs=(Need.HOIST, Need.HOIST),
        wishes=Wishes(refused=(a_provider_id("Alder"),), preferred=(a_provider_id("Alder"),)),
        framework=FrameworkKey("no-such-framework"),
    )
    assert wrong_fields(request, rules=IntakeRules(refuses_invalid_nhs_number=True)) == [
        "#/person/date_of_birth",
        "#/person/nhs_number",
        "#/person/address/postcode",
        "#/starts_on",
        "#/needs",
        "#/preferred_providers",
        "#/framework",
    ]


def test_an_invalid_nhs_number_is_reported_and_refused_only_where_the_setting_says_so() -> None:
    request = a_request(person=a_person(nhs_number="9990000019"))
    taken_in(request)
    assert [each.pointer for each in find_warnings(request)] == ["#/person/nhs_number"]
    assert wrong_fields(request, rules=IntakeRules(refuses_invalid_nhs_number=True)) == ["#/person/nhs_number"]


def test_a_date_of_birth_in_another_century_is_a_slip() -> None:
    assert wrong_fields(a_request(person=a_person(date_of_birth=date(1840, 5, 17)))) == ["#/person/date_of_birth"]


def test_care_can_start_today() -> None:
    assert taken_in(a_request(starts_on=TODAY)).starts_on == TODAY


def test_an_unknown_postcode_is_an_answer_the_chosen_district_holds() -> None:
    place = UnknownPlace("CO99", WHY)
    assert wrong_fields(a_request(place=place)) == ["#/person/address/postcode", "#/district"]
    assert taken_in(a_request(place=place, district=COLCHESTER)).area == COLCHESTER


def test_no_fixed_abode_needs_a_district_and_keeps_its_outward_code() -> None:
    place = UnknownPlace("ZZ99", "means no fixed abode; choose the district where the care is to be given")
    care = taken_in(a_request(place=place, district=COLCHESTER))
    assert (care.outward_code, care.area) == ("ZZ99", COLCHESTER)


def test_a_district_that_contradicts_the_postcode_holds_only_if_confirmed() -> None:
    request = a_request(district=TENDRING)
    both = a_framework("both-districts", COLCHESTER, TENDRING)
    assert wrong_fields(request, both) == ["#/district"]
    assert taken_in(a_request(district=TENDRING, district_confirmed=True), both).area == TENDRING


def test_a_district_that_agrees_needs_no_confirmation() -> None:
    assert taken_in(a_request(district=COLCHESTER)).area == COLCHESTER


def test_where_nothing_was_published_yet_the_council_is_asked_to_come_back() -> None:
    with pytest.raises(FrameworksNotKnown):
        build_care(a_request(), (), today=TODAY, rules=IntakeRules())


def test_the_one_framework_that_has_the_district_needs_no_naming() -> None:
    here, elsewhere = a_framework("here", COLCHESTER), a_framework("elsewhere", TENDRING)
    assert taken_in(a_request(), elsewhere, here).framework == "here"


def test_of_several_one_must_be_named() -> None:
    one, other = a_framework("one", COLCHESTER), a_framework("other", COLCHESTER)
    assert wrong_fields(a_request(), one, other) == ["#/framework"]
    assert taken_in(a_request(framework=FrameworkKey("other")), one, other).framework == "other"


def test_one_that_is_not_in_force_does_not_count() -> None:
    ended = a_framework("ended", COLCHESTER, runs_from=date(2020, 1, 1), runs_until=date(2026, 3, 1))
    assert wrong_fields(a_request(framework=FrameworkKey("ended")), ended, a_definition()) == ["#/framework"]
    assert taken_in(a_request(), ended, a_definition()).framework == ESSEX


def test_where_none_is_in_force_that_is_said() -> None:
    ended = a_framework("ended", COLCHESTER, runs_from=date(2020, 1, 1), runs_until=date(2026, 3, 1))
    assert wrong_fields(a_request(), ended) == ["#/framework"]


def test_a_district_that_no_framework_has_is_told_where_it_came_from() -> None:
    elsewhere = a_request(place=KnownPlace("SW1A", AreaCode("E09000033")))
    assert wrong_fields(elsewhere) == ["#/person/address/postcode"]
    assert wrong_fields(a_request(district=TENDRING, district_confirmed=True)) == ["#/district"]


def test_a_service_that_the_framework_does_not_call_off_is_refused() -> None:
    assert wrong_fields(a_request(service_type=ServiceType.CARERS_BREAK)) == ["#/service_type"]
