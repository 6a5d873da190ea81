"""A package goes through the stages that are meant for it, in the order of the definition."""

from decimal import Decimal

import pytest

from contracts.example_words import LOT, Needs, Routes, ServiceTypes, Tiers
from contracts.examples import COLCHESTER, a_definition, some_care
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import (
    Ceiling,
    Conditions,
    Designated,
    OfferToAll,
    OpenList,
    Recipients,
    SequentialOffers,
)
from contracts.framework.words import Area, ListGroup, Lot, TravelBand
from contracts.ids import AreaCode, BandKey, GroupKey, LotKey
from contracts.values import Care, Order

HARLOW, EXTRA_CARE = AreaCode("E07000073"), LotKey("extra-care")
NEAR, FAR = BandKey("near"), BandKey("far")
TO = Recipients(tiers=(Tiers.ONE,))
FIRST = SequentialOffers(stage="first", procedure="sequential-offers", to=TO)


def _define(conditions: Conditions) -> FrameworkDefinition:
    """A definition whose stage `special` has conditions; `first` and `last` have none."""
    return a_definition(
        areas=(Area(code=COLCHESTER, name="Colchester", travel_band=NEAR), Area(code=HARLOW, name="Harlow")),
        lots=(Lot(lot=LOT, title="Home care"), Lot(lot=EXTRA_CARE, title="Extra care")),
        travel_bands=(TravelBand(band=FAR, title="Far", outward_codes=("CO2",)),),
        sourcing=(
            FIRST,
            OfferToAll(stage="special", procedure="offer-to-all", to=TO, when=conditions),
            Designated(stage="last", procedure="designated", to=TO),
        ),
    )


CONDITIONS: dict[str, tuple[Conditions, Care, Care]] = {
    "a lot": (Conditions(lots=(EXTRA_CARE,)), some_care(lot=EXTRA_CARE), some_care()),
    "an area": (Conditions(areas=(HARLOW,)), some_care(area=HARLOW), some_care()),
    "a service type": (
        Conditions(service_types=(ServiceTypes.LIVE_IN,)),
        some_care(service_type=ServiceTypes.LIVE_IN),
        some_care(),
    ),
    "a route": (Conditions(routes=(Routes.CRISIS,)), some_care(route=Routes.CRISIS), some_care()),
    "urgency": (Conditions(urgent=True), some_care(urgent=True), some_care()),
    "no urgency": (Conditions(urgent=False), some_care(), some_care(urgent=True)),
    "one of two needs": (
        Conditions(needs=(Needs.HOIST, Needs.DEMENTIA)),
        some_care(needs=(Needs.KEY_SAFE, Needs.DEMENTIA)),
        some_care(needs=(Needs.KEY_SAFE,)),
    ),
    "the travel band of the area": (Conditions(travel_bands=(NEAR,)), some_care(), some_care(area=HARLOW)),
    "the travel band of the outward code": (
        Conditions(travel_bands=(FAR,)),
        some_care(outward_code="CO2"),
        some_care(outward_code="CO1"),
    ),
    "two conditions together": (
        Conditions(areas=(HARLOW,), urgent=True),
        some_care(area=HARLOW, urgent=True),
        some_care(area=HARLOW),
    ),
    "one of two areas": (Conditions(areas=(COLCHESTER, HARLOW)), some_care(), some_care(area=AreaCode("X1"))),
}


@pytest.mark.parametrize("case", CONDITIONS)
def test_a_stage_is_for_the_packages_that_fulfil_its_conditions(case: str) -> None:
    conditions, meant, not_meant = CONDITIONS[case]
    definition = _define(conditions)
    assert _list_stages(definition, meant) == ["first", "special", "last"]
    assert _list_stages(definition, not_meant) == ["first", "last"]


def _list_stages(definition: FrameworkDefinition, care: Care) -> list[str]:
    return [stage.stage for stage in definition.list_road(definition.describe_kind(care))]


def test_no_stage_is_meant_for_a_package_that_fulfils_no_conditions() -> None:
    stage = FIRST.model_copy(update={"when": Conditions(urgent=True)})
    definition = a_definition(sourcing=(stage,))
    assert definition.find_next_stage(None, definition.describe_kind(some_care())) is None
    assert definition.find_next_stage(None, definition.describe_kind(some_care(urgent=True))) == stage


def test_the_first_stage_can_be_skipped() -> None:
    stages = (FIRST.model_copy(update={"when": Conditions(urgent=True)}), FIRST.model_copy(update={"stage": "second"}))
    definition = a_definition(sourcing=stages)
    found = definition.find_next_stage(None, definition.describe_kind(some_care()))
    assert found is not None
    assert found.stage == "second"


def test_an_open_list_with_conditions_can_be_followed_by_other_stages() -> None:
    ceilings = tuple(
        Ceiling(service_type=each.service_type, rate=Decimal("30.00")) for each in a_definition().service_types
    )
    when = Conditions(urgent=False)
    open_list = OpenList(stage="open", procedure="open-list", ceilings=ceilings, when=when)
    definition = a_definition(sourcing=(open_list, FIRST))
    assert _list_stages(definition, some_care(urgent=True)) == ["first"]
    with pytest.raises(LookupError, match="stage open does not make offers"):
        definition.get_offering_stage("open")


def test_the_order_of_a_designated_stage_is_by_number() -> None:
    assert Designated(stage="a", procedure="designated", to=TO).order == (Order.NUMBER,)
    assert OfferToAll(stage="a", procedure="offer-to-all", to=TO).order == (Order.PRICE, Order.ROTATION)


def test_the_outward_code_decides_about_the_travel_band_before_the_area() -> None:
    definition = _define(Conditions())
    assert definition.find_travel_band(some_care(outward_code="CO2")) == FAR
    assert definition.find_travel_band(some_care(outward_code="CO1")) == NEAR
    assert definition.find_travel_band(some_care(area=HARLOW)) is None


NIGHTS, DISABILITY, OTHERS = GroupKey("nights"), GroupKey("disability"), GroupKey("others")
GROUPS = (
    ListGroup(group=NIGHTS, title="Nights", service_types=(ServiceTypes.NIGHT_SLEEP,)),
    ListGroup(group=DISABILITY, title="Disability", needs=(Needs.HOIST, Needs.PEG_FEEDING)),
    ListGroup(group=OTHERS, title="Others"),
)


@pytest.mark.parametrize(
    ("changed", "group"),
    [
        ({}, OTHERS),
        ({"needs": (Needs.KEY_SAFE, Needs.HOIST)}, DISABILITY),
        ({"service_type": ServiceTypes.NIGHT_SLEEP}, NIGHTS),
        ({"service_type": ServiceTypes.NIGHT_SLEEP, "needs": (Needs.HOIST,)}, NIGHTS),
    ],
)
def test_the_first_group_that_a_package_matches_has_its_lists(changed: dict[str, object], group: GroupKey) -> None:
    assert a_definition(list_groups=GROUPS).find_list_group(some_care(**changed)) == group


def test_a_package_that_matches_no_group_and_a_definition_without_groups_have_none() -> None:
    assert a_definition(list_groups=GROUPS[:2]).find_list_group(some_care()) is None
    assert a_definition().find_list_group(some_care(needs=(Needs.HOIST,))) is None
