"""The one framework, lot and area of a referral: derived where only one is left, otherwise refused with the choices."""

from datetime import date
from typing import Final

import pytest

from contracts.errors import InvalidInput
from contracts.example_words import Needs, Routes, ServiceTypes
from contracts.examples import COLCHESTER, FRAMEWORK, MONDAY_NINE, a_definition, some_reasons
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Area, Lot, Reason, Skill
from contracts.ids import AreaCode, FrameworkKey, LotKey, NeedKey, ReasonKey, RouteKey, ServiceTypeKey
from contracts.values import Care
from referral.domain.errors import FrameworksNotKnown
from referral.domain.frameworks import check_withdrawal_reason, list_in_force
from referral.domain.intake import IntakeRules, build_care
from referral.domain.request import InvalidPostcode, LocatedPostcode, ReferralRequest, UnlocatedPostcode
from testkit.referral.builders import a_request

TODAY: Final = date(2026, 3, 2)
HOSPITAL, LONG_TERM = LotKey("hospital"), LotKey("long-term")
ZONE, NORTH, SOUTH, SCHEME = AreaCode("zone"), AreaCode("north"), AreaCode("south"), AreaCode("scheme")
OF_THE_DISTRICT: Final = (COLCHESTER,)


def two_lots(**changed: object) -> FrameworkDefinition:
    """A lot for hospital discharge with one zone in the district, and one for all else with two; a scheme is outside.

    Live-in care is called off in the long-term lot only.
    """
    defaults: dict[str, object] = {
        "areas": (
            Area(code=ZONE, name="Zone", districts=OF_THE_DISTRICT),
            Area(code=NORTH, name="North", districts=OF_THE_DISTRICT),
            Area(code=SOUTH, name="South", districts=OF_THE_DISTRICT),
            Area(
                code=SCHEME,
                name="Scheme",
                districts=(AreaCode("E07000001"),),
                outside="its own trust provides the care",
            ),
        ),
        "lots": (
            Lot(
                lot=HOSPITAL,
                title="After hospital",
                areas=(ZONE,),
                routes=(Routes.HOSPITAL_DISCHARGE,),
                service_types=(ServiceTypes.PERSONAL_CARE, ServiceTypes.NIGHT_SLEEP),
            ),
            Lot(lot=LONG_TERM, title="Long-term", areas=(NORTH, SOUTH), routes=(Routes.COMMUNITY, Routes.CRISIS)),
        ),
    }
    return a_definition(**{**defaults, **changed})


def build(request: ReferralRequest, *versions: FrameworkDefinition) -> Care:
    return build_care(request, versions or (two_lots(),), at=MONDAY_NINE, rules=IntakeRules())


def refuse(request: ReferralRequest, *versions: FrameworkDefinition) -> dict[str, str]:
    """Returns the words about each field that is refused."""
    with pytest.raises(InvalidInput) as refused:
        build(request, *versions)
    return {field.pointer: field.detail for field in refused.value.fields}


def test_the_route_chooses_between_two_lots_of_a_framework() -> None:
    discharge = build(a_request(route=Routes.HOSPITAL_DISCHARGE))
    assert (discharge.lot, discharge.area, discharge.urgent) == (HOSPITAL, ZONE, True)
    community = build(a_request(area=SOUTH))
    assert (community.lot, community.area, community.route) == (LONG_TERM, SOUTH, Routes.COMMUNITY)


def test_several_areas_of_the_postcodes_district_need_a_choice() -> None:
    assert refuse(a_request()) == {
        "#/area": "is required because the district of the postcode has several areas; "
        "choose north (North) or south (South)"
    }


def test_several_lots_of_an_area_need_a_choice() -> None:
    lots = (Lot(lot=HOSPITAL, title="After hospital"), Lot(lot=LONG_TERM, title="Long-term"))
    both = a_definition(lots=lots)
    assert refuse(a_request(), both) == {
        "#/lot": "is required because several lots apply; choose hospital (After hospital) or long-term (Long-term)"
    }
    assert build(a_request(lot=LONG_TERM), both).lot == LONG_TERM


def test_lots_with_areas_of_their_own_are_chosen_by_the_lot() -> None:
    lots = (Lot(lot=HOSPITAL, title="One", areas=(NORTH,)), Lot(lot=LONG_TERM, title="Other", areas=(SOUTH,)))
    definition = two_lots(lots=lots)
    assert list(refuse(a_request(), definition)) == ["#/lot"]
    assert build(a_request(lot=HOSPITAL), definition).area == NORTH
    assert build(a_request(area=SOUTH), definition).lot == LONG_TERM


def test_an_area_outside_the_framework_is_refused_with_its_reason() -> None:
    refused = refuse(a_request(area=SCHEME, area_confirmed=True))
    assert refused == {
        "#/area": f"is outside {FRAMEWORK}: its own trust provides the care; choose north (North) or south (South)"
    }


def test_a_postcode_in_an_outside_area_only_is_refused_with_its_reason() -> None:
    refused = refuse(a_request(postcode_result=LocatedPostcode("CO9", AreaCode("E07000001"))))
    assert refused["#/person/address/postcode"].startswith("its own trust provides the care; give in `area`")


def test_an_area_of_the_district_needs_no_confirmation_and_another_one_does() -> None:
    elsewhere = LocatedPostcode("CO9", AreaCode("E07000001"))
    refused = refuse(a_request(postcode_result=elsewhere, area=NORTH))
    assert "set area_confirmed if care is given there" in refused["#/area"]
    assert build(a_request(postcode_result=elsewhere, area=NORTH, area_confirmed=True)).area == NORTH
    assert build(a_request(area=NORTH)).area == NORTH


