"""Offers to all providers of a tier at once: who of those that accept gets the package."""

from dataclasses import replace
from decimal import Decimal

from contracts.events.offers import AcceptanceReceived, AcceptancesOrdered, OfferAccepted, OfferWithdrawn
from contracts.events.reasons import OfferEnd
from contracts.events.searches import PackagePlaced, ProviderPassedOver, SourcingHeld
from contracts.framework.stages import Exhausted
from contracts.values import Order, PassOverReason
from sourcing.domain.evolution import replay_search
from sourcing.domain.explanation import explain_stages
from sourcing.domain.next_step import find_next_step
from sourcing.domain.next_steps import NextStepKind
from sourcing.domain.offer import OfferStatus
from sourcing.domain.ordering import compute_draw
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import TimerKind
from sourcing.domain.triggers import ProjectionUpdated
from testkit.sourcing.builders import (
    a_ranked_list,
    add_list,
    on_monday,
    on_tuesday,
    replace_facts,
    to_provider_id,
)
from testkit.sourcing.definitions import a_stage_for_all
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.stages_for_all import (
    RATES,
    a_definition_for_all,
    a_market_for_all,
    a_rated_provider,
    ask_all,
    find_award_order,
    get_placed_provider,
)
from testkit.sourcing.step_events import list_event_types

ALDER, BIRCH, CEDAR = map(to_provider_id, RATES)


def test_if_the_event_of_the_last_answer_is_lost_a_timer_places_the_package() -> None:
    driver = ask_all(handle_own_events=False)
    for name in RATES:
        driver.accept(name, at=on_monday("09:10"))
    step = find_next_step(driver.current, driver.market.definition, now=driver.at)
    assert (step.kind, step.at) == (NextStepKind.AWARD_DUE, on_monday("09:10"))
    assert driver.find_timer(TimerKind.NEXT_OFFER_DUE).at == on_monday("09:12")
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert get_placed_provider(driver) == BIRCH


def test_the_others_that_accepted_are_told_in_the_step_that_places_the_package() -> None:
    driver = ask_all(handle_own_events=False)
    (last,) = [driver.accept(name) for name in RATES][-1].events
    assert isinstance(last, AcceptanceReceived)
    step = driver.handle(last)
    assert list_event_types(step) == [
        AcceptancesOrdered,
        OfferAccepted,
        OfferWithdrawn,
        OfferWithdrawn,
        PackagePlaced,
    ]
    told = {event.provider_id: event.reason for event in step.events if isinstance(event, OfferWithdrawn)}
    assert told == {ALDER: OfferEnd.PLACED_WITH_ANOTHER, CEDAR: OfferEnd.PLACED_WITH_ANOTHER}
    assert replay_search(driver.journal) == driver.state


def test_equal_prices_go_by_rotation_and_then_by_the_draw_of_the_recorded_seed() -> None:
    same = [a_rated_provider(name, "25.00") for name in RATES]
    rotated = ask_all(*same, last_awards={"Birch": on_monday("08:00"), "Cedar": on_monday("07:00")})
    drawn = ask_all(*same)
    for driver in (rotated, drawn):
        for name in RATES:
            driver.accept(name)
    assert find_award_order(rotated) == [ALDER, CEDAR, BIRCH]
    ordered = next(event for event in drawn.events if isinstance(event, AcceptancesOrdered))
    assert ordered.seed is not None
    seed = ordered.seed
    assert find_award_order(drawn) == sorted((ALDER, BIRCH, CEDAR), key=lambda each: compute_draw(seed, each))


def test_the_order_is_recorded_with_the_figures_that_decided() -> None:
    driver = ask_all(last_awards={"Birch": on_monday("08:00")})
    for name in RATES:
        driver.accept(name)
    ordered = next(event for event in driver.events if isinstance(event, AcceptancesOrdered))
    first = ordered.candidates[0]
    assert (ordered.stage, ordered.order) == ("all", (Order.PRICE, Order.ROTATION))
    assert (first.provider_id, first.price, first.last_award_at) == (BIRCH, Decimal("250.00"), on_monday("08:00"))


