"""The packages for which a stage is meant: lot, area, service type, route, urgency, needs and travel band."""

from typing import Final

import pytest

from contracts.events.offers import OfferMade
from contracts.events.searches import ListUsed, SourcingExhausted, SourcingStarted, StageEntered
from contracts.example_words import LOT, Needs, Routes, ServiceTypes, Tiers
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import Conditions, Stage
from contracts.framework.words import Area, ListGroup, Lot, TravelBand
from contracts.ids import BandKey, GroupKey, LotKey
from contracts.values import Care
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.next_step import find_next_step
from sourcing.domain.search import SearchStatus
from sourcing.domain.work_items import ExhaustedSearch, find_work_items
from testkit.sourcing.builders import (
    a_market,
    a_ranked_list,
    a_request,
    add_list,
    on_monday,
    some_care,
    to_provider_id,
)
from testkit.sourcing.definitions import AREA, FRAMEWORK, NEIGHBOUR, a_definition, a_stage, an_open_list
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.step_events import list_event_types

OTHER_LOT: Final = LotKey("extra-care")
REMOTE, NEAR = BandKey("remote"), BandKey("near")
LIVE_IN: Final = GroupKey("live-in-care")
ALL_CARE: Final = GroupKey("all-other-care")


def build_definition(*stages: Stage) -> FrameworkDefinition:
    """A framework with two lots, two areas, and a travel band for one outward code and for the second area."""
    return a_definition(
        *Tiers.ALL,
        sourcing=stages,
        lots=(Lot(lot=LOT, title="Home care"), Lot(lot=OTHER_LOT, title="Extra care")),
        areas=(
            Area(code=AREA, name="Invented District", travel_band=NEAR),
            Area(code=NEIGHBOUR, name="Invented Neighbour", travel_band=REMOTE),
        ),
        travel_bands=(TravelBand(band=REMOTE, title="Remote", outward_codes=("ZZ8",)),),
    )


def build_market(*stages: Stage) -> MarketSnapshot:
    """Alder is in tier 1, Birch in tier 2."""
    market = a_market("Alder", "Birch", definition=build_definition(*stages))
    return add_list(add_list(market, a_ranked_list("Alder")), a_ranked_list("Birch", tier=Tiers.TWO))


def request(care: Care, *stages: Stage, at: str = "09:00") -> SearchDriver:
    return SearchDriver(build_market(*stages), at=on_monday(at)).request(a_request(care=care))


def find_first_stage(care: Care, when: Conditions) -> str:
    """Returns the first stage that is entered, where one with this condition comes before one for all packages."""
    driver = request(care, a_stage(stage="special", when=when), a_stage(Tiers.TWO, stage="usual"))
    return next(event.stage for event in driver.events if isinstance(event, StageEntered))


REMOTE_CARE: Final = some_care(outward_code="ZZ8")
URGENT_CARE: Final = some_care(route=Routes.HOSPITAL_DISCHARGE, urgent=True)
CASES: Final = [
    pytest.param(Conditions(lots=(OTHER_LOT,)), some_care(lot=OTHER_LOT), id="lot"),
    pytest.param(Conditions(areas=(NEIGHBOUR,)), some_care(area=NEIGHBOUR), id="area"),
    pytest.param(
        Conditions(service_types=(ServiceTypes.LIVE_IN,)),
        some_care(service_type=ServiceTypes.LIVE_IN),
        id="service type",
    ),
    pytest.param(Conditions(routes=(Routes.CRISIS,)), some_care(route=Routes.CRISIS), id="route"),
    pytest.param(Conditions(urgent=True), URGENT_CARE, id="urgent"),
    pytest.param(Conditions(needs=(Needs.HOIST,)), some_care(needs=(Needs.DEMENTIA, Needs.HOIST)), id="needs"),
    pytest.param(
        Conditions(needs=(Needs.HOIST, Needs.PEG_FEEDING)), some_care(needs=(Needs.PEG_FEEDING,)), id="any need"
    ),
    pytest.param(Conditions(travel_bands=(REMOTE,)), REMOTE_CARE, id="travel band of the outward code"),
    pytest.param(Conditions(travel_bands=(REMOTE,)), some_care(area=NEIGHBOUR), id="travel band of the area"),
    pytest.param(Conditions(lots=(LOT, OTHER_LOT), routes=(Routes.CRISIS,)), some_care(route=Routes.CRISIS), id="two"),
]


@pytest.mark.parametrize(("when", "care"), CASES)
def test_a_package_that_fulfils_the_condition_goes_to_the_stage(when: Conditions, care: Care) -> None:
    assert find_first_stage(care, when) == "special"


@pytest.mark.parametrize("when", [case.values[0] for case in CASES])
def test_a_package_that_does_not_fulfil_the_condition_skips_the_stage(when: Conditions) -> None:
    assert find_first_stage(some_care(), when) == "usual"


@pytest.mark.parametrize("care", [some_care(route=Routes.CRISIS), some_care(needs=(Needs.HOIST,))])
def test_all_conditions_of_a_stage_must_hold(care: Care) -> None:
    when = Conditions(routes=(Routes.CRISIS,), needs=(Needs.HOIST,))
    assert find_first_stage(care, when) == "usual"
    assert find_first_stage(some_care(route=Routes.CRISIS, needs=(Needs.HOIST,)), when) == "special"


