"""Sequential offers: one provider at a time, in ranked order, stage by stage."""

from dataclasses import replace
from decimal import Decimal

import pytest

from contracts.events.offers import OfferDeclined, OfferMade
from contracts.events.searches import ListUsed, SourcingExhausted, SourcingStarted, StageEntered
from contracts.example_words import ServiceTypes, Tiers
from contracts.framework.stages import Exhausted
from contracts.values import AnswerBy, PassOverReason
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import Done, Step
from sourcing.domain.work_items import ExhaustedSearch, find_work_items
from testkit.sourcing.builders import (
    a_known_provider,
    a_market,
    a_ranked_list,
    a_request,
    add_list,
    on_monday,
    replace_facts,
    some_care,
    to_provider_id,
)
from testkit.sourcing.definitions import a_definition
from testkit.sourcing.search_driver import SearchDriver, a_search
from testkit.sourcing.step_events import find_passed_over, list_event_types, list_offered_providers


def test_a_request_starts_the_search_enters_the_first_stage_and_makes_the_first_offer_in_one_step() -> None:
    driver = SearchDriver(a_market("Alder", "Birch"))
    step = driver.handle(a_request(), at=on_monday("09:15"))
    assert list_event_types(step) == [SourcingStarted, StageEntered, OfferMade]
    assert driver.live_offer.provider_id == to_provider_id("Alder")
    assert driver.live_offer.made_at == on_monday("09:15")
    assert step.outcome == Done()


def test_an_offer_has_its_price_hours_time_to_answer_and_projection_versions() -> None:
    driver = SearchDriver(a_market("Alder")).request()
    offer = next(event for event in driver.events if isinstance(event, OfferMade))
    assert offer.weekly_hours == Decimal("10.00")
    assert offer.terms.weekly_cost == Decimal("250.00")
    assert offer.answer_by == AnswerBy(minutes=30, brokerage_time=True)
    assert offer.views == a_known_provider("Alder").projection_uses
    assert (offer.stage, offer.rank) == ("tier-1", 1)


def test_the_stage_pins_the_list_that_it_works_through() -> None:
    driver = a_search("Alder", "Birch")
    driver.market = add_list(driver.market, a_ranked_list("Cedar", "Alder", version=2))
    driver.decline("Alder")
    assert driver.live_offer.provider_id == to_provider_id("Birch")
    assert driver.current.stage is not None
    assert driver.current.stage.lists == (ListUsed(tier=Tiers.ONE, list_version=1),)


def test_a_second_request_for_the_same_package_changes_nothing() -> None:
    driver = a_search("Alder")
    before = driver.state
    assert driver.handle(a_request()) == Step(before)


def test_a_decline_sends_the_package_to_the_next_provider_in_rank() -> None:
    driver = a_search("Alder", "Birch")
    step = driver.decline("Alder", at=on_monday("09:20"))
    assert list_event_types(step) == [OfferDeclined]
    assert driver.live_offer.provider_id == to_provider_id("Birch")
    assert driver.live_offer.made_at == on_monday("09:20")


def test_rank_decides_whatever_the_order_of_the_list() -> None:
    ranked_list = a_ranked_list("Alder", "Birch", "Cedar")
    shuffled = ranked_list.model_copy(update={"ranking": tuple(reversed(ranked_list.ranking))})
    driver = SearchDriver(add_list(a_market("Alder", "Birch", "Cedar"), shuffled)).request()
    assert driver.live_offer.provider_id == to_provider_id("Alder")


def test_a_preferred_provider_is_not_asked_before_its_turn() -> None:
    driver = SearchDriver(a_market("Alder", "Birch")).request(a_request(preferred=["Birch"]))
    assert driver.live_offer.provider_id == to_provider_id("Alder")


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param(a_known_provider("Alder", embargoed=True), PassOverReason.EMBARGOED, id="embargoed"),
        pytest.param(
            a_known_provider("Alder", against=(PassOverReason.RATING_BELOW_FLOOR,)),
            PassOverReason.RATING_BELOW_FLOOR,
            id="rated below the floor",
        ),
        pytest.param(
            a_known_provider("Alder", eligible=False), PassOverReason.NOT_ELIGIBLE, id="not eligible, unsaid why"
        ),
        pytest.param(a_known_provider("Alder", tiers=[Tiers.TWO]), PassOverReason.NOT_A_MEMBER, id="of another tier"),
        pytest.param(
            a_known_provider("Alder", free_hours=Decimal("9.99")),
            PassOverReason.NO_CAPACITY,
            id="a hundredth too few hours",
        ),
        pytest.param(
            a_known_provider("Alder", service_types=[ServiceTypes.LIVE_IN]),
            PassOverReason.SERVICE_TYPE_NOT_OFFERED,
            id="another type of service",
        ),
    ],
)
def test_a_provider_is_passed_over_with_the_reason(facts: ProviderFacts, reason: PassOverReason) -> None:
    driver = SearchDriver(a_market("Alder", "Birch", overrides=[facts])).request()
    assert find_passed_over(driver) == {to_provider_id("Alder"): (reason,)}
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_a_provider_that_the_person_refuses_is_passed_over() -> None:
    driver = SearchDriver(a_market("Alder", "Birch")).request(a_request(refused=["Alder"]))
    assert find_passed_over(driver) == {to_provider_id("Alder"): (PassOverReason.REFUSED_BY_PERSON,)}


