"""The close of a competition: bids are opened and checked, and what follows without one that can win."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from contracts.events.competitions import (
    BidAct,
    BidOpened,
    BidRefusal,
    BidRefused,
    CompetitionClosed,
    CompetitionEnd,
    CompetitionEnded,
    CompetitionRanked,
    FeedbackAvailable,
)
from contracts.events.offers import OfferMade
from contracts.events.searches import StageEntered
from contracts.ids import BidId, CompetitionId
from contracts.sealed_bids import compute_commitment
from sourcing.domain.competitions.competition import CompetitionStatus
from sourcing.domain.competitions.triggers import CompetitionDue
from sourcing.domain.competitions.work_items import BidsToScore
from sourcing.domain.steps import TimerKind
from sourcing.domain.work_items import find_work_items
from testkit.sourcing.builders import from_london_time, on_monday, to_provider_id
from testkit.sourcing.competitions import name_the_price, open_desk
from testkit.sourcing.step_events import list_event_types


def test_the_close_opens_each_bid_so_that_anybody_recomputes_its_commitment() -> None:
    desk = open_desk("Alder", "Birch")
    desk.bid("Alder", "24.10")
    desk.bid("Birch", "25.00")
    commitments = {each.bid_id: each.commitment for each in desk.competition.bids}
    step = desk.close()
    assert list_event_types(step) == [CompetitionClosed, BidOpened, BidOpened]
    for event in step.events:
        if isinstance(event, BidOpened):
            assert commitments[event.bid_id] == compute_commitment(
                competition_id=event.competition_id,
                provider_id=event.provider_id,
                rate=event.rate,
                content_hash=event.content_hash,
                salt=event.salt,
            )
    assert desk.competition.status is CompetitionStatus.CLOSED
    assert find_work_items(desk.driver.current) == (BidsToScore(desk.competition.competition_id, 4),)


def test_opened_bids_carry_the_price_of_the_package() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.10")
    desk.close()
    terms = desk.find_bid("Alder").content.terms
    assert (terms.rate, terms.weekly_cost, terms.price_list) == (Decimal("24.10"), Decimal("241.00"), "as bid")


def test_a_timer_that_is_early_or_of_another_competition_closes_nothing() -> None:
    desk = open_desk("Alder")
    own, other = desk.competition.competition_id, CompetitionId(BidId(desk.competition.competition_id))
    early = desk.driver.handle(CompetitionDue(own), at=on_monday("12:59"))
    assert early.events == ()
    foreign = CompetitionDue(CompetitionId(to_provider_id("Alder")))
    assert desk.driver.handle(foreign, at=on_monday("13:00")).events == ()
    assert desk.competition.status is CompetitionStatus.OPEN
    assert other == own


def test_a_close_that_fires_late_closes_once() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.10")
    due = CompetitionDue(desk.competition.competition_id, ())
    assert CompetitionClosed in list_event_types(desk.close(at=on_monday("15:00")))
    assert desk.driver.handle(due).events == ()
    assert TimerKind.COMPETITION_CLOSES not in {kind for kind, _ in desk.driver.timers}


def test_a_bid_whose_content_was_changed_or_lost_is_refused_and_the_others_count() -> None:
    desk = open_desk("Alder", "Birch", "Cedar")
    for name, rate in (("Alder", "24.10"), ("Birch", "25.00"), ("Cedar", "26.00")):
        desk.bid(name, rate)
    changed, lost = desk.find_bid("Alder").bid_id, desk.find_bid("Birch").bid_id
    desk.driver.sealed[changed] = replace(desk.driver.sealed[changed], rate=Decimal("20.00"))
    step = desk.close(lost=[lost])
    refused = [each for each in step.events if isinstance(each, BidRefused)]
    assert [(each.bid_id, each.reasons, each.act) for each in refused] == [
        (each, (BidRefusal.NOT_AS_COMMITTED,), BidAct.OPENING) for each in (changed, lost)
    ]
    assert [each.provider_id for each in desk.competition.bids] == [to_provider_id("Cedar")]


def test_without_bids_the_competition_ends_and_the_next_stage_follows() -> None:
    desk = open_desk("Alder")
    step = desk.close()
    assert list_event_types(step) == [CompetitionClosed, CompetitionEnded]
    ended = step.events[1]
    assert isinstance(ended, CompetitionEnded)
    assert (ended.reason, ended.runs_again) == (CompetitionEnd.NO_BIDS, False)
    assert [type(each) for each in desk.driver.events[-2:]] == [StageEntered, OfferMade]


def test_a_close_at_the_end_of_the_day_leaves_the_next_stage_to_the_opening() -> None:
    desk = open_desk("Alder", at=on_monday("13:00"))
    assert desk.competition.closes_at == on_monday("17:00")
    desk.close()
    assert isinstance(desk.driver.events[-1], CompetitionEnded)
    timer = desk.driver.find_timer(TimerKind.NEXT_OFFER_DUE)
    assert timer.at == from_london_time(on_monday("09:00").date() + timedelta(days=1), "08:30")
    desk.driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert isinstance(desk.driver.events[-1], OfferMade)


def test_if_the_event_of_the_end_is_lost_the_timer_goes_on() -> None:
    desk = open_desk("Alder")
    desk.driver._handle_own_events = False  # pyright: ignore[reportPrivateUsage]  Kafka is late
    desk.close()
    assert desk.driver.find_timer(TimerKind.NEXT_OFFER_DUE).at == on_monday("13:02")
    desk.driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert isinstance(desk.driver.events[-1], OfferMade)


def test_the_lowest_rate_at_or_under_the_ceiling_wins_at_the_close() -> None:
    desk = open_desk("Alder", "Birch", "Cedar", competition=name_the_price())
    for name, rate in (("Alder", "29.01"), ("Birch", "29.00"), ("Cedar", "28.99")):
        desk.bid(name, rate)
    step = desk.close()
    ranked = step.events[-1]
    assert isinstance(ranked, CompetitionRanked)
    assert [each.provider_id for each in ranked.ranking] == [
        to_provider_id(name) for name in ("Cedar", "Birch", "Alder")
    ]
    assert [bool(each.unsuitable) for each in ranked.ranking] == [False, False, True]


def test_only_bids_above_the_ceiling_are_none_suitable_and_the_bidders_get_feedback() -> None:
    desk = open_desk("Alder", "Birch", competition=name_the_price())
    desk.bid("Alder", "29.01")
    desk.bid("Birch", "35.00")
    step = desk.close()
    assert list_event_types(step)[-4:] == [CompetitionRanked, CompetitionEnded, FeedbackAvailable, FeedbackAvailable]
    assert desk.competition.end is CompetitionEnd.NONE_SUITABLE
    assert isinstance(desk.driver.events[-1], OfferMade)
