"""One provider at a time, in ranked order, stage by stage, in brokerage time."""

from dataclasses import replace
from decimal import Decimal

import pytest

from contracts.events.packages import (
    OfferDeclined,
    OfferMade,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingStarted,
    StageEntered,
)
from contracts.framework import Exhausted
from contracts.values import AnswerBy, Channel, PassOverReason, ServiceType, Tier, Urgency
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import OfferStatus, SearchStatus
from sourcing.domain.steps import Done, ScheduledTimer, Step, TimerKind
from sourcing.domain.triggers import NextOfferDue
from sourcing.domain.work_items import ExhaustedSearch, find_work_item
from testkit.sourcing.builders import (
    A_MONDAY,
    PACKAGE,
    SearchDriver,
    a_definition,
    a_market,
    a_ranked_list,
    a_request,
    a_search,
    add_list,
    london,
    monday,
    replace_facts,
    some_care,
    some_facts,
    to_provider_id,
    tuesday,
)


def happened(step: Step) -> list[type]:
    return [type(event) for event in step.events]


def offered(driver: SearchDriver) -> list[object]:
    return [event.provider_id for event in driver.events if isinstance(event, OfferMade)]


def passed_over(driver: SearchDriver) -> dict[object, tuple[PassOverReason, ...]]:
    return {event.provider_id: event.reasons for event in driver.events if isinstance(event, ProviderPassedOver)}


def test_a_request_starts_the_search_enters_the_first_stage_and_makes_the_first_offer_in_one_step() -> None:
    driver = SearchDriver(a_market("Alder", "Birch"))
    step = driver.handle(a_request(), at=monday("09:15"))
    assert happened(step) == [SourcingStarted, StageEntered, OfferMade]
    assert driver.live_offer.provider_id == to_provider_id("Alder")
    assert driver.live_offer.made_at == monday("09:15")
    assert step.outcome == Done()


def test_an_offer_carries_its_price_its_hours_its_time_to_answer_and_what_it_was_decided_on() -> None:
    driver = SearchDriver(a_market("Alder")).request()
    offer = next(event for event in driver.events if isinstance(event, OfferMade))
    assert offer.weekly_hours == Decimal("10.00")
    assert offer.terms.weekly_cost == Decimal("250.00")
    assert offer.answer_by == AnswerBy(minutes=30, brokerage_time=True)
    assert offer.views == some_facts("Alder").projection_uses
    assert (offer.stage, offer.rank) == ("tier-1", 1)


def test_the_stage_pins_the_list_that_it_works_through() -> None:
    driver = a_search("Alder", "Birch")
    driver.market = add_list(driver.market, a_ranked_list("Cedar", "Alder", version=2))
    driver.decline("Alder")
    assert driver.live_offer.provider_id == to_provider_id("Birch")
    assert driver.current.stage is not None
    assert driver.current.stage.list_version == 1


def test_a_second_request_for_the_same_package_changes_nothing() -> None:
    driver = a_search("Alder")
    before = driver.state
    assert driver.handle(a_request()) == Step(before)


def test_a_decline_sends_the_package_to_the_next_provider_in_rank() -> None:
    driver = a_search("Alder", "Birch")
    step = driver.decline("Alder", at=monday("09:20"))
    assert happened(step) == [OfferDeclined]
    assert driver.live_offer.provider_id == to_provider_id("Birch")
    assert driver.live_offer.made_at == monday("09:20")


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
        pytest.param(some_facts("Alder", embargoed=True), PassOverReason.EMBARGOED, id="embargoed"),
        pytest.param(
            some_facts("Alder", against=(PassOverReason.RATING_BELOW_FLOOR,)),
            PassOverReason.RATING_BELOW_FLOOR,
            id="rated below the floor",
        ),
        pytest.param(some_facts("Alder", eligible=False), PassOverReason.NOT_ELIGIBLE, id="not eligible, unsaid why"),
        pytest.param(some_facts("Alder", tiers=[Tier.TWO]), PassOverReason.NOT_A_MEMBER, id="of another tier"),
        pytest.param(
            some_facts("Alder", free_hours=Decimal("9.99")), PassOverReason.NO_CAPACITY, id="a hundredth too few hours"
        ),
        pytest.param(
            some_facts("Alder", service_types=[ServiceType.LIVE_IN]),
            PassOverReason.SERVICE_TYPE_NOT_OFFERED,
            id="another type of service",
        ),
    ],
)
def test_a_provider_is_passed_over_with_the_reason(facts: ProviderFacts, reason: PassOverReason) -> None:
    driver = SearchDriver(a_market("Alder", "Birch", but=[facts])).request()
    assert passed_over(driver) == {to_provider_id("Alder"): (reason,)}
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_a_provider_that_the_person_refuses_is_passed_over() -> None:
    driver = SearchDriver(a_market("Alder", "Birch")).request(a_request(refused=["Alder"]))
    assert passed_over(driver) == {to_provider_id("Alder"): (PassOverReason.REFUSED_BY_PERSON,)}


