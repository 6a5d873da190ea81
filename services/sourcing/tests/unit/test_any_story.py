"""Whatever the lists, the wishes, the market and the order of things: the promises of a search hold."""

from itertools import groupby, pairwise
from typing import Final

from hypothesis import given, settings

from contracts.catalogue import decode, encode
from contracts.events.listings import PackageListed, ProposalAwarded, ProposalReceived
from contracts.events.packages import (
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferExtended,
    OfferMade,
    PackagePlaced,
    PlacementVoided,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingStopped,
    StageEntered,
)
from contracts.ids import ProviderId
from contracts.values import DeclineReason
from sourcing.domain.decisions import decide, is_old_news
from sourcing.domain.evolution import replay
from sourcing.domain.progress import work_item
from sourcing.domain.search import Search, SearchStatus
from sourcing.domain.steps import Step
from sourcing.domain.triggers import AnswerOffer
from testkit.sourcing.builders import Story, a_market, a_ranked_list, a_request, ids_in_order, provider, with_list
from testkit.sourcing.strategies import NAMES, stories


def turns_by_stage(story: Story) -> dict[str, list[OfferMade | ProviderPassedOver]]:
    turns = [event for event in story.events if isinstance(event, OfferMade | ProviderPassedOver)]
    return {stage: list(of_stage) for stage, of_stage in groupby(turns, key=lambda turn: turn.stage)}


FEW: Final = settings(max_examples=15, deadline=None)


@FEW
@given(stories())
def test_a_package_is_placed_at_most_once_and_a_search_ends_at_most_once(story: Story) -> None:
    assert sum(isinstance(event, PackagePlaced) for event in story.events) <= 1
    assert sum(isinstance(event, SourcingStopped | PlacementVoided) for event in story.events) <= 1
    assert sum(isinstance(event, SourcingExhausted) for event in story.events) <= 1


@FEW
@given(stories())
def test_turns_come_in_the_order_of_rank_and_once_a_stage(story: Story) -> None:
    entered = {event.stage: event.candidates for event in story.events if isinstance(event, StageEntered)}
    for stage, turns in turns_by_stage(story).items():
        by_rank = [candidate.provider_id for candidate in sorted(entered[stage], key=lambda one: one.rank)]
        asked: list[ProviderId] = [turn.provider_id for turn in turns]
        assert asked == by_rank[: len(asked)]


@FEW
@given(stories())
def test_nobody_is_passed_over_without_a_reason_and_refused_providers_are_never_asked(story: Story) -> None:
    refused = story.known.wishes.refused
    for event in story.events:
        if isinstance(event, ProviderPassedOver):
            assert event.reasons
        if isinstance(event, OfferMade):
            assert event.provider_id not in refused


@FEW
@given(stories())
def test_the_record_alone_tells_where_the_search_stands(story: Story) -> None:
    assert replay((decode(type(event), encode(event)), at) for event, at in story.record) == story.search


@FEW
@given(stories())
def test_routine_offers_go_out_in_brokerage_time_only(story: Story) -> None:
    calendar = a_market().calendar
    assert calendar is not None
    made = [at for event, at in story.record if isinstance(event, OfferMade)]
    assert story.known.is_urgent or all(calendar.is_open(at) for at in made)


@FEW
@given(stories())
def test_the_answer_that_ended_an_offer_gets_the_same_response_again_and_is_no_news(story: Story) -> None:
    for offer in story.known.offers:
        if offer.reply is None:
            continue
        order = AnswerOffer(offer.offer_id, offer.provider_id, offer.reply)
        steps = [story.happens(order), story.happens(order)]
        assert steps[0] == steps[1]
        assert steps[0].events == ()


@FEW
@given(stories())
def test_an_award_above_the_ceiling_is_never_by_one_officer(story: Story) -> None:
    listed = [event for event in story.events if isinstance(event, PackageListed)]
    rates = {event.proposal_id: event.terms.rate for event in story.events if isinstance(event, ProposalReceived)}
    for event in story.events:
        if isinstance(event, ProposalAwarded) and rates[event.proposal_id] > listed[-1].ceiling:
            assert event.second_officer not in {None, event.officer}


@FEW
@given(stories())
def test_only_what_a_provider_proposed_last_is_placed_and_nobody_whom_the_person_refuses(story: Story) -> None:
    """That nobody embargoed is placed is looked at in each step of a story (`stories`)."""
    newest: dict[ProviderId, ProposalReceived] = {}
    for event in story.events:
        if isinstance(event, ProposalReceived):
            newest[event.provider_id] = event
        if isinstance(event, PackagePlaced):
            assert event.provider_id not in story.known.wishes.refused
            assert event.proposal_id in {None, *(each.proposal_id for each in newest.values())}


@FEW
@given(stories())
def test_an_open_package_has_an_alarm_or_stands_on_the_work_list(story: Story) -> None:
    """Of every other step of the story, too (`stories`)."""
    if story.known.status is SearchStatus.LISTED:
        assert story.alarms or work_item(story.known)


@FEW
@given(stories())
def test_an_outage_never_shortens_an_offers_time_and_no_offer_expires_while_we_are_down(story: Story) -> None:
    ends = [event for event in story.events if isinstance(event, OfferExtended)]
    assert all(later.answer_by > earlier.answer_by for earlier, later in pairwise_of_one_offer(ends))
    expired = [at for event, at in story.record if isinstance(event, OfferExpired)]
    assert not any(outage.down_from < at < outage.up_at for at in expired for outage in story.outages)


@FEW
@given(stories())
def test_old_news_is_what_nothing_follows_from_whatever_the_market_says(story: Story) -> None:
    for search in story.history:
        for event in heard_of(search):
            if is_old_news(search, event):
                step = decide(search, event, market=story.market, at=story.at, new_id=ids_in_order())
                assert step == Step(search)


def heard_of(search: Search) -> list[OfferDelivered | OfferDeclined]:
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
                reason=DeclineReason.NO_CAPACITY,
            ),
        )
    ]


def pairwise_of_one_offer(ends: list[OfferExtended]) -> list[tuple[OfferExtended, OfferExtended]]:
    return [(one, other) for one, other in pairwise(ends) if one.offer_id == other.offer_id]


def test_the_same_arguments_give_the_same_step() -> None:
    market = with_list(a_market(*NAMES), a_ranked_list(*NAMES))
    steps = {Story(market).happens(a_request()).events for _ in range(3)}
    assert len(steps) == 1
    first = next(iter(steps))
    assert isinstance(first[-1], OfferMade)
    assert first[-1].provider_id == provider("Alder")
