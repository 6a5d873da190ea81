"""Orders, reasons and prices of searches that are made by chance, each worked out a second time.

100 times as many: TIMES_AS_MANY_EXAMPLES=100 .venv/bin/pytest --timeout 3600 services/sourcing/tests/unit/test_gen*.py
"""

from collections.abc import Iterator, Mapping

from hypothesis import given

from contracts.definitions import read_definition
from contracts.events.listings import ProposalAwarded, ProposalReceived
from contracts.events.offers import AcceptancesOrdered, OfferAccepted, OfferMade, OfferWithdrawn
from contracts.events.providers import EligibilityChanged
from contracts.events.reasons import OfferEnd
from contracts.events.searches import PackagePlaced, ProviderPassedOver, StageCandidate, StageEntered
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import Designated, OpenList
from contracts.ids import OfferId, ProposalId, ProviderId
from contracts.values import Terms
from testkit.sourcing.generated_definitions import draw_definition
from testkit.sourcing.generated_search import GeneratedSearch
from testkit.sourcing.generated_stories import A_FEW, Story, draw_story
from testkit.sourcing.recomputed_decisions import (
    Moment,
    RecordedOrder,
    find_terms,
    list_bars,
    list_moments,
    list_reasons_against,
)
from testkit.sourcing.recomputed_terms import recompute_proposal


@A_FEW
@given(draw_definition())
def test_every_generated_definition_could_be_published(definition: FrameworkDefinition) -> None:
    text = definition.model_dump_json(exclude_none=True)
    assert read_definition(text, source="generated").sourcing == definition.sourcing


def list_turns(search: GeneratedSearch) -> Iterator[tuple[StageEntered, list[OfferMade | ProviderPassedOver]]]:
    """Yields each stage with the turns of its candidates."""
    stage, turns = None, list[OfferMade | ProviderPassedOver]()
    for moment in list_moments(search):
        if isinstance(moment.event, StageEntered):
            if stage is not None:
                yield stage, turns
            stage, turns = moment.event, []
        if isinstance(moment.event, OfferMade | ProviderPassedOver):
            turns.append(moment.event)
    if stage is not None:
        yield stage, turns


@A_FEW
@given(draw_story())
def test_turns_follow_the_candidates_that_were_pinned_when_the_stage_began(story: Story) -> None:
    for search in story.searches:
        for stage, turns in list_turns(search):
            assert [each.rank for each in stage.candidates] == list(range(1, len(stage.candidates) + 1))
            pinned = [(each.provider_id, each.rank) for each in stage.candidates]
            assert [(each.provider_id, each.rank) for each in turns] == pinned[: len(turns)]


@A_FEW
@given(draw_story())
def test_every_recorded_order_follows_from_its_own_figures_and_its_seed(story: Story) -> None:
    for search in story.searches:
        for moment in list_moments(search):
            if isinstance(moment.event, StageEntered | AcceptancesOrdered) and moment.event.order:
                recorded = describe_order(search, moment, moment.event)
                assert [each.provider_id for each in recorded.candidates] == recorded.recompute()


def describe_order(search: GeneratedSearch, moment: Moment, event: StageEntered | AcceptancesOrdered) -> RecordedOrder:
    if isinstance(event, AcceptancesOrdered):
        assert moment.stage is not None
        pinned = {each.provider_id: each.rank for each in moment.stage.candidates}
        return RecordedOrder(event.order, event.seed, event.candidates, list_ranks=pinned)
    return RecordedOrder(
        event.order,
        event.seed,
        event.candidates,
        tiers=event.tiers,
        list_ranks=list_ranks(search, event),
        first=find_designated(search, moment, event),
    )


def list_ranks(search: GeneratedSearch, event: StageEntered) -> Mapping[ProviderId, int]:
    """Returns the ranks of the candidates in the lists that the stage used."""
    care, tiers = search.request.care, {each.provider_id: each.tier for each in event.candidates}
    used = {(each.tier, each.group, each.list_version) for each in event.lists}
    return {
        each.provider_id: each.rank
        for ranked in search.world.lists
        if (ranked.tier, ranked.group, ranked.list_version) in used
        and (ranked.lot, ranked.area) == (care.lot, care.area)
        for each in ranked.ranking
        if tiers.get(each.provider_id) == ranked.tier
    }


def find_designated(search: GeneratedSearch, moment: Moment, event: StageEntered) -> ProviderId | None:
    stage, follows = moment.definition.get_stage(event.stage), search.request.follows
    if follows is None or not isinstance(stage, Designated) or follows.lot not in stage.follows_in:
        return None
    eligibility = search.world.find_fact(follows.provider_id, EligibilityChanged, at=moment.at)
    has_place = eligibility is not None and any(each.lot == follows.lot for each in eligibility.places)
    return follows.provider_id if has_place else None


