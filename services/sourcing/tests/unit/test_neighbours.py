"""Providers of neighbouring areas: asked after the area's own, at the prices of their own areas."""

from decimal import Decimal
from typing import Final

from contracts.events.offers import OfferMade
from contracts.events.searches import StageEntered
from contracts.example_words import ServiceTypes, Tiers, Units
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine, Prices, RatesSetBy
from contracts.framework.stages import Reach, Recipients, SequentialOffers, Stage
from contracts.framework.words import Area
from contracts.ids import AreaCode, BandKey
from contracts.values import Order, PassOverReason, PlaceState
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import SearchStatus
from testkit.sourcing.builders import (
    a_known_provider,
    a_market,
    a_rate_selection,
    on_monday,
    replace_facts,
    to_provider_id,
)
from testkit.sourcing.definitions import (
    AREA,
    NEIGHBOUR,
    a_definition,
    a_stage,
    a_stage_for_all,
    some_hourly_prices,
    two_neighbours,
)
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.step_events import find_passed_over, list_offered_providers

FAR: Final = AreaCode("E07999997")
RURAL: Final = BandKey("rural")
OWN: Final = Recipients(tiers=(Tiers.ONE,))
NEIGHBOURS: Final = Recipients(tiers=(Tiers.ONE,), reach=Reach.NEIGHBOURS)


def a_provider_in(name: str, *areas: AreaCode, state: PlaceState = PlaceState.ACTIVE) -> ProviderFacts:
    return a_known_provider(name, tiers=(Tiers.ONE,), areas=areas, state=state)


def by_rotation(stage: str, to: Recipients) -> SequentialOffers:
    return a_stage(stage=stage, order=(Order.ROTATION,), to=to)


def build_definition(*stages: Stage, band: BandKey | None = None, prices: Prices | None = None) -> FrameworkDefinition:
    """The area's providers, then those of the neighbouring area, of price band `band`; a third area is no neighbour."""
    return a_definition(
        sourcing=stages or (by_rotation("own", OWN), by_rotation("neighbours", NEIGHBOURS)),
        areas=(*two_neighbours(price_band=band), Area(code=FAR, name="Invented Far District")),
        prices=prices or some_hourly_prices(),
    )


def request(*known: ProviderFacts, definition: FrameworkDefinition | None = None) -> SearchDriver:
    return SearchDriver(a_market(overrides=known, definition=definition or build_definition())).request()


def test_providers_of_a_neighbouring_area_follow_those_of_the_own_area() -> None:
    driver = request(a_provider_in("Alder", AREA), a_provider_in("Birch", NEIGHBOUR))
    driver.decline("Alder")
    assert (driver.live_offer.stage, driver.live_offer.provider_id) == ("neighbours", to_provider_id("Birch"))
    driver.accept("Birch")
    assert driver.current.status is SearchStatus.PLACED


def test_a_candidate_is_recorded_with_the_area_of_its_place() -> None:
    driver = request(a_provider_in("Alder", AREA), a_provider_in("Birch", NEIGHBOUR))
    driver.decline("Alder")
    own, neighbours = (event for event in driver.events if isinstance(event, StageEntered))
    assert [each.area for each in (*own.candidates, *neighbours.candidates)] == [AREA, NEIGHBOUR]


def test_providers_of_areas_that_are_no_neighbours_are_not_asked() -> None:
    driver = request(a_provider_in("Alder", AREA), a_provider_in("Cedar", FAR))
    driver.decline("Alder")
    assert driver.current.status is SearchStatus.EXHAUSTED
    assert list_offered_providers(driver) == [to_provider_id("Alder")]


def test_a_provider_with_places_in_both_areas_is_asked_once() -> None:
    driver = request(a_provider_in("Alder", AREA, NEIGHBOUR), a_provider_in("Birch", NEIGHBOUR))
    driver.decline("Alder")
    driver.decline("Birch")
    assert list_offered_providers(driver) == [to_provider_id("Alder"), to_provider_id("Birch")]
    assert driver.current.status is SearchStatus.EXHAUSTED


def test_a_place_of_a_neighbour_that_is_not_active_is_passed_over() -> None:
    driver = request(a_provider_in("Alder", AREA), a_provider_in("Birch", NEIGHBOUR, state=PlaceState.MOBILISING))
    driver.decline("Alder")
    assert find_passed_over(driver) == {to_provider_id("Birch"): (PassOverReason.PLACE_NOT_ACTIVE,)}


def test_the_place_of_the_neighbouring_area_counts_at_the_award() -> None:
    driver = request(a_provider_in("Alder", AREA), a_provider_in("Birch", NEIGHBOUR))
    driver.decline("Alder")
    driver.market = replace_facts(driver.market, a_provider_in("Birch", FAR))
    driver.accept("Birch")
    assert driver.find_offer("Birch").award_refused_for == (PassOverReason.NOT_A_MEMBER,)


def test_the_price_is_that_of_the_band_of_the_providers_own_area() -> None:
    rural = MatrixLine(service_type=ServiceTypes.PERSONAL_CARE, band=RURAL, unit=Units.HOUR, rate=Decimal("28.00"))
    usual = some_hourly_prices()
    prices = usual.model_copy(update={"matrix": (*usual.matrix, rural)})
    driver = request(
        a_provider_in("Alder", AREA),
        a_provider_in("Birch", NEIGHBOUR),
        definition=build_definition(band=RURAL, prices=prices),
    )
    driver.decline("Alder")
    rates = [event.terms.rate for event in driver.events if isinstance(event, OfferMade)]
    assert rates == [Decimal("25.00"), Decimal("28.00")]


def test_the_rate_is_the_one_that_the_provider_has_selected_for_its_own_area() -> None:
    birch = a_known_provider(
        "Birch",
        tiers=(Tiers.ONE,),
        areas=(NEIGHBOUR,),
        rates=a_rate_selection("Birch", "27.30", area=NEIGHBOUR),
    )
    alder = a_known_provider("Alder", tiers=(Tiers.ONE,), rates=a_rate_selection("Alder", "26.00"))
    prices = some_hourly_prices(rates_set_by=RatesSetBy.SELECTION)
    driver = request(alder, birch, definition=build_definition(prices=prices))
    driver.decline("Alder")
    assert driver.live_offer.terms.rate == Decimal("27.30")


def test_neighbours_can_be_asked_all_at_once() -> None:
    stages = (a_stage_for_all(stage="own"), a_stage_for_all(stage="neighbours", to=NEIGHBOURS))
    driver = request(
        a_provider_in("Alder", AREA),
        a_provider_in("Birch", NEIGHBOUR),
        a_provider_in("Cedar", NEIGHBOUR),
        definition=build_definition(*stages),
    )
    driver.decline("Alder", at=on_monday("10:00"))
    offers = driver.current.live_offers
    assert {offer.provider_id for offer in offers} == {to_provider_id("Birch"), to_provider_id("Cedar")}
    assert {offer.answer_by for offer in offers} == {on_monday("12:00")}


def test_an_area_without_any_place_is_held_and_not_taken_for_one_without_providers() -> None:
    driver = request(a_provider_in("Birch", NEIGHBOUR))
    (missing,) = driver.current.missing
    assert missing.startswith("eligibility/places/")
    assert missing.endswith(f"/{AREA}")
