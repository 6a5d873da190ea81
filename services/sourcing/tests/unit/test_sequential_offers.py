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
from sourcing.domain.progress import ExhaustedSearch, work_item
from sourcing.domain.search import OfferStatus, SearchStatus
from sourcing.domain.steps import Alarm, AlarmKind, Done, Step
from sourcing.domain.triggers import NextOfferDue
from testkit.sourcing.builders import (
    A_MONDAY,
    PACKAGE,
    Story,
    a_definition,
    a_market,
    a_ranked_list,
    a_request,
    a_search,
    facts_about,
    london,
    monday,
    provider,
    some_care,
    tuesday,
    with_facts,
    with_list,
)


def happened(step: Step) -> list[type]:
    return [type(event) for event in step.events]


def offered(story: Story) -> list[object]:
    return [event.provider_id for event in story.events if isinstance(event, OfferMade)]


def passed_over(story: Story) -> dict[object, tuple[PassOverReason, ...]]:
    return {event.provider_id: event.reasons for event in story.events if isinstance(event, ProviderPassedOver)}


def test_a_request_starts_the_search_enters_the_first_stage_and_makes_the_first_offer_in_one_step() -> None:
    story = Story(a_market("Alder", "Birch"))
    step = story.happens(a_request(), at=monday("09:15"))
    assert happened(step) == [SourcingStarted, StageEntered, OfferMade]
    assert story.live_offer.provider_id == provider("Alder")
    assert story.live_offer.made_at == monday("09:15")
    assert step.outcome == Done()


def test_an_offer_carries_its_price_its_hours_its_time_to_answer_and_what_it_was_decided_on() -> None:
    story = Story(a_market("Alder")).requested()
    offer = next(event for event in story.events if isinstance(event, OfferMade))
    assert offer.weekly_hours == Decimal("10.00")
    assert offer.terms.weekly_cost == Decimal("250.00")
    assert offer.answer_by == AnswerBy(minutes=30, brokerage_time=True)
    assert offer.views == facts_about("Alder").views
    assert (offer.stage, offer.rank) == ("tier-1", 1)


def test_the_stage_pins_the_list_that_it_works_through() -> None:
    story = a_search("Alder", "Birch")
    story.market = with_list(story.market, a_ranked_list("Cedar", "Alder", version=2))
    story.declines("Alder")
    assert story.live_offer.provider_id == provider("Birch")
    assert story.known.stage is not None
    assert story.known.stage.list_version == 1


def test_a_second_request_for_the_same_package_changes_nothing() -> None:
    story = a_search("Alder")
    before = story.search
    assert story.happens(a_request()) == Step(before)


def test_a_decline_sends_the_package_to_the_next_provider_in_rank() -> None:
    story = a_search("Alder", "Birch")
    step = story.declines("Alder", at=monday("09:20"))
    assert happened(step) == [OfferDeclined]
    assert story.live_offer.provider_id == provider("Birch")
    assert story.live_offer.made_at == monday("09:20")


def test_rank_decides_whatever_the_order_of_the_list() -> None:
    ranked_list = a_ranked_list("Alder", "Birch", "Cedar")
    shuffled = ranked_list.model_copy(update={"ranking": tuple(reversed(ranked_list.ranking))})
    story = Story(with_list(a_market("Alder", "Birch", "Cedar"), shuffled)).requested()
    assert story.live_offer.provider_id == provider("Alder")


def test_a_preferred_provider_is_not_asked_before_its_turn() -> None:
    story = Story(a_market("Alder", "Birch")).requested(a_request(preferred=["Birch"]))
    assert story.live_offer.provider_id == provider("Alder")


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param(facts_about("Alder", embargoed=True), PassOverReason.EMBARGOED, id="embargoed"),
        pytest.param(
            facts_about("Alder", against=(PassOverReason.RATING_BELOW_FLOOR,)),
            PassOverReason.RATING_BELOW_FLOOR,
            id="rated below the floor",
        ),
        pytest.param(facts_about("Alder", eligible=False), PassOverReason.NOT_ELIGIBLE, id="not eligible, unsaid why"),
        pytest.param(facts_about("Alder", tiers=[Tier.TWO]), PassOverReason.NOT_A_MEMBER, id="of another tier"),
        pytest.param(
            facts_about("Alder", free_hours=Decimal("9.99")), PassOverReason.NO_CAPACITY, id="a hundredth too few hours"
        ),
        pytest.param(
            facts_about("Alder", service_types=[ServiceType.LIVE_IN]),
            PassOverReason.SERVICE_TYPE_NOT_OFFERED,
            id="another type of service",
        ),
    ],
)
def test_a_provider_is_passed_over_with_the_reason(facts: ProviderFacts, reason: PassOverReason) -> None:
    story = Story(a_market("Alder", "Birch", but=[facts])).requested()
    assert passed_over(story) == {provider("Alder"): (reason,)}
    assert story.live_offer.provider_id == provider("Birch")