def test_a_stage_for_routine_packages_is_not_for_urgent_ones() -> None:
    assert find_first_stage(some_care(), Conditions(urgent=False)) == "special"
    assert find_first_stage(URGENT_CARE, Conditions(urgent=False)) == "usual"


def test_a_stage_that_is_not_meant_is_not_entered_and_leaves_no_trace() -> None:
    driver = SearchDriver(
        build_market(a_stage(stage="special", when=Conditions(urgent=True)), a_stage(Tiers.TWO, stage="usual"))
    )
    step = driver.handle(a_request())
    assert list_event_types(step) == [SourcingStarted, StageEntered, OfferMade]


def test_a_stage_in_the_middle_is_skipped_after_the_one_before_it() -> None:
    stages = (
        a_stage(stage="first"),
        a_stage(stage="second", when=Conditions(routes=(Routes.CRISIS,))),
        a_stage(Tiers.TWO, stage="third"),
    )
    driver = request(some_care(), *stages)
    driver.decline("Alder", at=on_monday("19:00"))
    next_step = find_next_step(driver.current, driver.market.definition, now=driver.at)
    assert next_step.text == "stage third begins on Tue 13 Jan 08:30, when brokerage opens"
    driver = request(some_care(route=Routes.CRISIS), *stages)
    driver.decline("Alder")
    assert driver.live_offer.stage == "second"


def test_an_open_list_for_some_packages_is_skipped_by_the_others() -> None:
    stages = (an_open_list(when=Conditions(travel_bands=(REMOTE,))), a_stage())
    assert request(REMOTE_CARE, *stages).current.status is SearchStatus.LISTED
    assert request(some_care(), *stages).live_offer.provider_id == to_provider_id("Alder")


def test_if_no_stage_is_meant_the_search_is_exhausted_and_on_the_work_list() -> None:
    driver = request(
        some_care(), a_stage(when=Conditions(urgent=True)), a_stage(Tiers.TWO, when=Conditions(areas=(NEIGHBOUR,)))
    )
    (_, exhausted) = driver.events[1:]
    assert isinstance(exhausted, SourcingExhausted)
    assert exhausted.last_stage is None
    assert driver.current.status is SearchStatus.EXHAUSTED
    assert find_work_items(driver.current) == (ExhaustedSearch(last_stage=None),)
    assert driver.timers == {}


def test_if_no_further_stage_is_meant_the_last_one_that_was_is_named() -> None:
    driver = request(some_care(), a_stage(), a_stage(Tiers.TWO, when=Conditions(urgent=True)))
    driver.decline("Alder")
    assert find_work_items(driver.current) == (ExhaustedSearch(last_stage="tier-1"),)


def build_grouped_market(*names: str, group: GroupKey) -> MarketSnapshot:
    """A market whose tier 1 has a ranked list for live-in care, and one for all other care."""
    groups = (
        ListGroup(group=LIVE_IN, title="Live-in care", service_types=(ServiceTypes.LIVE_IN,)),
        ListGroup(group=ALL_CARE, title="All other care"),
    )
    market = a_market(*names, definition=a_definition(list_groups=groups))
    return add_list(market, a_ranked_list(*names, group=group, version=3))


@pytest.mark.parametrize(
    ("care", "group"), [(some_care(service_type=ServiceTypes.LIVE_IN), LIVE_IN), (some_care(), ALL_CARE)]
)
def test_a_stage_records_the_group_of_the_list_that_it_works_through(care: Care, group: GroupKey) -> None:
    driver = SearchDriver(build_grouped_market("Alder", group=group)).request(a_request(care=care))
    assert driver.current.stage is not None
    assert driver.current.stage.lists == (ListUsed(tier=Tiers.ONE, group=group, list_version=3),)


def test_a_missing_list_of_a_group_is_named_with_its_group() -> None:
    definition = a_definition(list_groups=(ListGroup(group=ALL_CARE, title="All care"),))
    driver = SearchDriver(MarketSnapshot(definition)).request()
    assert driver.current.missing == (f"ranked-lists/{FRAMEWORK}/{LOT}/{AREA}/{Tiers.ONE}/{ALL_CARE}",)


def test_an_area_that_the_lot_does_not_have_is_held_for_an_officer_to_see() -> None:
    definition = a_definition(
        lots=(Lot(lot=LOT, title="Home care", areas=(AREA,)),), areas=build_definition(a_stage()).areas
    )
    driver = SearchDriver(a_market("Alder", definition=definition)).request(a_request(care=some_care(area=NEIGHBOUR)))
    assert driver.current.missing == (f"definitions/{FRAMEWORK}/area/{NEIGHBOUR}",)


def test_a_lot_that_the_framework_does_not_know_is_held_for_an_officer_to_see() -> None:
    driver = SearchDriver(a_market("Alder")).request(a_request(care=some_care(lot=OTHER_LOT)))
    assert driver.current.missing == (f"definitions/{FRAMEWORK}/lot/{OTHER_LOT}",)
