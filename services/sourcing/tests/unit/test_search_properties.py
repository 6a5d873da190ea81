"""Properties of a search that hold for any lists, wishes, market data and order of events."""

from itertools import groupby, pairwise
from typing import Final

from hypothesis import given, settings

from contracts.catalogue import decode, encode
from contracts.events.listings import PackageListed, ProposalAwarded, ProposalReceived
from contracts.events.offers import OfferDeclined, OfferDelivered, OfferExpired, OfferExtended, OfferMade
from contracts.events.searches import (
    PackagePlaced,
    PlacementVoided,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingStopped,
    StageEntered,
)
from contracts.example_words import DeclineReasons
from contracts.ids import ProviderId
from sourcing.domain.decisions import decide, is_stale
from sourcing.domain.evolution import replay_search
from sourcing.domain.search import Search, SearchStatus
from sourcing.domain.steps import Step
from sourcing.domain.triggers import AnswerOffer
from sourcing.domain.work_items import find_work_items
from testkit.sourcing.builders import (
    PACKAGE,
    a_market,
    a_ranked_list,
    a_request,
    add_list,
    build_id_counter,
    to_provider_id,
)
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.search_moves import NAMES
from testkit.sourcing.strategies import draw_search


def group_turns_by_stage(driver: SearchDriver) -> dict[str, list[OfferMade | ProviderPassedOver]]:
    turns = [event for event in driver.events if isinstance(event, OfferMade | ProviderPassedOver)]
    return {stage: list(of_stage) for stage, of_stage in groupby(turns, key=lambda turn: turn.stage)}


FEW: Final = settings(max_examples=15, deadline=None)


@FEW
@given(draw_search())
def test_a_package_is_placed_at_most_once_and_a_search_ends_at_most_once(driver: SearchDriver) -> None:
    assert sum(isinstance(event, PackagePlaced) for event in driver.events) <= 1
    assert sum(isinstance(event, SourcingStopped | PlacementVoided) for event in driver.events) <= 1
    assert sum(isinstance(event, SourcingExhausted) for event in driver.events) <= 1


@FEW
@given(draw_search())
def test_turns_come_in_the_order_of_rank_and_once_a_stage(driver: SearchDriver) -> None:
    entered = {event.stage: event.candidates for event in driver.events if isinstance(event, StageEntered)}
    for stage, turns in group_turns_by_stage(driver).items():
        by_rank = [candidate.provider_id for candidate in sorted(entered[stage], key=lambda one: one.rank)]
        asked: list[ProviderId] = [turn.provider_id for turn in turns]
        assert asked == by_rank[: len(asked)]


@FEW
@given(draw_search())
def test_nobody_is_passed_over_without_a_reason_and_refused_providers_are_never_asked(driver: SearchDriver) -> None:
    refused = driver.current.wishes.refused
    for event in driver.events:
        if isinstance(event, ProviderPassedOver):
            assert event.reasons
        if isinstance(event, OfferMade):
            assert event.provider_id not in refused


@FEW
@given(draw_search())
def test_the_record_alone_gives_the_state_of_the_search(driver: SearchDriver) -> None:
    assert replay_search((decode(type(event), encode(event)), at) for event, at in driver.journal) == driver.state


@FEW
@given(draw_search())
def test_routine_offers_go_out_in_brokerage_time_only(driver: SearchDriver) -> None:
    calendar = a_market().calendar
    assert calendar is not None
    made = [at for event, at in driver.journal if isinstance(event, OfferMade)]
    assert driver.current.is_urgent or all(calendar.is_open(at) for at in made)


@FEW
@given(draw_search())
def test_the_answer_that_ended_an_offer_gets_the_same_response_again_and_is_no_news(driver: SearchDriver) -> None:
    for offer in driver.current.offers:
        if offer.answer is None:
            continue
        order = AnswerOffer(PACKAGE, offer.offer_id, offer.provider_id, offer.answer)
        steps = [driver.handle(order), driver.handle(order)]
        assert steps[0] == steps[1]
        assert steps[0].events == ()


@FEW
@given(draw_search())
def test_an_award_above_the_ceiling_is_never_by_one_officer(driver: SearchDriver) -> None:
    listed = [event for event in driver.events if isinstance(event, PackageListed)]
    rates = {event.proposal_id: event.terms.rate for event in driver.events if isinstance(event, ProposalReceived)}
    for event in driver.events:
        if isinstance(event, ProposalAwarded) and rates[event.proposal_id] > listed[-1].ceiling:
            assert event.second_officer not in {None, event.officer}


@FEW
@given(draw_search())
def test_only_what_a_provider_proposed_last_is_placed_and_nobody_whom_the_person_refuses(driver: SearchDriver) -> None:
    """That nobody embargoed is placed is looked at in each step of a driver (`stories`)."""
    newest: dict[ProviderId, ProposalReceived] = {}
    for event in driver.events:
        if isinstance(event, ProposalReceived):
            newest[event.provider_id] = event
        if isinstance(event, PackagePlaced):
            assert event.provider_id not in driver.current.wishes.refused
            assert event.proposal_id in {None, *(each.proposal_id for each in newest.values())}


@FEW
@given(draw_search())
def test_an_open_package_has_a_timer_or_is_on_the_work_list(driver: SearchDriver) -> None:
    """Of every other step of the driver, too (`stories`)."""
    if driver.current.status is SearchStatus.LISTED:
        assert driver.timers or find_work_items(driver.current)


@FEW
@given(draw_search())
def test_an_outage_never_shortens_an_offers_time_and_no_offer_expires_while_we_are_down(driver: SearchDriver) -> None:
    ends = [event for event in driver.events if isinstance(event, OfferExtended)]
    assert all(later.answer_by > earlier.answer_by for earlier, later in pair_extensions_by_offer(ends))
    expired = [at for event, at in driver.journal if isinstance(event, OfferExpired)]
    assert not any(outage.down_from < at < outage.up_at for at in expired for outage in driver.outages)


@FEW
@given(draw_search())
def test_old_news_is_what_nothing_follows_from_whatever_the_market_says(driver: SearchDriver) -> None:
    for search in driver.history:
        for event in list_possible_events(search):
            if is_stale(search, event):
                step = decide(search, event, market=driver.market, at=driver.at, new_id=build_id_counter())
                assert step == Step(search)


def list_possible_events(search: Search) -> list[OfferDelivered | OfferDeclined]:
    """What may still be heard of each of its offers."""
    return [
        event
        for offer in search.offers
        for event in (
            OfferDelivered(
                package_id=search.package_id,
                offer_id=offer.offer_id,
                provider_id=offer.provider_id,
                channel=offer.channel,
                delivered_at=offer.made_at,
            ),
            OfferDeclined(
                package_id=search.package_id,
                offer_id=offer.offer_id,
                provider_id=offer.provider_id,
                reason=DeclineReasons.NO_CAPACITY,
            ),
        )
    ]


def pair_extensions_by_offer(ends: list[OfferExtended]) -> list[tuple[OfferExtended, OfferExtended]]:
    return [(one, other) for one, other in pairwise(ends) if one.offer_id == other.offer_id]


def test_the_same_arguments_give_the_same_step() -> None:
    market = add_list(a_market(*NAMES), a_ranked_list(*NAMES))
    steps = {SearchDriver(market).handle(a_request()).events for _ in range(3)}
    assert len(steps) == 1
    first = next(iter(steps))
    assert isinstance(first[-1], OfferMade)
    assert first[-1].provider_id == to_provider_id("Alder")