def test_an_undeclared_word_is_refused_with_those_to_choose_from() -> None:
    request = a_request(
        service_type=ServiceTypeKey("gardening"),
        route=RouteKey("by-post"),
        lot=LotKey("no-such-lot"),
        area=AreaCode("nowhere"),
        needs=(Needs.HOIST, NeedKey("juggling")),
    )
    refused = refuse(request)
    assert {pointer: detail.partition("; ")[2] for pointer, detail in refused.items()} == {
        "#/service_type": "choose live-in or night-sleep or personal-care",
        "#/route": "choose community or crisis or hospital-discharge",
        "#/lot": "choose hospital or long-term",
        "#/needs/1": "choose dementia or hoist or key-safe or peg-feeding or pets-in-home or smoker-in-home",
        "#/area": "choose north (North) or south (South) or zone (Zone)",
    }


def test_needs_are_those_of_the_framework_that_applies() -> None:
    skills = (Skill(skill=NeedKey("juggling"), title="Juggling"),)
    circus = a_definition(framework=FrameworkKey("circus"), skills=skills, circumstances=())
    request = a_request(needs=(Needs.HOIST,), framework=circus.framework)
    assert refuse(request, circus, a_definition()) == {"#/needs/0": "is not declared by circus; choose juggling"}


@pytest.mark.parametrize(
    ("changed", "field", "choices"),
    [
        ({"area": ZONE, "lot": LONG_TERM, "route": Routes.HOSPITAL_DISCHARGE}, "#/lot", "hospital (After hospital)"),
        ({"area": ZONE}, "#/route", "hospital-discharge"),
        (
            {"route": Routes.HOSPITAL_DISCHARGE, "service_type": ServiceTypes.LIVE_IN, "area": ZONE},
            "#/service_type",
            "night-sleep or personal-care",
        ),
        ({"lot": HOSPITAL, "area": NORTH, "area_confirmed": True, "route": Routes.CRISIS}, "#/lot", "long-term"),
    ],
)
def test_fields_that_no_lot_has_together_are_refused_with_what_would_go(
    changed: dict[str, object], field: str, choices: str
) -> None:
    refused = refuse(a_request(**changed))
    assert list(refused) == [field]
    assert f"choose {choices}" in refused[field]


def test_fields_of_which_several_would_have_to_change_are_refused_with_the_service_types() -> None:
    refused = refuse(a_request(area=ZONE, lot=HOSPITAL, service_type=ServiceTypes.LIVE_IN))
    assert refused == {
        "#/service_type": "does not go with the other ones of service type, route, lot and area; "
        "choose live-in or night-sleep or personal-care, and change the others"
    }


@pytest.mark.parametrize("result", [UnlocatedPostcode("ZZ99", "means no fixed abode"), InvalidPostcode("in full")])
def test_without_a_district_the_area_is_not_derived(result: UnlocatedPostcode | InvalidPostcode) -> None:
    refused = refuse(a_request(postcode_result=result))
    assert refused["#/person/address/postcode"] == result.detail
    if isinstance(result, UnlocatedPostcode):
        assert refused["#/area"].endswith("choose north (North) or south (South)")


# --- versions


def a_version(number: int, **changed: object) -> FrameworkDefinition:
    return a_definition(version=number, **changed)


def test_a_version_that_is_not_yet_in_force_does_not_count() -> None:
    newer = a_version(2, in_force_from=date(2026, 3, 3), lots=(Lot(lot=LONG_TERM, title="New"),))
    assert build(a_request(), a_version(1), newer).lot != LONG_TERM
    begun = newer.model_copy(update={"in_force_from": TODAY})
    assert build(a_request(), a_version(1), begun).lot == LONG_TERM


def test_the_newest_version_that_has_begun_counts_alone() -> None:
    versions = (a_version(3, in_force_from=date(2026, 3, 2)), a_version(1), a_version(2), a_version(10))
    assert [each.version for each in list_in_force(versions, TODAY)] == [10]


@pytest.mark.parametrize(("last_day", "count"), [(date(2026, 3, 1), 0), (date(2026, 3, 2), 1)])
def test_a_framework_is_in_force_to_the_end_of_its_last_day(last_day: date, count: int) -> None:
    assert len(list_in_force([a_version(1, runs_until=last_day)], TODAY)) == count


def test_a_framework_whose_only_version_begins_later_is_not_in_force() -> None:
    assert refuse(a_request(), a_version(1, in_force_from=date(2026, 3, 3))) == {
        "#/framework": "no framework of your council is in force today"
    }


# --- reasons of a withdrawal


def test_the_reason_of_a_withdrawal_is_one_of_the_version_in_force() -> None:
    reason = ReasonKey("no-such-reason")
    newer = a_version(
        2, in_force_from=date(2026, 3, 3), reasons=some_reasons(withdrawal=(Reason(reason=reason, title="New"),))
    )
    versions = (a_version(1), newer)
    with pytest.raises(InvalidInput, match="choose no-longer-needed or person-died"):
        check_withdrawal_reason(reason, versions, FRAMEWORK, today=TODAY)
    check_withdrawal_reason(reason, versions, FRAMEWORK, today=date(2026, 3, 3))


def test_a_package_of_a_framework_that_has_ended_can_be_withdrawn() -> None:
    ended = a_version(1, runs_until=date(2026, 3, 1))
    check_withdrawal_reason(ReasonKey("moved-away"), (ended,), FRAMEWORK, today=TODAY)
    with pytest.raises(FrameworksNotKnown):
        check_withdrawal_reason(ReasonKey("moved-away"), (ended,), FrameworkKey("another"), today=TODAY)
