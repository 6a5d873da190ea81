"""Rules for the words and caps of places, and for spot areas."""

import pytest

from contracts.errors import FieldError, InvalidInput
from contracts.example_words import LOT, ServiceTypes, Tiers
from contracts.examples import COLCHESTER, FRAMEWORK
from contracts.framework.words import Area, Lot
from contracts.ids import AreaCode, LotKey, ServiceTypeKey, TierKey
from provider_registry.domain.errors import NoPlaceLeft
from provider_registry.domain.place_rules import (
    check_places_are_free,
    find_duplicate,
    find_unknown_words,
    validate_spot_areas,
)
from testkit.provider_registry.builders import TENDRING, a_framework, a_held_place, a_place, a_tier

DEFINITIONS = {FRAMEWORK: a_framework(cap=10)}
ONE, TWO = a_place(tier=Tiers.ONE), a_place(tier=Tiers.TWO)


def test_the_tenth_place_is_free_and_the_eleventh_does_not_exist() -> None:
    check_places_are_free([ONE], {ONE: 9}, DEFINITIONS)
    with pytest.raises(NoPlaceLeft, match=r"tier-1 of E07000071 .* which takes 10 providers"):
        check_places_are_free([ONE], {ONE: 10}, DEFINITIONS)


def test_every_full_place_is_named() -> None:
    elsewhere = a_place(TENDRING)
    with pytest.raises(NoPlaceLeft) as refused:
        check_places_are_free([ONE, elsewhere, TWO], {ONE: 10, elsewhere: 10, TWO: 80}, DEFINITIONS)
    assert "E07000071" in str(refused.value)
    assert "E07000076" in str(refused.value)
    assert "tier-2" not in str(refused.value)


def test_tier_two_has_no_cap() -> None:
    check_places_are_free([TWO], {TWO: 10_000}, DEFINITIONS)


def test_tier_one_may_have_no_cap_either() -> None:
    check_places_are_free([ONE], {ONE: 10_000}, {FRAMEWORK: a_framework(cap=None)})


def test_a_place_of_the_definition_has_no_error() -> None:
    place = a_held_place(service_types=(ServiceTypes.PERSONAL_CARE, ServiceTypes.LIVE_IN))
    assert list(find_unknown_words(place, a_framework())) == []


def test_each_unknown_word_is_named() -> None:
    place = a_place(AreaCode("E07000001"), TierKey("tier-9"), lot=LotKey("lot-9"))
    assert [each.pointer for each in find_unknown_words(a_held_place(place), a_framework())] == ["lot", "area", "tier"]
    (error,) = find_unknown_words(a_held_place(place), None)
    assert error == FieldError("framework", "is not a framework of your council; publish its definition first")


def test_a_service_type_must_be_of_the_lot_and_given_once() -> None:
    unknown = ServiceTypeKey("gardening")
    place = a_held_place(service_types=(ServiceTypes.LIVE_IN, unknown, ServiceTypes.LIVE_IN))
    found = [each.pointer for each in find_unknown_words(place, a_framework())]
    assert found == ["service_types/1", "service_types/2"]


def test_area_and_tier_must_belong_to_the_lot() -> None:
    lots = (Lot(lot=LOT, title="Home care", areas=(COLCHESTER,)), Lot(lot=LotKey("other"), title="Other"))
    tiers = (a_tier(Tiers.ONE).model_copy(update={"lots": (LotKey("other"),)}), a_tier(Tiers.TWO))
    definition = a_framework(lots=lots, tiers=tiers)
    found = [each.pointer for each in find_unknown_words(a_held_place(a_place(TENDRING)), definition)]
    assert found == ["area", "tier"]


def test_an_area_outside_the_framework_is_refused_with_its_reason() -> None:
    areas = (
        Area(code=COLCHESTER, name="Colchester", outside="the scheme is run by its own landlord"),
        Area(code=TENDRING, name="Tendring"),
    )
    (error,) = find_unknown_words(a_held_place(), a_framework(areas=areas))
    assert error.detail == "is not served by this framework: the scheme is run by its own landlord"


def test_a_place_that_is_given_twice_is_named_the_second_time() -> None:
    assert list(find_duplicate([ONE, TWO, ONE], 0)) == []
    assert [each.detail for each in find_duplicate([ONE, TWO, ONE], 2)] == ["is given twice; keep one of the two"]


def test_spot_areas_are_sorted_and_any_area_is_allowed() -> None:
    assert validate_spot_areas([TENDRING, COLCHESTER, AreaCode("zone-9")]) == (COLCHESTER, TENDRING, "zone-9")


def test_a_duplicate_area_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        validate_spot_areas([TENDRING, COLCHESTER, TENDRING])
    assert [field.pointer for field in refused.value.fields] == ["#/areas/2"]
