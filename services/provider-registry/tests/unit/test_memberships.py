"""Rules for places on frameworks and for spot areas."""

import pytest

from contracts.errors import FieldError, InvalidInput
from contracts.examples import COLCHESTER, ESSEX
from contracts.ids import AreaCode, FrameworkKey
from contracts.values import Tier
from provider_registry.domain.errors import NoPlaceLeft
from provider_registry.domain.memberships import check_places_are_free, validate_places, validate_spot_areas
from testkit.provider_registry.builders import TENDRING, a_framework, a_place

DEFINITIONS = {ESSEX: a_framework(cap=10)}
ONE, TWO = a_place(tier=Tier.ONE), a_place(tier=Tier.TWO)


def test_the_tenth_place_is_free_and_the_eleventh_does_not_exist() -> None:
    check_places_are_free([ONE], {ONE: 9}, DEFINITIONS)
    with pytest.raises(NoPlaceLeft, match=r"tier 1 of E07000071 .* which takes 10 providers"):
        check_places_are_free([ONE], {ONE: 10}, DEFINITIONS)


def test_every_full_place_is_named() -> None:
    elsewhere = a_place(TENDRING)
    with pytest.raises(NoPlaceLeft) as refused:
        check_places_are_free([ONE, elsewhere, TWO], {ONE: 10, elsewhere: 10, TWO: 80}, DEFINITIONS)
    assert "E07000071" in str(refused.value)
    assert "E07000076" in str(refused.value)
    assert "tier 2" not in str(refused.value)


def test_tier_two_has_no_cap() -> None:
    check_places_are_free([TWO], {TWO: 10_000}, DEFINITIONS)


def test_tier_one_may_have_no_cap_either() -> None:
    check_places_are_free([ONE], {ONE: 10_000}, {ESSEX: a_framework(cap=None)})


def test_places_are_sorted() -> None:
    assert validate_places([TWO, ONE], DEFINITIONS) == (ONE, TWO)


def test_each_unknown_or_duplicate_place_is_named_by_its_field() -> None:
    places = [a_place(AreaCode("E07000001")), a_place(framework=FrameworkKey("another-one")), ONE, ONE]
    with pytest.raises(InvalidInput) as refused:
        validate_places(places, DEFINITIONS)
    assert refused.value.fields == (
        FieldError("#/memberships/0/area", "is not an area of this framework; its definition lists them"),
        FieldError("#/memberships/1/framework", "is not a framework of your council; publish its definition first"),
        FieldError("#/memberships/3", "is given twice; keep one of the two"),
    )


def test_a_tier_that_the_framework_does_not_have_is_named() -> None:
    definition = a_framework()
    only_one = definition.model_copy(update={"tiers": definition.tiers[:1]})
    with pytest.raises(InvalidInput) as refused:
        validate_places([TWO], {ESSEX: only_one})
    assert [field.pointer for field in refused.value.fields] == ["#/memberships/0/tier"]


def test_spot_areas_are_sorted_and_any_area_is_allowed() -> None:
    assert validate_spot_areas([TENDRING, COLCHESTER, AreaCode("zone-9")]) == (COLCHESTER, TENDRING, "zone-9")


def test_a_duplicate_area_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        validate_spot_areas([TENDRING, COLCHESTER, TENDRING])
    assert [field.pointer for field in refused.value.fields] == ["#/areas/2"]
