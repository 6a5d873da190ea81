"""Designated providers: the area's strategic one and then shadows by number, and care that follows other care."""

from typing import Final

import pytest

from contracts.events.searches import ProviderPassedOver, StageEntered
from contracts.example_words import LOT, Tiers
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import Designated, Recipients
from contracts.framework.words import Lot
from contracts.ids import AreaCode, LotKey, TierKey
from contracts.values import Order, PassOverReason, PlaceState
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.search import SearchStatus
from testkit.sourcing.builders import (
    a_followed_package,
    a_known_provider,
    a_market,
    a_request,
    on_monday,
    on_tuesday,
    to_provider_id,
)
from testkit.sourcing.definitions import AREA, NEIGHBOUR, a_definition, a_designated_stage, some_tiers, two_neighbours
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.step_events import find_passed_over, list_offered_providers

STRATEGIC: Final = TierKey("strategic")
SHADOW: Final = TierKey("shadow")
ZONAL: Final = TierKey("zonal")
REABLEMENT: Final = LotKey("reablement")


def build_definition(*stages: Designated) -> FrameworkDefinition:
    return a_definition(
        tiers=some_tiers(STRATEGIC, SHADOW, ZONAL),
        sourcing=stages or (a_designated_stage(STRATEGIC, SHADOW),),
        lots=(Lot(lot=LOT, title="Home care"), Lot(lot=REABLEMENT, title="Reablement")),
        areas=two_neighbours(),
    )


def a_provider_of(tier: TierKey, name: str, *, number: int | None = None, embargoed: bool = False) -> ProviderFacts:
    return a_known_provider(name, tiers=(tier,), number=number, embargoed=embargoed)


def a_zone(*others: ProviderFacts, definition: FrameworkDefinition | None = None) -> MarketSnapshot:
    """Alder is the strategic provider; Birch, Cedar and Damson are its shadows 1, 2 and 10."""
    providers = [
        a_provider_of(SHADOW, "Damson", number=10),
        a_provider_of(SHADOW, "Cedar", number=2),
        a_provider_of(SHADOW, "Birch", number=1),
        a_provider_of(STRATEGIC, "Alder"),
    ]
    return a_market(overrides=[*providers, *others], definition=definition or build_definition())


def list_turns(driver: SearchDriver) -> list[object]:
    return [each.provider_id for event in driver.events if isinstance(event, StageEntered) for each in event.candidates]


def test_the_strategic_provider_comes_first_and_then_the_shadows_by_number() -> None:
    driver = SearchDriver(a_zone()).request()
    for name in ("Alder", "Birch", "Cedar"):
        driver.decline(name)
    assert list_offered_providers(driver) == [to_provider_id(name) for name in ("Alder", "Birch", "Cedar", "Damson")]


def test_one_provider_is_asked_at_a_time_with_the_usual_time_to_answer() -> None:
    driver = SearchDriver(a_zone(), at=on_monday("16:45")).request()
    driver.deliver()
    assert driver.live_offer.provider_id == to_provider_id("Alder")
    assert driver.live_offer.answer_by == on_tuesday("08:45")


def test_the_stage_records_its_order_and_the_numbers() -> None:
    driver = SearchDriver(a_zone()).request()
    (entered,) = [event for event in driver.events if isinstance(event, StageEntered)]
    assert (entered.stage, entered.order, entered.lists) == ("designated", (Order.NUMBER,), ())
    assert [each.number for each in entered.candidates] == [None, 1, 2, 10]
    assert entered.views, "the versions of the facts that the order follows from"


def test_a_strategic_provider_that_is_barred_is_passed_over_for_the_first_shadow() -> None:
    driver = SearchDriver(a_zone(a_provider_of(STRATEGIC, "Alder", embargoed=True))).request()
    assert find_passed_over(driver) == {to_provider_id("Alder"): (PassOverReason.EMBARGOED,)}
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_a_zone_without_shadows_is_exhausted_after_its_strategic_provider() -> None:
    market = a_market(overrides=[a_provider_of(STRATEGIC, "Alder")], definition=build_definition())
    driver = SearchDriver(market).request()
    driver.decline("Alder")
    assert driver.current.status is SearchStatus.EXHAUSTED


def test_providers_of_other_tiers_are_not_asked() -> None:
    driver = SearchDriver(a_zone(a_provider_of(ZONAL, "Elm", number=1))).request()
    assert to_provider_id("Elm") not in list_turns(driver)


CONTINUING: Final = build_definition(
    a_designated_stage(STRATEGIC, SHADOW, stage="continue", follows_in=(REABLEMENT,), to=Recipients()),
    a_designated_stage(ZONAL, stage="zone"),
)
"""Long-term care: the provider of the reablement first, then the zone's providers."""


def a_reablement_provider(
    name: str, *, areas: tuple[AreaCode, ...] = (AREA,), embargoed: bool = False, state: PlaceState = PlaceState.ACTIVE
) -> ProviderFacts:
    return a_known_provider(name, lot=REABLEMENT, tiers=(STRATEGIC,), areas=areas, embargoed=embargoed, state=state)