def test_all_reasons_that_hold_are_recorded() -> None:
    alder = some_facts(
        "Alder", embargoed=True, free_hours=Decimal(0), service_types=[], against=(PassOverReason.RATING_BELOW_FLOOR,)
    )
    driver = SearchDriver(a_market("Alder", "Birch", but=[alder])).request(a_request(refused=["Alder"]))
    assert passed_over(driver)[to_provider_id("Alder")] == (
        PassOverReason.RATING_BELOW_FLOOR,
        PassOverReason.EMBARGOED,
        PassOverReason.REFUSED_BY_PERSON,
        PassOverReason.NO_CAPACITY,
        PassOverReason.SERVICE_TYPE_NOT_OFFERED,
    )


@pytest.mark.parametrize("free_hours", [Decimal("10.00"), None])
def test_exactly_enough_capacity_fits_and_undeclared_capacity_is_no_limit(free_hours: Decimal | None) -> None:
    driver = SearchDriver(a_market("Alder", but=[some_facts("Alder", free_hours=free_hours)])).request()
    assert driver.live_offer.provider_id == to_provider_id("Alder")


def test_a_provider_is_looked_at_in_the_instant_of_its_offer_and_not_before() -> None:
    driver = a_search("Alder", "Birch")
    driver.market = replace_facts(driver.market, some_facts("Birch", embargoed=True))
    driver.decline("Alder")
    assert passed_over(driver) == {to_provider_id("Birch"): (PassOverReason.EMBARGOED,)}


def test_a_provider_that_was_passed_over_is_not_asked_again_in_the_stage() -> None:
    driver = SearchDriver(a_market("Alder", "Birch", but=[some_facts("Alder", embargoed=True)])).request()
    driver.market = replace_facts(driver.market, some_facts("Alder"))
    driver.decline("Birch")
    assert driver.current.status is SearchStatus.EXHAUSTED


def test_when_nobody_is_left_in_the_last_stage_the_search_is_exhausted_and_an_officer_sees_it() -> None:
    driver = a_search("Alder")
    driver.decline("Alder")
    assert isinstance(driver.events[-1], SourcingExhausted)
    assert find_work_item(driver.current) == ExhaustedSearch(last_stage="tier-1")
    assert driver.timers == {}


def test_after_the_first_stage_the_next_one_is_entered() -> None:
    market = add_list(
        a_market("Alder", "Birch", definition=a_definition(Tier.ONE, Tier.TWO)), a_ranked_list("Birch", tier=Tier.TWO)
    )
    driver = SearchDriver(add_list(market, a_ranked_list("Alder"))).request()
    driver.decline("Alder")
    assert (driver.live_offer.stage, driver.live_offer.provider_id) == ("tier-2", to_provider_id("Birch"))


def test_a_provider_asked_in_one_stage_is_asked_again_in_the_next() -> None:
    market = add_list(
        a_market("Alder", definition=a_definition(Tier.ONE, Tier.TWO)), a_ranked_list("Alder", tier=Tier.TWO)
    )
    driver = SearchDriver(market).request()
    driver.decline("Alder")
    assert offered(driver) == [to_provider_id("Alder"), to_provider_id("Alder")]
    assert driver.live_offer.stage == "tier-2"


def test_a_stage_with_an_empty_list_goes_on_to_the_next() -> None:
    market = add_list(
        a_market("Alder", definition=a_definition(Tier.ONE, Tier.TWO)), a_ranked_list("Alder", tier=Tier.TWO)
    )
    driver = SearchDriver(add_list(market, a_ranked_list(tier=Tier.ONE))).request()
    assert driver.live_offer.stage == "tier-2"


def test_a_stage_that_says_stop_ends_the_road() -> None:
    definition = a_definition(Tier.ONE, Tier.TWO, exhausted=Exhausted.STOP)
    driver = SearchDriver(
        add_list(a_market("Alder", definition=definition), a_ranked_list("Alder", tier=Tier.TWO))
    ).request()
    driver.decline("Alder")
    assert driver.current.status is SearchStatus.EXHAUSTED