@A_FEW
@given(draw_story())
def test_the_first_eligible_provider_in_the_recorded_order_of_those_who_accepted_gets_the_package(story: Story) -> None:
    for search in story.searches:
        for moment in list_moments(search):
            if isinstance(moment.event, AcceptancesOrdered):
                check_award(search, moment, moment.event)


def check_award(search: GeneratedSearch, moment: Moment, ordered: AcceptancesOrdered) -> None:
    in_order = [
        (each.provider_id, list_bars(search.world, search.request, each, moment.at)) for each in ordered.candidates
    ]
    wanted = next((provider for provider, bars in in_order if not bars), None)
    events = moment.step.events[moment.step.events.index(ordered) :]
    placed = [event.provider_id for event in events if isinstance(event, PackagePlaced)]
    refused = [
        (event.provider_id, set(event.passed_over))
        for event in events
        if isinstance(event, OfferWithdrawn) and event.reason is OfferEnd.PROVIDER_NOT_ELIGIBLE
    ]
    assert placed[:1] == ([] if wanted is None else [wanted])
    assert refused == [
        each for position, each in enumerate(in_order) if all(bars for _, bars in in_order[: position + 1])
    ]


@A_FEW
@given(draw_story())
def test_nobody_is_offered_the_package_who_had_a_reason_to_be_passed_over(story: Story) -> None:
    for search in story.searches:
        for moment in list_moments(search):
            if isinstance(moment.event, OfferMade | ProviderPassedOver):
                candidate = get_candidate(moment, moment.event.provider_id)
                reasons = list_reasons_against(search.world, search.request, moment, candidate)
                recorded = moment.event.reasons if isinstance(moment.event, ProviderPassedOver) else ()
                assert set(recorded) == reasons


def get_candidate(moment: Moment, provider: ProviderId) -> StageCandidate:
    assert moment.stage is not None
    return next(each for each in moment.stage.candidates if each.provider_id == provider)


@A_FEW
@given(draw_story())
def test_nobody_is_awarded_the_package_who_is_barred_from_it(story: Story) -> None:
    for search in story.searches:
        for moment in list_moments(search):
            if isinstance(moment.event, OfferAccepted):
                candidate = get_candidate(moment, moment.event.provider_id)
                assert list_bars(search.world, search.request, candidate, moment.at) == set()
            if isinstance(moment.event, ProposalAwarded):
                assert may_propose(search, moment, moment.event.provider_id)


def may_propose(search: GeneratedSearch, moment: Moment, provider: ProviderId) -> bool:
    """Returns whether the package is open to the provider at this moment."""
    world, care = search.world, search.request.care
    listed = next(stage for stage in moment.definition.sourcing if isinstance(stage, OpenList))
    eligibility = world.find_fact(provider, EligibilityChanged, at=moment.at)
    assert eligibility is not None
    is_member = any((each.lot, each.area) == (care.lot, care.area) for each in eligibility.places)
    is_open = (listed.members and is_member) or (listed.spot and care.area in eligibility.spot_areas)
    is_refused = provider in search.request.wishes.refused
    return is_open and not is_refused and not world.is_embargoed(provider, at=moment.at)


@A_FEW
@given(draw_story())
def test_the_terms_of_every_offer_and_proposal_equal_the_matrix_by_hand(story: Story) -> None:
    for search in story.searches:
        agreed = dict[OfferId | ProposalId | None, Terms]()
        for moment in list_moments(search):
            event, care = moment.event, search.request.care
            if isinstance(event, OfferMade):
                agreed[event.offer_id] = event.terms
                assert event.terms == find_terms(search.world, moment, care, get_candidate(moment, event.provider_id))
            if isinstance(event, ProposalReceived):
                agreed[event.proposal_id] = event.terms
                unit = moment.definition.find_price_lines(care.service_type, care.area)[0].unit
                assert event.terms == recompute_proposal(care, unit, event.terms.rate)
            if isinstance(event, PackagePlaced):
                assert event.terms == agreed[event.offer_id or event.proposal_id]


@A_FEW
@given(draw_story())
def test_prices_by_which_providers_are_ordered_are_those_of_their_terms(story: Story) -> None:
    for search in story.searches:
        for moment in list_moments(search):
            if isinstance(moment.event, StageEntered) and "price" in moment.event.order:
                for candidate in moment.event.candidates:
                    terms = find_terms(search.world, moment, search.request.care, candidate)
                    assert candidate.price == (None if terms is None else terms.weekly_cost + terms.fixed_cost)