def follow_reablement(market: MarketSnapshot, provider: str = "Alder", *, lot: LotKey = REABLEMENT) -> SearchDriver:
    return SearchDriver(market).request(a_request(follows=a_followed_package(provider, lot=lot)))


def a_long_term_market(*overrides: ProviderFacts) -> MarketSnapshot:
    """Alder gives reablement, Elm and Fir long-term care in the same zone."""
    providers = [
        a_reablement_provider("Alder"),
        a_provider_of(ZONAL, "Elm", number=1),
        a_provider_of(ZONAL, "Fir", number=2),
    ]
    return a_market(overrides=[*providers, *overrides], definition=CONTINUING)


def test_care_that_follows_reablement_goes_to_the_same_provider_across_lots() -> None:
    driver = follow_reablement(a_long_term_market())
    assert (driver.live_offer.stage, driver.live_offer.provider_id) == ("continue", to_provider_id("Alder"))
    (entered,) = [event for event in driver.events if isinstance(event, StageEntered)]
    (candidate,) = entered.candidates
    assert (candidate.lot, candidate.tier) == (REABLEMENT, STRATEGIC)
    driver.accept("Alder")
    assert driver.current.status is SearchStatus.PLACED


def test_the_provider_of_the_reablement_may_have_its_place_in_another_area() -> None:
    driver = follow_reablement(a_long_term_market(a_reablement_provider("Alder", areas=(NEIGHBOUR,))))
    assert driver.live_offer.provider_id == to_provider_id("Alder")


def test_of_several_places_in_that_lot_the_one_in_the_area_counts() -> None:
    driver = follow_reablement(a_long_term_market(a_reablement_provider("Alder", areas=(NEIGHBOUR, AREA))))
    (entered,) = [event for event in driver.events if isinstance(event, StageEntered)]
    assert [each.area for each in entered.candidates] == [AREA]


def test_a_provider_whose_place_in_that_lot_is_not_active_is_passed_over() -> None:
    driver = follow_reablement(a_long_term_market(a_reablement_provider("Alder", state=PlaceState.PAUSED)))
    assert find_passed_over(driver) == {to_provider_id("Alder"): (PassOverReason.PLACE_NOT_ACTIVE,)}


def test_if_that_provider_declines_the_zones_providers_are_asked_in_turn() -> None:
    driver = follow_reablement(a_long_term_market())
    driver.decline("Alder")
    assert (driver.live_offer.stage, driver.live_offer.provider_id) == ("zone", to_provider_id("Elm"))


def test_if_that_provider_is_barred_it_is_passed_over_and_the_zone_is_asked() -> None:
    driver = follow_reablement(a_long_term_market(a_reablement_provider("Alder", embargoed=True)))
    (passed_over,) = [event for event in driver.events if isinstance(event, ProviderPassedOver)]
    assert (passed_over.stage, passed_over.reasons) == ("continue", (PassOverReason.EMBARGOED,))
    assert driver.live_offer.provider_id == to_provider_id("Elm")


@pytest.mark.parametrize(
    ("provider", "lot"),
    [
        pytest.param(None, None, id="follows nothing"),
        pytest.param("Alder", LOT, id="follows care of another lot"),
        pytest.param("Elm", REABLEMENT, id="its provider has no place in that lot"),
    ],
)
def test_without_a_provider_to_follow_the_zone_is_asked_as_usual(provider: str | None, lot: LotKey | None) -> None:
    market = a_long_term_market()
    if provider is None or lot is None:
        driver = SearchDriver(market).request()
    else:
        driver = follow_reablement(market, provider, lot=lot)
    assert (driver.live_offer.stage, driver.live_offer.provider_id) == ("zone", to_provider_id("Elm"))


def test_a_followed_provider_of_the_zone_comes_first_once_and_the_others_keep_their_order() -> None:
    definition = build_definition(a_designated_stage(ZONAL, follows_in=(LOT,)))
    zone = [a_provider_of(ZONAL, name, number=number) for number, name in enumerate(("Elm", "Fir", "Gorse"), start=1)]
    driver = follow_reablement(a_market(overrides=zone, definition=definition), "Gorse", lot=LOT)
    assert list_turns(driver) == [to_provider_id(name) for name in ("Gorse", "Elm", "Fir")]


def test_nothing_known_of_the_followed_provider_holds_the_package_for_its_facts() -> None:
    driver = follow_reablement(a_market(overrides=[a_provider_of(ZONAL, "Elm")], definition=CONTINUING))
    assert driver.current.missing == (
        f"eligibility/{to_provider_id('Alder')}",
        f"channels/{to_provider_id('Alder')}",
    )


def test_tiers_of_the_examples_are_no_special_words() -> None:
    market = a_market(
        overrides=[
            a_known_provider("Alder", tiers=(Tiers.ONE,)),
            a_known_provider("Birch", tiers=(Tiers.TWO,), number=1),
        ],
        definition=a_definition(*Tiers.ALL, sourcing=(a_designated_stage(),)),
    )
    assert list_turns(SearchDriver(market).request()) == [to_provider_id("Alder"), to_provider_id("Birch")]
