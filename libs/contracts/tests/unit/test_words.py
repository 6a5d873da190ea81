"""What a definition says about its lots, areas, tiers, routes and skills."""

import pytest

from contracts.example_words import LOT, Needs, Routes, ServiceTypes, Tiers, Units
from contracts.examples import COLCHESTER, a_definition
from contracts.framework.tiers import Tier
from contracts.framework.words import Area, Lot, Route, Skill
from contracts.ids import AreaCode, LotKey, RouteKey, ServiceTypeKey, TierKey
from contracts.values import UnitKind

HARLOW, ELSEWHERE = AreaCode("E07000073"), AreaCode("X1")
NARROW = Lot(
    lot=LotKey("narrow"),
    title="Narrow",
    areas=(HARLOW,),
    service_types=(ServiceTypes.LIVE_IN,),
    routes=(Routes.CRISIS,),
)
DEFINITION = a_definition(
    areas=(Area(code=COLCHESTER, name="Colchester"), Area(code=HARLOW, name="Harlow", districts=(AreaCode("D1"),))),
    lots=(Lot(lot=LOT, title="Home care"), NARROW),
    tiers=(Tier(tier=Tiers.ONE, title="Tier 1"), Tier(tier=Tiers.TWO, title="Tier 2", lots=(NARROW.lot,))),
)


@pytest.mark.parametrize(
    ("area", "service_type", "route", "serves"),
    [
        (HARLOW, ServiceTypes.LIVE_IN, Routes.CRISIS, True),
        (COLCHESTER, ServiceTypes.LIVE_IN, Routes.CRISIS, False),
        (HARLOW, ServiceTypes.PERSONAL_CARE, Routes.CRISIS, False),
        (HARLOW, ServiceTypes.LIVE_IN, Routes.COMMUNITY, False),
    ],
)
def test_a_lot_serves_what_its_three_lists_name(
    area: AreaCode, service_type: ServiceTypeKey, route: RouteKey, serves: bool
) -> None:
    assert NARROW.serves(area, service_type, route) is serves
    assert Lot(lot=LOT, title="All").serves(area, service_type, route)


@pytest.mark.parametrize(
    ("lot", "area", "tier", "exists"),
    [
        (LOT, COLCHESTER, Tiers.ONE, True),
        (LOT, COLCHESTER, Tiers.TWO, False),
        (NARROW.lot, HARLOW, Tiers.TWO, True),
        (NARROW.lot, COLCHESTER, Tiers.TWO, False),
        (LOT, ELSEWHERE, Tiers.ONE, False),
        (LotKey("no-lot"), COLCHESTER, Tiers.ONE, False),
        (LOT, COLCHESTER, TierKey("no-tier"), False),
    ],
)
def test_a_place_exists_where_lot_area_and_tier_meet(lot: LotKey, area: AreaCode, tier: TierKey, exists: bool) -> None:
    assert DEFINITION.has_place(lot, area, tier) is exists


def test_the_service_types_of_a_lot_are_in_the_order_of_the_definition() -> None:
    every = tuple(each.service_type for each in DEFINITION.service_types)
    assert DEFINITION.list_service_types(LOT) == every
    assert DEFINITION.list_service_types(NARROW.lot) == (ServiceTypes.LIVE_IN,)
    assert DEFINITION.list_service_types(LotKey("no-lot")) == ()


def test_an_area_without_districts_is_a_district_itself() -> None:
    colchester, harlow = DEFINITION.areas
    assert colchester.covers_district(COLCHESTER)
    assert harlow.covers_district(AreaCode("D1"))
    assert not harlow.covers_district(HARLOW)


def test_words_that_are_not_declared_are_not_found() -> None:
    assert DEFINITION.find_area(ELSEWHERE) is None
    assert DEFINITION.find_tier(TierKey("no-tier")) is None
    assert DEFINITION.find_service_type(ServiceTypeKey("no-type")) is None
    assert DEFINITION.find_route(RouteKey("no-route")) is None
    assert DEFINITION.find_skill(Needs.KEY_SAFE) is None
    assert DEFINITION.find_skill(Needs.HOIST) == Skill(skill=Needs.HOIST, title="Hoist")


def test_needs_are_skills_and_circumstances() -> None:
    assert DEFINITION.needs == (*Needs.SKILLS, *Needs.CIRCUMSTANCES)


def test_the_usual_route_is_the_first_that_is_not_urgent() -> None:
    urgent, routine = Route(route=Routes.CRISIS, title="C", urgent=True), Route(route=Routes.COMMUNITY, title="D")
    assert a_definition(routes=(urgent, routine)).usual_route == routine
    assert a_definition(routes=(urgent,)).usual_route == urgent


def test_only_an_episode_is_not_paid_each_week() -> None:
    assert DEFINITION.get_unit_kind(Units.NIGHT) is UnitKind.NIGHT
    assert {kind for kind in UnitKind if not kind.recurs} == {UnitKind.EPISODE}