def test_a_provider_that_the_person_refuses_is_passed_over() -> None:
    story = Story(a_market("Alder", "Birch")).requested(a_request(refused=["Alder"]))
    assert passed_over(story) == {provider("Alder"): (PassOverReason.REFUSED_BY_PERSON,)}


def test_all_reasons_that_hold_are_recorded() -> None:
    alder = facts_about(
        "Alder", embargoed=True, free_hours=Decimal(0), service_types=[], against=(PassOverReason.RATING_BELOW_FLOOR,)
    )
    story = Story(a_market("Alder", "Birch", but=[alder])).requested(a_request(refused=["Alder"]))
    assert passed_over(story)[provider("Alder")] == (
        PassOverReason.RATING_BELOW_FLOOR,
        PassOverReason.EMBARGOED,
        PassOverReason.REFUSED_BY_PERSON,
        PassOverReason.NO_CAPACITY,
        PassOverReason.SERVICE_TYPE_NOT_OFFERED,
    )


@pytest.mark.parametrize("free_hours", [Decimal("10.00"), None])
def test_exactly_enough_capacity_fits_and_undeclared_capacity_is_no_limit(free_hours: Decimal | None) -> None:
    story = Story(a_market("Alder", but=[facts_about("Alder", free_hours=free_hours)])).requested()
    assert story.live_offer.provider_id == provider("Alder")


def test_a_provider_is_looked_at_in_the_instant_of_its_offer_and_not_before() -> None:
    story = a_search("Alder", "Birch")
    story.market = with_facts(story.market, facts_about("Birch", embargoed=True))
    story.declines("Alder")
    assert passed_over(story) == {provider("Birch"): (PassOverReason.EMBARGOED,)}


def test_a_provider_that_was_passed_over_is_not_asked_again_in_the_stage() -> None:
    story = Story(a_market("Alder", "Birch", but=[facts_about("Alder", embargoed=True)])).requested()
    story.market = with_facts(story.market, facts_about("Alder"))
    story.declines("Birch")
    assert story.known.status is SearchStatus.EXHAUSTED


def test_when_nobody_is_left_in_the_last_stage_the_search_is_exhausted_and_an_officer_sees_it() -> None:
    story = a_search("Alder")
    story.declines("Alder")
    assert isinstance(story.events[-1], SourcingExhausted)
    assert work_item(story.known) == ExhaustedSearch(last_stage="tier-1")
    assert story.alarms == {}


def test_after_the_first_stage_the_next_one_is_entered() -> None:
    market = with_list(
        a_market("Alder", "Birch", definition=a_definition(Tier.ONE, Tier.TWO)), a_ranked_list("Birch", tier=Tier.TWO)
    )
    story = Story(with_list(market, a_ranked_list("Alder"))).requested()
    story.declines("Alder")
    assert (story.live_offer.stage, story.live_offer.provider_id) == ("tier-2", provider("Birch"))


def test_a_provider_asked_in_one_stage_is_asked_again_in_the_next() -> None:
    market = with_list(
        a_market("Alder", definition=a_definition(Tier.ONE, Tier.TWO)), a_ranked_list("Alder", tier=Tier.TWO)
    )
    story = Story(market).requested()
    story.declines("Alder")
    assert offered(story) == [provider("Alder"), provider("Alder")]
    assert story.live_offer.stage == "tier-2"


def test_a_stage_with_an_empty_list_goes_on_to_the_next() -> None:
    market = with_list(
        a_market("Alder", definition=a_definition(Tier.ONE, Tier.TWO)), a_ranked_list("Alder", tier=Tier.TWO)
    )
    story = Story(with_list(market, a_ranked_list(tier=Tier.ONE))).requested()
    assert story.live_offer.stage == "tier-2"


def test_a_stage_that_says_stop_ends_the_road() -> None:
    definition = a_definition(Tier.ONE, Tier.TWO, exhausted=Exhausted.STOP)
    story = Story(
        with_list(a_market("Alder", definition=definition), a_ranked_list("Alder", tier=Tier.TWO))
    ).requested()
    story.declines("Alder")
    assert story.known.status is SearchStatus.EXHAUSTED