def test_outside_brokerage_time_the_search_starts_and_waits_for_the_opening() -> None:
    driver = SearchDriver(a_market("Alder"))
    step = driver.handle(a_request(), at=monday("17:00"))
    assert happened(step) == [SourcingStarted, StageEntered]
    assert step.timers == (ScheduledTimer(TimerKind.NEXT_OFFER_DUE, str(PACKAGE), tuesday("08:30")),)


def test_at_the_opening_the_waiting_search_makes_its_offer() -> None:
    driver = SearchDriver(a_market("Alder"), at=monday("19:00")).request()
    step = driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert happened(step) == [OfferMade]
    assert driver.live_offer.made_at == tuesday("08:30")


def test_a_decline_in_the_evening_counts_and_the_next_offer_waits_for_the_opening() -> None:
    driver = a_search("Alder", "Birch", at=monday("16:50"))
    driver.decline("Alder", at=monday("19:45"))
    assert driver.find_offer("Alder").status is OfferStatus.DECLINED
    assert driver.current.live_offer is None
    assert driver.find_timer(TimerKind.NEXT_OFFER_DUE).at == tuesday("08:30")
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_a_search_is_not_exhausted_before_the_next_offer_would_go_out() -> None:
    driver = a_search("Alder", at=monday("16:50"))
    driver.decline("Alder", at=monday("19:45"))
    assert driver.current.status is SearchStatus.RUNNING
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert driver.current.status is SearchStatus.EXHAUSTED


@pytest.mark.parametrize("urgency", [Urgency.HOSPITAL_DISCHARGE, Urgency.CRISIS])
def test_an_urgent_package_is_offered_at_any_hour_with_thirty_plain_minutes(urgency: Urgency) -> None:
    driver = SearchDriver(a_market("Alder"), at=london(A_MONDAY, "23:50")).request(a_request(urgency=urgency))
    driver.deliver()
    assert driver.live_offer.answer_by == tuesday("00:20")


def test_an_urgent_package_has_the_same_time_by_telephone() -> None:
    market = a_market("Alder", but=[some_facts("Alder", channels=(Channel.PHONE,))])
    driver = SearchDriver(market).request(a_request(urgency=Urgency.CRISIS))
    assert driver.live_offer.answer_minutes == 30


def test_an_ended_offer_sets_an_alarm_in_case_its_own_event_goes_astray() -> None:
    driver = SearchDriver(a_market("Alder", "Birch"), by_hand=True).request()
    driver.decline("Alder", at=monday("09:20"))
    assert driver.find_timer(TimerKind.NEXT_OFFER_DUE).at == monday("09:22")
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_that_alarm_waits_for_the_opening_unless_the_package_is_urgent() -> None:
    routine = SearchDriver(a_market("Alder", "Birch"), by_hand=True).request()
    routine.decline("Alder", at=monday("20:00"))
    assert routine.find_timer(TimerKind.NEXT_OFFER_DUE).at == tuesday("08:30")
    urgent = SearchDriver(a_market("Alder", "Birch"), by_hand=True).request(a_request(urgency=Urgency.CRISIS))
    urgent.decline("Alder", at=monday("20:00"))
    assert urgent.find_timer(TimerKind.NEXT_OFFER_DUE).at == monday("20:02")


def test_an_end_of_an_offer_that_is_heard_twice_makes_one_offer() -> None:
    driver = SearchDriver(a_market("Alder", "Birch", "Cedar"), by_hand=True).request()
    (declined,) = driver.decline("Alder").events
    assert isinstance(declined, OfferDeclined)
    driver.handle(declined)
    assert driver.handle(declined) == Step(driver.state)
    driver.decline("Birch")
    assert driver.handle(declined) == Step(driver.state)
    assert offered(driver) == [to_provider_id("Alder"), to_provider_id("Birch")]


def test_the_next_offer_due_is_no_news_while_an_offer_is_live() -> None:
    driver = a_search("Alder", "Birch")
    assert driver.handle(NextOfferDue()) == Step(driver.state)


def test_the_alarm_for_the_next_offer_is_taken_back_once_the_offer_is_made() -> None:
    driver = a_search("Alder", "Birch")
    driver.decline("Alder")
    assert [alarm.kind for alarm in driver.timers.values()] == [TimerKind.DELIVERY_OVERDUE]


def test_a_search_keeps_the_definition_that_it_started_with() -> None:
    driver = a_search("Alder", "Birch")
    driver.market = replace(driver.market, definition=a_definition(version=2))
    driver.decline("Alder")
    assert driver.current.missing == (f"definitions/{some_care().framework}/version/1",)
