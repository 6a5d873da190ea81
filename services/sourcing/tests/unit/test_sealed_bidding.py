"""Sealed bids at the second: taken, replaced, withdrawn, late and refused."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from contracts.errors import InvalidInput
from contracts.events.competitions import (
    BidAct,
    BidOpened,
    BidReceived,
    BidRefusal,
    BidRefused,
    BidWithdrawn,
)
from contracts.example_words import Criteria
from sourcing.domain.competitions.outcomes import BidNotTaken, BidTaken, BidTakenBack
from sourcing.domain.errors import MarketNotKnown
from sourcing.domain.steps import Step
from testkit.sourcing.builders import a_known_provider, on_monday, replace_facts, to_provider_id
from testkit.sourcing.competitions import name_the_price, open_desk
from testkit.sourcing.step_events import list_event_types

A_MOMENT = timedelta(microseconds=1)


def find_refusal(step: Step) -> BidRefused:
    (event,) = step.events
    assert isinstance(event, BidRefused)
    return event


def test_a_bid_is_on_record_by_its_commitment_alone() -> None:
    desk = open_desk("Alder", "Birch")
    step = desk.bid("Alder", "24.10")
    (received,) = step.events
    assert isinstance(received, BidReceived)
    assert isinstance(step.outcome, BidTaken)
    assert "24.1" not in received.model_dump_json()
    assert desk.find_bid("Alder").opened is None
    assert received.views[0].key == str(to_provider_id("Alder"))


def test_the_newest_bid_of_a_provider_replaces_its_older_one() -> None:
    desk = open_desk("Alder", "Birch")
    desk.bid("Alder", "24.10")
    first = desk.find_bid("Alder")
    step = desk.bid("Alder", "23.90", salt="7c" * 32)
    (received,) = step.events
    assert isinstance(received, BidReceived)
    assert received.replaces == first.bid_id
    assert [each.bid_id for each in desk.competition.bids] == [received.bid_id]
    desk.close()
    assert desk.find_bid("Alder").content.rate == Decimal("23.90")


def test_just_before_the_close_a_bid_is_in_time() -> None:
    desk = open_desk("Alder")
    step = desk.bid("Alder", "24.10", at=on_monday("13:00") - A_MOMENT)
    assert list_event_types(step) == [BidReceived]


def test_at_the_closing_instant_a_bid_is_late_though_the_timer_has_not_fired() -> None:
    desk = open_desk("Alder")
    step = desk.bid("Alder", "24.10", at=on_monday("13:00"))
    refused = find_refusal(step)
    assert refused.reasons == (BidRefusal.CLOSED,)
    assert refused.commitment is not None
    assert step.outcome == BidNotTaken((BidRefusal.CLOSED,))
    assert desk.competition.bids == ()


def test_a_bid_counts_at_any_hour_before_the_close() -> None:
    desk = open_desk("Alder", at=on_monday("16:00"))
    assert list_event_types(desk.bid("Alder", "24.10", at=on_monday("23:15"))) == [BidReceived]


def test_after_the_close_a_bid_is_late_and_the_earlier_one_stands() -> None:
    desk = open_desk("Alder", "Birch")
    desk.bid("Alder", "24.10")
    desk.close()
    step = desk.bid("Alder", "20.00", at=on_monday("13:00") + A_MOMENT)
    assert find_refusal(step).reasons == (BidRefusal.CLOSED,)
    assert desk.find_bid("Alder").content.rate == Decimal("24.10")


def test_a_provider_that_is_not_invited_is_refused_on_record() -> None:
    desk = open_desk("Alder", overrides=(a_known_provider("Spruce", tiers=(), spot=True),))
    refused = find_refusal(desk.bid("Spruce", "20.00"))
    assert (refused.reasons, refused.act) == ((BidRefusal.NOT_INVITED,), BidAct.BID)


def test_an_embargo_since_the_invitation_refuses_a_bid_and_leaves_the_earlier_one() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.10")
    desk.driver.market = replace_facts(desk.driver.market, a_known_provider("Alder", embargoed=True))
    assert find_refusal(desk.bid("Alder", "23.00")).reasons == (BidRefusal.EMBARGOED,)
    assert len(desk.competition.bids) == 1


def test_all_reasons_that_hold_are_recorded() -> None:
    desk = open_desk("Alder")
    desk.driver.market = replace_facts(desk.driver.market, a_known_provider("Alder", embargoed=True))
    late = desk.bid("Alder", "23.00", at=on_monday("13:30"))
    assert find_refusal(late).reasons == (BidRefusal.CLOSED, BidRefusal.EMBARGOED)


def test_a_bid_of_a_provider_whose_eligibility_is_not_known_has_to_be_sent_again() -> None:
    desk = open_desk("Alder")
    unknown = replace(desk.driver.market.get_facts(to_provider_id("Alder")), eligibility=None)
    desk.driver.market = replace(desk.driver.market, facts={to_provider_id("Alder"): unknown})
    with pytest.raises(MarketNotKnown):
        desk.bid("Alder", "24.10")


@pytest.mark.parametrize(
    ("answers", "pointer"),
    [
        ({Criteria.SKILLS: "nurses"}, "#/answers"),
        ({}, "#/answers"),
    ],
)
def test_a_bid_answers_each_criterion(answers: dict[object, str], pointer: str) -> None:
    desk = open_desk("Alder")
    with pytest.raises(InvalidInput) as refused:
        desk.bid("Alder", "24.10", answers=answers)  # pyright: ignore[reportArgumentType]  keys of the definition
    assert refused.value.fields[0].pointer == pointer
    assert desk.competition.bids == ()


def test_name_the_price_takes_no_answers() -> None:
    desk = open_desk("Alder", competition=name_the_price())
    with pytest.raises(InvalidInput):
        desk.bid("Alder", "24.10", answers={Criteria.SKILLS: "nurses"})
    assert list_event_types(desk.bid("Alder", "24.10")) == [BidReceived]


def test_a_bid_is_taken_back_before_the_close_and_another_may_follow() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.10")
    step = desk.take_back("Alder")
    assert list_event_types(step) == [BidWithdrawn]
    assert isinstance(step.outcome, BidTakenBack)
    assert desk.competition.bids == ()
    assert list_event_types(desk.bid("Alder", "24.00", at=on_monday("12:59"))) == [BidReceived]


def test_at_the_closing_instant_a_bid_cannot_be_taken_back_and_is_opened() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.10")
    refused = find_refusal(desk.take_back("Alder", at=on_monday("13:00")))
    assert (refused.reasons, refused.act) == ((BidRefusal.CLOSED,), BidAct.WITHDRAWAL)
    assert BidOpened in list_event_types(desk.close())


def test_who_has_no_bid_cannot_take_it_back_and_it_is_recorded() -> None:
    desk = open_desk("Alder")
    assert find_refusal(desk.take_back("Alder")).reasons == (BidRefusal.NO_BID,)
    assert find_refusal(desk.take_back("Birch")).reasons == (BidRefusal.NOT_INVITED,)
