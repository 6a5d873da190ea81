"""Properties of a search that hold for every definition, market and sequence of events; all three are made by chance.

100 times as many: TIMES_AS_MANY_EXAMPLES=100 .venv/bin/pytest --timeout 3600 services/sourcing/tests/unit/test_gen*.py
"""

from collections import Counter
from collections.abc import Iterator

from hypothesis import given

from contracts.catalogue import decode, encode
from contracts.events.listings import PackageListed
from contracts.events.offers import OfferAccepted, OfferDeclined, OfferExpired, OfferMade, OfferWithdrawn
from contracts.events.reasons import OfferEnd
from contracts.events.searches import (
    PackagePlaced,
    PlacementVoided,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingStopped,
    StageEntered,
)
from contracts.framework.stages import Exhausted, OpenList
from contracts.ids import OfferId
from sourcing.domain.evolution import replay_search
from sourcing.domain.replay import replay_package
from sourcing.domain.work_items import find_work_items
from sourcing.handlers import RUNTIME_TIMERS
from testkit.sourcing.generated_search import GeneratedSearch, Step
from testkit.sourcing.generated_stories import A_FEW, Story, draw_story
from testkit.sourcing.recomputed_decisions import is_meant_for, list_moments

ENDS = OfferAccepted | OfferDeclined | OfferExpired | OfferWithdrawn


def follow_offers(search: GeneratedSearch) -> Iterator[tuple[Step, dict[OfferId, OfferMade], dict[OfferId, OfferMade]]]:
    """Yields each step with the offers that had not ended before it and after it; a waiting acceptance is no end."""
    pending = dict[OfferId, OfferMade]()
    for step in search.steps:
        before = dict(pending)
        for event in step.events:
            if isinstance(event, OfferMade):
                pending[event.offer_id] = event
            if isinstance(event, ENDS):
                del pending[event.offer_id]
        yield step, before, dict(pending)


def count_placements(search: GeneratedSearch) -> Iterator[int]:
    """Yields the number of standing placements after each event."""
    standing = 0
    for recorded in search.record:
        standing += isinstance(recorded.event, PackagePlaced)
        standing -= isinstance(recorded.event, PlacementVoided)
        yield standing


@A_FEW
@given(draw_story())
def test_at_most_one_offer_is_live_unless_all_are_asked_at_once_and_none_beside_a_placement(story: Story) -> None:
    for search in story.searches:
        is_placed = False
        for step, _, pending in follow_offers(search):
            assert sum(not offer.asks_all for offer in pending.values()) <= 1
            assert len({(offer.stage, offer.asks_all) for offer in pending.values()}) <= 1
            is_placed = is_placed or any(isinstance(event, PackagePlaced) for event in step.events)
            assert not (is_placed and pending)


@A_FEW
@given(draw_story())
def test_at_most_one_placement_stands(story: Story) -> None:
    for search in story.searches:
        assert set(count_placements(search)) <= {0, 1}


@A_FEW
@given(draw_story())
def test_every_package_ends_or_has_a_timer_or_stands_on_the_work_list(story: Story) -> None:
    for search in story.searches:
        is_over = False
        for step in search.steps:
            is_over = is_over or any(isinstance(event, PackagePlaced | SourcingStopped) for event in step.events)
            assert step.search is not None
            assert is_over or step.timers or find_work_items(step.search)


@A_FEW
@given(draw_story())
def test_the_journal_alone_gives_the_state_of_the_search(story: Story) -> None:
    for search in story.searches:
        record = ((decode(type(each.event), encode(each.event)), each.at) for each in search.record)
        assert replay_search(record) == search.state


@A_FEW
@given(draw_story())
def test_a_replay_of_the_record_makes_every_decision_again(story: Story) -> None:
    for search in story.searches:
        replayed = replay_package(search.record, story.world.record(search.request.care), runtime_timers=RUNTIME_TIMERS)
        assert [(each.decision.cause, each.differences) for each in replayed if not each.is_same] == []
        assert sum(len(each.decision.events) for each in replayed) == sum(each.is_sourcing for each in search.record)


@A_FEW
@given(draw_story())
def test_stages_follow_in_the_order_of_the_definition_and_none_that_is_meant_for_the_package_is_left_out(
    story: Story,
) -> None:
    for search in story.searches:
        check_road(search)


def check_road(search: GeneratedSearch) -> None:
    last: str | None = None
    for moment in list_moments(search):
        if not isinstance(moment.event, StageEntered | PackageListed | SourcingExhausted):
            continue
        stages = moment.definition.sourcing
        names = [stage.stage for stage in stages]
        left = stages[0 if last is None else names.index(last) + 1 :]
        before = None if last is None else moment.definition.get_stage(last)
        if before is not None and not isinstance(before, OpenList) and before.exhausted is Exhausted.STOP:
            left = ()
        meant = [each.stage for each in left if is_meant_for(each.when, moment.definition, search.request.care)]
        entered = None if isinstance(moment.event, SourcingExhausted) else moment.event.stage
        assert meant[:1] == ([] if entered is None else [entered])
        last = entered


@A_FEW
@given(draw_story())
def test_each_candidate_has_one_turn_in_a_stage(story: Story) -> None:
    for search in story.searches:
        turns = Counter(
            (each.event.stage, each.event.provider_id)
            for each in search.record
            if isinstance(each.event, OfferMade | ProviderPassedOver)
        )
        assert not turns or max(turns.values()) == 1


@A_FEW
@given(draw_story())
def test_an_offer_to_all_tells_all_others_in_the_step_in_which_it_places(story: Story) -> None:
    for search in story.searches:
        for step, before, after in follow_offers(search):
            placed = [event for event in step.events if isinstance(event, PackagePlaced)]
            if placed:
                told = set(list_told_offers(step))
                assert told == {offer_id for offer_id in before if offer_id != placed[0].offer_id}
            if any(isinstance(event, SourcingStopped | SourcingExhausted | PackageListed) for event in step.events):
                assert after == {}


def list_told_offers(step: Step) -> Iterator[OfferId]:
    """Yields the offers whose providers hear in this step that they do not get the package."""
    reasons = {OfferEnd.PLACED_WITH_ANOTHER, OfferEnd.PROVIDER_NOT_ELIGIBLE}
    for event in step.events:
        if isinstance(event, OfferWithdrawn) and event.reason in reasons:
            yield event.offer_id