def test_all_reasons_that_hold_are_recorded() -> None:
    alder = a_known_provider(
        "Alder", embargoed=True, free_hours=Decimal(0), service_types=[], against=(PassOverReason.RATING_BELOW_FLOOR,)
    )
    driver = SearchDriver(a_market("Alder", "Birch", overrides=[alder])).request(a_request(refused=["Alder"]))
    assert find_passed_over(driver)[to_provider_id("Alder")] == (
        PassOverReason.RATING_BELOW_FLOOR,
        PassOverReason.EMBARGOED,
        PassOverReason.REFUSED_BY_PERSON,
        PassOverReason.NO_CAPACITY,
        PassOverReason.SERVICE_TYPE_NOT_OFFERED,
    )


@pytest.mark.parametrize("free_hours", [Decimal("10.00"), None])
def test_exactly_enough_capacity_suffices_and_undeclared_capacity_is_no_limit(free_hours: Decimal | None) -> None:
    driver = SearchDriver(a_market("Alder", overrides=[a_known_provider("Alder", free_hours=free_hours)])).request()
    assert driver.live_offer.provider_id == to_provider_id("Alder")


def test_eligibility_is_checked_when_the_offer_is_made() -> None:
    driver = a_search("Alder", "Birch")
    driver.market = replace_facts(driver.market, a_known_provider("Birch", embargoed=True))
    driver.decline("Alder")
    assert find_passed_over(driver) == {to_provider_id("Birch"): (PassOverReason.EMBARGOED,)}


def test_a_provider_that_was_passed_over_is_not_asked_again_in_the_stage() -> None:
    driver = SearchDriver(a_market("Alder", "Birch", overrides=[a_known_provider("Alder", embargoed=True)])).request()
    driver.market = replace_facts(driver.market, a_known_provider("Alder"))
    driver.decline("Birch")
    assert driver.current.status is SearchStatus.EXHAUSTED


def test_after_the_last_provider_of_the_last_stage_the_search_is_exhausted_and_on_the_work_list() -> None:
    driver = a_search("Alder")
    driver.decline("Alder")
    assert isinstance(driver.events[-1], SourcingExhausted)
    assert find_work_items(driver.current) == (ExhaustedSearch(last_stage="tier-1"),)
    assert driver.timers == {}


def test_after_the_first_stage_the_next_one_is_entered() -> None:
    market = add_list(
        a_market("Alder", "Birch", definition=a_definition(Tiers.ONE, Tiers.TWO)),
        a_ranked_list("Birch", tier=Tiers.TWO),
    )
    driver = SearchDriver(add_list(market, a_ranked_list("Alder"))).request()
    driver.decline("Alder")
    assert (driver.live_offer.stage, driver.live_offer.provider_id) == ("tier-2", to_provider_id("Birch"))


def test_a_provider_asked_in_one_stage_is_asked_again_in_the_next() -> None:
    market = add_list(
        a_market("Alder", definition=a_definition(Tiers.ONE, Tiers.TWO)), a_ranked_list("Alder", tier=Tiers.TWO)
    )
    driver = SearchDriver(market).request()
    driver.decline("Alder")
    assert list_offered_providers(driver) == [to_provider_id("Alder"), to_provider_id("Alder")]
    assert driver.live_offer.stage == "tier-2"


def test_a_stage_with_an_empty_list_goes_on_to_the_next() -> None:
    market = add_list(
        a_market("Alder", definition=a_definition(Tiers.ONE, Tiers.TWO)), a_ranked_list("Alder", tier=Tiers.TWO)
    )
    driver = SearchDriver(add_list(market, a_ranked_list(tier=Tiers.ONE))).request()
    assert driver.live_offer.stage == "tier-2"


def test_a_stage_that_ends_the_search_is_not_followed_by_another() -> None:
    definition = a_definition(Tiers.ONE, Tiers.TWO, exhausted=Exhausted.STOP)
    driver = SearchDriver(
        add_list(a_market("Alder", definition=definition), a_ranked_list("Alder", tier=Tiers.TWO))
    ).request()
    driver.decline("Alder")
    assert driver.current.status is SearchStatus.EXHAUSTED


def test_a_search_keeps_the_definition_that_it_started_with() -> None:
    driver = a_search("Alder", "Birch")
    driver.market = replace(driver.market, definition=a_definition(version=2))
    driver.decline("Alder")
    assert driver.current.missing == (f"definitions/{some_care().framework}/version/1",)