def test_where_a_ranked_list_orders_those_that_accept_the_first_on_it_gets_the_package() -> None:
    stage = a_stage_for_all(order=(Order.RANKED_LIST,))
    market = add_list(a_market_for_all(definition=a_definition_for_all(stage)), a_ranked_list(*RATES))
    driver = SearchDriver(market).request()
    for name in ("Cedar", "Birch"):
        driver.accept(name)
    driver.decline("Alder")
    assert (find_award_order(driver), get_placed_provider(driver)) == ([BIRCH, CEDAR], BIRCH)


def test_if_the_first_is_not_eligible_any_more_the_second_gets_the_package() -> None:
    driver = ask_all()
    for name in ("Alder", "Birch"):
        driver.accept(name)
    driver.market = replace_facts(driver.market, a_rated_provider("Birch", embargoed=True))
    driver.decline("Cedar")
    assert get_placed_provider(driver) == ALDER
    refused = driver.find_offer("Birch")
    assert (refused.status, refused.withdrawn_because) == (OfferStatus.WITHDRAWN, OfferEnd.PROVIDER_NOT_ELIGIBLE)
    assert refused.award_refused_for == (PassOverReason.EMBARGOED,)


def test_if_nobody_that_accepted_is_eligible_the_next_stage_begins() -> None:
    driver = ask_all()
    driver.accept("Birch")
    driver.market = replace_facts(driver.market, a_rated_provider("Birch", embargoed=True))
    for name in ("Alder", "Cedar"):
        driver.decline(name)
    assert (driver.live_offer.stage, driver.live_offer.provider_id) == ("tier-2", to_provider_id("Elm"))


def test_if_nobody_accepts_the_next_stage_begins() -> None:
    driver = ask_all()
    for name in RATES:
        driver.decline(name, at=on_monday("09:30"))
    assert (driver.live_offer.stage, driver.live_offer.made_at) == ("tier-2", on_monday("09:30"))
    assert replay_search(driver.journal) == driver.state


def test_if_nobody_accepts_in_the_evening_the_next_stage_begins_at_the_opening() -> None:
    driver = ask_all(at=on_monday("16:30"))
    for name in RATES:
        driver.decline(name, at=on_monday("19:00"))
    assert driver.current.live_offers == ()
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert (driver.live_offer.stage, driver.live_offer.made_at) == ("tier-2", on_tuesday("08:30"))


def test_a_stage_that_ends_the_search_leaves_the_package_to_an_officer() -> None:
    driver = ask_all(definition=a_definition_for_all(a_stage_for_all(exhausted=Exhausted.STOP)))
    for name in RATES:
        driver.decline(name)
    assert driver.current.status is SearchStatus.EXHAUSTED


def test_a_missing_fact_of_one_that_accepted_holds_the_award() -> None:
    driver = ask_all()
    known = driver.market
    for name in ("Alder", "Birch"):
        driver.accept(name)
    facts = {key: each for key, each in known.facts.items() if key != ALDER}
    driver.market = replace(known, facts=facts)
    driver.decline("Cedar")
    assert driver.current.missing == (f"eligibility/{ALDER}", f"channels/{ALDER}")
    assert isinstance(driver.events[-1], SourcingHeld)
    driver.market = known
    driver.handle(ProjectionUpdated(), at=on_monday("09:45"))
    assert (get_placed_provider(driver), driver.current.missing) == (BIRCH, ())
    assert replay_search(driver.journal) == driver.state


def test_the_explanation_says_who_waited_and_who_got_the_package() -> None:
    driver = ask_all()
    driver.accept("Alder")
    waiting = {turn.provider_id: turn.outcome for turn in explain_stages(driver.events)[-1].turns}
    assert waiting == {ALDER: "accepts, waits for the others", BIRCH: "offered", CEDAR: "offered"}
    driver.accept("Birch")
    driver.decline("Cedar")
    ended = {turn.provider_id: turn.outcome for turn in explain_stages(driver.events)[-1].turns}
    assert ended == {ALDER: "offer withdrawn", BIRCH: "placed", CEDAR: "declined"}
    assert not [event for event in driver.events if isinstance(event, ProviderPassedOver)]
