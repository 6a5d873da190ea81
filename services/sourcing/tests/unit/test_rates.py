"""What a package costs with whom: each provider's own selection on the day of the offer."""

from datetime import date
from decimal import Decimal

from contracts.events.offers import OfferMade
from contracts.events.rates import RatesSelected
from contracts.events.searches import ProviderPassedOver, SourcingHeld
from contracts.example_words import ServiceTypes
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import RatesSetBy
from contracts.values import PassOverReason
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.search import SearchStatus
from testkit.sourcing.builders import a_known_provider, a_market, a_rate_selection, a_request, some_care, to_provider_id
from testkit.sourcing.definitions import AREA, FRAMEWORK, a_definition
from testkit.sourcing.search_driver import SearchDriver


def build_definition() -> FrameworkDefinition:
    return a_definition(rates_set_by=RatesSetBy.SELECTION)


def build_market(*facts: ProviderFacts) -> MarketSnapshot:
    return a_market("Alder", "Birch", overrides=facts, definition=build_definition())


def build_facts(name: str, rates: RatesSelected | None) -> ProviderFacts:
    return a_known_provider(name, rates=rates)


def test_an_offer_is_at_the_rate_that_its_provider_has_selected() -> None:
    driver = SearchDriver(
        build_market(
            build_facts("Alder", a_rate_selection("Alder", "26.50")),
            build_facts("Birch", a_rate_selection("Birch", "25.10")),
        )
    )
    driver.request()
    driver.decline("Alder")
    offers = [event for event in driver.events if isinstance(event, OfferMade)]
    assert [offer.terms.rate for offer in offers] == [Decimal("26.50"), Decimal("25.10")]
    assert offers[0].terms.weekly_cost == Decimal("265.00")
    assert "rate 1, selected from 2026-01-01" in offers[0].terms.price_list


def test_the_day_of_the_offer_decides_which_selection_counts() -> None:
    rates = a_rate_selection("Alder", "25.00", "27.00", from_day=date(2025, 1, 12))
    driver = SearchDriver(
        build_market(build_facts("Alder", rates), build_facts("Birch", a_rate_selection("Birch", "25.10")))
    )
    driver.request()
    assert driver.live_offer.terms.rate == Decimal("27.00")


def test_rates_that_nobody_has_heard_of_hold_the_package() -> None:
    driver = SearchDriver(build_market(build_facts("Alder", None))).request()
    assert driver.current.status is SearchStatus.HELD
    held = driver.events[-1]
    assert isinstance(held, SourcingHeld)
    assert f"rates/{to_provider_id('Alder')}/{FRAMEWORK}/{AREA}" in held.missing


def test_who_has_selected_no_rate_for_this_service_is_passed_over() -> None:
    care = some_care().model_copy(update={"service_type": ServiceTypes.NIGHT_AWAKE})
    rates = [build_facts(name, a_rate_selection(name, "25.00")) for name in ("Alder", "Birch")]
    driver = SearchDriver(build_market(*rates)).request(a_request(care=care))
    passed = [event.reasons for event in driver.events if isinstance(event, ProviderPassedOver)]
    assert passed == [(PassOverReason.NO_RATE_SELECTED,)] * 2


def test_where_rates_are_the_same_for_all_nobody_needs_a_selection() -> None:
    driver = SearchDriver(a_market("Alder")).request()
    assert driver.live_offer.terms.rate == Decimal("25.00")
