"""A definition's kinds of packages are those that its stages can tell apart."""

from contracts.example_words import Needs, Routes, ServiceTypes
from contracts.examples import COLCHESTER, a_definition
from contracts.framework.words import Area, Lot
from contracts.ids import AreaCode
from contracts.review.kinds import count_kinds, describe_kinds, list_kinds
from contracts.review.road_groups import group_roads
from testkit.council_examples import (
    EAST,
    ORCHARD,
    REMOTE,
    SCHEME_LOT,
    a_definition_with_conditions,
    a_definition_with_lots,
    a_definition_with_zones,
)


def test_there_is_a_kind_for_each_area_service_type_and_route_of_a_lot() -> None:
    kinds = list(list_kinds(a_definition()))
    assert len(kinds) == count_kinds(a_definition()) == 1 * 3 * 3
    assert {kind.area for kind in kinds} == {COLCHESTER}
    assert {kind.route for kind in kinds if kind.urgent} == {Routes.HOSPITAL_DISCHARGE, Routes.CRISIS}


def test_a_lot_has_its_own_areas_and_service_types_and_none_that_is_outside() -> None:
    kinds = list(list_kinds(a_definition_with_lots()))
    assert {kind.area for kind in kinds} == {EAST, ORCHARD}
    assert {kind.area for kind in kinds if kind.lot == SCHEME_LOT} == {ORCHARD}


def test_a_lot_has_its_own_routes() -> None:
    lot = Lot(lot=a_definition().lots[0].lot, title="Home care", routes=(Routes.CRISIS,))
    assert {kind.route for kind in list_kinds(a_definition(lots=(lot,)))} == {Routes.CRISIS}


def test_a_need_and_a_travel_band_double_the_kinds_only_where_a_stage_asks_for_them() -> None:
    definition = a_definition_with_conditions()
    kinds = list(list_kinds(definition))
    assert len(kinds) == len(set(kinds)) == count_kinds(definition) == 9 * 2 * 2
    assert {kind.needs for kind in kinds} == {(), (Needs.HOIST,)}
    assert {kind.travel_band for kind in kinds} == {None, REMOTE}


def test_the_count_is_never_below_the_number_of_kinds() -> None:
    for definition in (a_definition_with_lots(), a_definition_with_zones(), a_definition_with_conditions()):
        assert count_kinds(definition) >= len(list(list_kinds(definition)))


def test_kinds_are_described_in_one_phrase_with_at_most_four_names() -> None:
    few = a_definition()
    assert describe_kinds(few, list(list_kinds(few))) == (
        "Personal care, Night sleep and Live in, in Colchester, by Community, Hospital discharge and Crisis"
    )
    many = a_definition(areas=tuple(Area(code=AreaCode(f"a-{each}"), name=f"Area {each}") for each in range(5)))
    assert ", in 5 areas, by " in describe_kinds(many, list(list_kinds(many)))


def test_needs_and_travel_bands_are_named_where_all_kinds_share_them() -> None:
    definition = a_definition_with_conditions()
    phrases = {group.names: describe_kinds(definition, group.kinds) for group in group_roads(definition)}
    assert "need" not in phrases["usual",]
    assert phrases["hoists", "usual"].endswith("by Community and Hospital discharge, with a need of Hoist")
    assert phrases["remote", "crisis", "usual"].endswith("by Crisis, in travel band remote")


def test_packages_with_the_same_road_are_one_group_and_the_most_travelled_road_comes_first() -> None:
    groups = group_roads(a_definition_with_conditions())
    assert [group.names for group in groups][:2] == [("usual",), ("hoists", "usual")]
    assert sum(len(group.kinds) for group in groups) == 36
    sizes = [len(group.kinds) for group in groups]
    assert sizes == sorted(sizes, reverse=True)


def test_the_roads_of_a_lot_stand_together_in_the_order_of_the_lots() -> None:
    groups = group_roads(a_definition_with_lots())
    assert [group.names for group in groups] == [("strategic",), ("follow-on", "zone"), ("scheme",)]
    assert {kind.service_type for kind in groups[1].kinds} == {ServiceTypes.PERSONAL_CARE}
