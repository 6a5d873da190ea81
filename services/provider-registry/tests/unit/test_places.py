"""Who may become a member where."""

import pytest

from contracts.errors import FieldError, InvalidInput
from contracts.ids import AreaCode, FrameworkKey
from contracts.values import Tier
from provider_registry.domain.errors import NoPlaceLeft
from provider_registry.domain.places import check_room, places_asked_for, spot_areas_asked_for
from testkit.contract_examples import COLCHESTER, ESSEX
from testkit.provider_registry.builders import TENDRING, a_framework, a_place

DEFINITIONS = {ESSEX: a_framework(cap=10)}
ONE, TWO = a_place(tier=Tier.ONE), a_place(tier=Tier.TWO)


def test_the_tenth_place_is_free_and_the_eleventh_does_not_exist() -> None:
    check_room([ONE], {ONE: 9}, DEFINITIONS)
    with pytest.raises(NoPlaceLeft, match=r"tier 1 of E07000071 .* which takes 10 providers"):
        check_room([ONE], {ONE: 10}, DEFINITIONS)


def test_every_full_place_is_named() -> None:
    elsewhere = a_place(TENDRING)
    with pytest.raises(NoPlaceLeft) as refused:
        check_room([ONE, elsewhere, TWO], {ONE: 10, elsewhere: 10, TWO: 80}, DEFINITIONS)
    assert "E07000071" in str(refused.value)
    assert "E07000076" in str(refused.value)
    assert "tier 2" not in str(refused.value)


def test_tier_two_has_no_end() -> None:
    check_room([TWO], {TWO: 10_000}, DEFINITIONS)


def test_a_framework_may_leave_tier_one_open_too() -> None:
    check_room([ONE], {ONE: 10_000}, {ESSEX: a_framework(cap=None)})


def test_places_come_in_order_whatever_order_they_were_named_in() -> None:
    assert places_asked_for([TWO, ONE], DEFINITIONS) == (ONE, TWO)


def test_each_unknown_or_doubled_place_is_named_by_its_field() -> None:
    wanted = [a_place(AreaCode("E07000001")), a_place(framework=FrameworkKey("another-one")), ONE, ONE]
    with pytest.raises(InvalidInput) as refused:
        places_asked_for(wanted, DEFINITIONS)
    assert refused.value.fields == (
        FieldError("#/memberships/0/area", "is not an area of this framework; its definition lists them"),
        FieldError("#/memberships/1/framework", "is not a framework of your council; publish its definition first"),
        FieldError("#/memberships/3", "is given twice; keep one of the two"),
    )


def test_a_tier_that_the_framework_does_not_have_is_named() -> None:
    definition = a_framework()
    only_one = definition.model_copy(update={"tiers": definition.tiers[:1]})
    with pytest.raises(InvalidInput) as refused:
        places_asked_for([TWO], {ESSEX: only_one})
    assert [field.pointer for field in refused.value.fields] == ["#/memberships/0/tier"]


def test_areas_outside_frameworks_are_kept_in_order_and_any_area_will_do() -> None:
    assert spot_areas_asked_for([TENDRING, COLCHESTER, AreaCode("zone-9")]) == (COLCHESTER, TENDRING, "zone-9")


def test_an_area_that_is_given_twice_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        spot_areas_asked_for([TENDRING, COLCHESTER, TENDRING])
    assert [field.pointer for field in refused.value.fields] == ["#/areas/2"]