def test_outside_brokerage_time_the_search_starts_and_waits_for_the_opening() -> None:
    story = Story(a_market("Alder"))
    step = story.happens(a_request(), at=monday("17:00"))
    assert happened(step) == [SourcingStarted, StageEntered]
    assert step.timers == (Alarm(AlarmKind.NEXT_OFFER_DUE, str(PACKAGE), tuesday("08:30")),)


def test_at_the_opening_the_waiting_search_makes_its_offer() -> None:
    story = Story(a_market("Alder"), at=monday("19:00")).requested()
    step = story.rings(AlarmKind.NEXT_OFFER_DUE)
    assert happened(step) == [OfferMade]
    assert story.live_offer.made_at == tuesday("08:30")


def test_a_decline_in_the_evening_counts_and_the_next_offer_waits_for_the_opening() -> None:
    story = a_search("Alder", "Birch", at=monday("16:50"))
    story.declines("Alder", at=monday("19:45"))
    assert story.offer_to("Alder").status is OfferStatus.DECLINED
    assert story.known.live_offer is None
    assert story.alarm(AlarmKind.NEXT_OFFER_DUE).at == tuesday("08:30")
    story.rings(AlarmKind.NEXT_OFFER_DUE)
    assert story.live_offer.provider_id == provider("Birch")


def test_a_search_is_not_exhausted_before_the_next_offer_would_go_out() -> None:
    story = a_search("Alder", at=monday("16:50"))
    story.declines("Alder", at=monday("19:45"))
    assert story.known.status is SearchStatus.RUNNING
    story.rings(AlarmKind.NEXT_OFFER_DUE)
    assert story.known.status is SearchStatus.EXHAUSTED


@pytest.mark.parametrize("urgency", [Urgency.HOSPITAL_DISCHARGE, Urgency.CRISIS])
def test_an_urgent_package_is_offered_at_any_hour_with_thirty_plain_minutes(urgency: Urgency) -> None:
    story = Story(a_market("Alder"), at=london(A_MONDAY, "23:50")).requested(a_request(urgency=urgency))
    story.delivered()
    assert story.live_offer.answer_by == tuesday("00:20")


def test_an_urgent_package_has_the_same_time_by_telephone() -> None:
    market = a_market("Alder", but=[facts_about("Alder", channels=(Channel.PHONE,))])
    story = Story(market).requested(a_request(urgency=Urgency.CRISIS))
    assert story.live_offer.answer_minutes == 30


def test_an_ended_offer_sets_an_alarm_in_case_its_own_event_goes_astray() -> None:
    story = Story(a_market("Alder", "Birch"), by_hand=True).requested()
    story.declines("Alder", at=monday("09:20"))
    assert story.alarm(AlarmKind.NEXT_OFFER_DUE).at == monday("09:22")
    story.rings(AlarmKind.NEXT_OFFER_DUE)
    assert story.live_offer.provider_id == provider("Birch")


def test_that_alarm_waits_for_the_opening_unless_the_package_is_urgent() -> None:
    routine = Story(a_market("Alder", "Birch"), by_hand=True).requested()
    routine.declines("Alder", at=monday("20:00"))
    assert routine.alarm(AlarmKind.NEXT_OFFER_DUE).at == tuesday("08:30")
    urgent = Story(a_market("Alder", "Birch"), by_hand=True).requested(a_request(urgency=Urgency.CRISIS))
    urgent.declines("Alder", at=monday("20:00"))
    assert urgent.alarm(AlarmKind.NEXT_OFFER_DUE).at == monday("20:02")


def test_an_end_of_an_offer_that_is_heard_twice_makes_one_offer() -> None:
    story = Story(a_market("Alder", "Birch", "Cedar"), by_hand=True).requested()
    (declined,) = story.declines("Alder").events
    assert isinstance(declined, OfferDeclined)
    story.happens(declined)
    assert story.happens(declined) == Step(story.search)
    story.declines("Birch")
    assert story.happens(declined) == Step(story.search)
    assert offered(story) == [provider("Alder"), provider("Birch")]


def test_the_next_offer_due_is_no_news_while_an_offer_is_live() -> None:
    story = a_search("Alder", "Birch")
    assert story.happens(NextOfferDue()) == Step(story.search)


def test_the_alarm_for_the_next_offer_is_taken_back_once_the_offer_is_made() -> None:
    story = a_search("Alder", "Birch")
    story.declines("Alder")
    assert [alarm.kind for alarm in story.alarms.values()] == [AlarmKind.DELIVERY_OVERDUE]


def test_a_search_keeps_the_definition_that_it_started_with() -> None:
    story = a_search("Alder", "Birch")
    story.market = replace(story.market, definition=a_definition(version=2))
    story.declines("Alder")
    assert story.known.missing == (f"definitions/{some_care().framework}/version/1",)
