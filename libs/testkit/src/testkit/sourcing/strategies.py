"""Hypothesis strategies that draw random searches, for property tests of the domain rules and of the repositories."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from hypothesis import strategies as st

from contracts.errors import InvalidInput
from contracts.events.searches import PackagePlaced
from contracts.example_words import Criteria, Routes, Tiers
from contracts.framework.competitions import Criterion
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import Exhausted
from contracts.values import Channel, Order, Rating
from sourcing.domain.competitions.competition import CompetitionStatus
from sourcing.domain.competitions.errors import (
    BidNotFound,
    BidNotSuitable,
    BidsSealed,
    CompetitionNotFound,
    CompetitionOver,
    QuestionsClosed,
    ResultNotKnown,
)
from sourcing.domain.errors import (
    ActNotFound,
    ActNotPossible,
    CounterOfferEnded,
    CounterOfferNotFound,
    ListingNotFound,
    MarketNotKnown,
    OfferAlreadyEnded,
    OfferNotByPhone,
    PackageNotOpen,
    ProposalNotFound,
    ProviderBarred,
    SameOfficer,
)
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.search import Search, SearchStatus
from sourcing.domain.steps import ScheduledTimer, TimerKind
from sourcing.domain.triggers import Trigger
from sourcing.domain.work_items import has_progress
from testkit.sourcing.builders import (
    a_known_provider,
    a_market,
    a_ranked_list,
    a_request,
    on_monday,
    some_care,
)
from testkit.sourcing.competition_moves import MOVES_WHILE_BIDDING, MOVES_WHILE_JUDGING
from testkit.sourcing.competitions import a_competition, name_the_price
from testkit.sourcing.definitions import a_batching_list, a_definition, a_stage, a_stage_for_all, an_open_list
from testkit.sourcing.officer_moves import OFFICER_MOVES
from testkit.sourcing.recorded_search import RecordingDriver
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.search_moves import MOVES, MOVES_WHILE_OPEN, NAMES, SPOT_NAMES, embargo, withdraw

DriverT = TypeVar("DriverT", bound=SearchDriver)
REFUSALS: Final = (
    MarketNotKnown,
    OfferAlreadyEnded,
    OfferNotByPhone,
    ListingNotFound,
    PackageNotOpen,
    ProposalNotFound,
    InvalidInput,
    ActNotFound,
    ActNotPossible,
    CounterOfferEnded,
    CounterOfferNotFound,
    ProviderBarred,
    SameOfficer,
    BidNotFound,
    BidNotSuitable,
    BidsSealed,
    CompetitionNotFound,
    CompetitionOver,
    QuestionsClosed,
    ResultNotKnown,
)
"""The errors by which the domain refuses a command."""


@dataclass(frozen=True)
class Move:
    """A move of a random search, made `after` the previous one.

    `number` selects an entry of `MOVES` or `MOVES_WHILE_OPEN`; `pick` selects the provider, offer or answer.
    """

    number: int
    after: timedelta
    pick: int


_moves = st.builds(
    Move,
    number=st.integers(min_value=0, max_value=len(MOVES) * len(MOVES_WHILE_OPEN) - 1),
    after=st.sampled_from([0, 1, 5, 15, 30, 35, 1_000]).map(lambda minutes: timedelta(minutes=minutes)),
    pick=st.integers(min_value=0, max_value=11),
)
_rankings = st.permutations(NAMES).flatmap(lambda names: st.sampled_from([names, names[:3], names[:1], names[:0]]))
_rarely = st.sampled_from([False] * 7 + [True])
_ONE_CRITERION: Final = a_competition(
    criteria=(Criterion(criterion=Criteria.SKILLS, title="Skills", weight=70),), pass_mark=2
)
_definitions = st.sampled_from(
    [
        a_definition(Tiers.ONE, Tiers.TWO),
        a_definition(Tiers.ONE, Tiers.TWO, open_list=an_open_list()),
        a_definition(Tiers.ONE, Tiers.TWO, open_list=an_open_list()),
        a_definition(Tiers.ONE, Tiers.TWO, open_list=an_open_list(spot=False)),
        a_definition(*Tiers.ALL, sourcing=(a_stage_for_all(), a_stage(Tiers.TWO)), open_list=an_open_list()),
        a_definition(*Tiers.ALL, sourcing=(a_stage_for_all(Tiers.ONE, Tiers.TWO),)),
        a_definition(*Tiers.ALL, sourcing=(a_stage(order=(Order.ROTATION,)), a_stage_for_all(Tiers.TWO))),
        a_definition(*Tiers.ALL, sourcing=(_ONE_CRITERION, a_stage(Tiers.TWO))),
        a_definition(*Tiers.ALL, sourcing=(_ONE_CRITERION, a_stage(Tiers.TWO))),
        a_definition(*Tiers.ALL, sourcing=(name_the_price(),), open_list=an_open_list()),
    ]
)
_definitions_with_lists = st.one_of(
    _definitions,
    st.just(
        a_definition(
            *Tiers.ALL,
            sourcing=(a_stage(exhausted=Exhausted.WAIT_FOR_LIST), a_batching_list(), a_stage(Tiers.TWO)),
            open_list=an_open_list(),
        )
    ),
)
_channels = st.sampled_from(
    [
        (Channel.WEBHOOK,),
        (Channel.WEBHOOK,),
        (Channel.WEBHOOK, Channel.EMAIL),
        (Channel.EMAIL, Channel.PHONE),
        (Channel.PHONE,),
        (),
    ]
)


@st.composite
def _draw_facts(draw: st.DrawFn, name: str) -> ProviderFacts:
    known = a_known_provider(
        name,
        channels=draw(_channels),
        embargoed=draw(_rarely),
        free_hours=draw(st.sampled_from([None, None, Decimal("10.00"), Decimal("9.99")])),
        tiers=draw(st.sampled_from([Tiers.ALL, Tiers.ALL, Tiers.ALL, (Tiers.ONE,), (Tiers.TWO,)])),
    )
    return replace(known, eligibility=None, channels=None) if draw(_rarely) and draw(_rarely) else known


@st.composite
def _draw_spot_facts(draw: st.DrawFn, name: str) -> ProviderFacts:
    rating = draw(st.sampled_from([Rating.GOOD, Rating.GOOD, Rating.INADEQUATE]))
    return a_known_provider(name, tiers=(), spot=True, rating=rating, embargoed=draw(_rarely))


@st.composite
def _draw_market(draw: st.DrawFn, definition: FrameworkDefinition) -> MarketSnapshot:
    """Draws a market of two tiers in which ranked lists, facts of providers and the definition may be missing."""
    known = [*(draw(_draw_facts(name)) for name in NAMES), *(draw(_draw_spot_facts(name)) for name in SPOT_NAMES)]
    market = a_market(overrides=known, definition=definition)
    lists = {tier: a_ranked_list(*draw(_rankings), tier=tier) for tier in Tiers.ALL if not draw(_rarely)}
    return replace(market, ranked_lists=lists, definition=None if draw(_rarely) else definition)


@st.composite
def draw_search(draw: st.DrawFn) -> SearchDriver:
    """Draws a search: a request, then moves between which the market may change and due timers fire.

    The invariants are checked after every step.
    """
    return _draw_moves(draw, SearchDriver)


@st.composite
def draw_officers_search(draw: st.DrawFn) -> SearchDriver:
    """Draws a search as `draw_search` does, in which officers act by their own hand."""
    return _draw_moves(draw, SearchDriver, with_officers=True)


@st.composite
def draw_recorded_officers_search(draw: st.DrawFn) -> RecordingDriver:
    """Draws a search in which officers act, and records it."""
    return _draw_moves(draw, RecordingDriver, with_officers=True)


@st.composite
def draw_recorded_search(draw: st.DrawFn) -> RecordingDriver:
    """Draws a search as `draw_search` does, and records it."""
    return _draw_moves(draw, RecordingDriver)


def _draw_moves(draw: st.DrawFn, driver_type: type[DriverT], *, with_officers: bool = False) -> DriverT:
    definition = draw(_definitions_with_lists if with_officers else _definitions)
    at = on_monday(draw(st.sampled_from(["09:00", "09:00", "15:30", "16:45", "18:00"])))
    driver = driver_type(draw(_draw_market(definition)), at=at, handle_own_events=False)
    urgent = draw(st.sampled_from([False, False, True]))
    care = some_care(route=Routes.CRISIS if urgent else Routes.COMMUNITY, urgent=urgent)
    refused = (NAMES[-1], SPOT_NAMES[-1]) if draw(_rarely) else ()
    driver.request(a_request(care=care, refused=refused))
    _check_invariants(driver, since=0)
    for move in draw(st.lists(_moves, min_size=8, max_size=25)):
        if draw(_rarely):
            driver.market = draw(_draw_market(definition))
        _fire_timers_until(driver, driver.at + move.after, definition)
        moves = _list_moves(driver.current)
        moves = OFFICER_MOVES if with_officers and draw(st.booleans()) else moves
        _handle(driver, moves[move.number % len(moves)](driver, move.pick))
    return driver


def _list_moves(search: Search) -> Sequence[Callable[[SearchDriver, int], Trigger | None]]:
    if search.status is SearchStatus.COMPETING and search.competition is not None:
        is_open = search.competition.status is CompetitionStatus.OPEN
        return (*(MOVES_WHILE_BIDDING if is_open else MOVES_WHILE_JUDGING), embargo, withdraw)
    return MOVES_WHILE_OPEN if search.status is SearchStatus.LISTED else MOVES


def _fire_timers_until(driver: SearchDriver, end: datetime, definition: FrameworkDefinition) -> None:
    """Moves the time to `end` and fires each timer at its due instant. Adds a definition that a timer misses."""
    while due := [timer for timer in driver.timers.values() if timer.at <= end]:
        first, since = min(due, key=lambda timer: timer.at), len(driver.journal)
        try:
            driver.fire_timer(first.kind, at=max(driver.at, first.at))
        except MarketNotKnown:
            driver.market = replace(driver.market, definition=definition)
            driver.timers[first.kind, first.about] = first
        _check_invariants(driver, since=since)
    driver.at = end


def _handle(driver: SearchDriver, trigger: Trigger | None) -> None:
    """Handles the trigger, if there is one. A refused command must change neither the search nor the journal."""
    before = (driver.state, len(driver.journal))
    try:
        if trigger is not None:
            driver.handle(trigger)
    except REFUSALS:
        assert (driver.state, len(driver.journal)) == before
    _check_invariants(driver, since=before[1])


def _check_invariants(driver: SearchDriver, *, since: int) -> None:
    """Checks what holds after every step. The step's events are those from index `since` on."""
    search = driver.current
    assert sum(offer.is_live and not offer.asks_all for offer in search.offers) <= 1
    assert has_progress(search, driver.timers.values())
    waits = {SearchStatus.LISTED, SearchStatus.COMPETING}
    assert search.is_open or search.status in waits or driver.timers == {}
    for event in driver.events[since:]:
        if isinstance(event, PackagePlaced):
            assert not driver.market.get_facts(event.provider_id).embargoed
            assert event.provider_id not in search.wishes.refused
    _check_timers(driver, search)


def _check_timers(driver: SearchDriver, search: Search) -> None:
    kinds = {kind for kind, _ in driver.timers} - {TimerKind.LIST_CUT_OFF, TimerKind.LIST_CLOSES}
    if search.status is SearchStatus.LISTED:
        kinds -= {TimerKind.LISTED_TOO_LONG}
    if search.status is SearchStatus.LISTED and not search.live_offers:
        assert kinds == set()
    elif search.status is SearchStatus.COMPETING:
        assert search.competition is not None
        is_open = search.competition.status is CompetitionStatus.OPEN
        assert kinds == ({TimerKind.COMPETITION_CLOSES} if is_open else set())
    elif not search.live_offers:
        assert kinds <= {TimerKind.NEXT_OFFER_DUE}
        assert kinds or search.status is not SearchStatus.RUNNING or search.acts.is_paused
    else:
        ends = {str(offer.offer_id): offer.answer_by for offer in search.live_offers if offer.answer_by is not None}
        sent = {str(each.offer_id) for each in search.live_offers if each.awaits_delivery and not each.awaits_call}
        assert {timer.about: timer.at for timer in _list_timers(driver, TimerKind.OFFER_EXPIRES)} == ends
        assert {timer.about for timer in _list_timers(driver, TimerKind.DELIVERY_OVERDUE)} == sent
        assert kinds <= {TimerKind.OFFER_EXPIRES, TimerKind.DELIVERY_OVERDUE}


def _list_timers(driver: SearchDriver, kind: TimerKind) -> list[ScheduledTimer]:
    return [timer for timer in driver.timers.values() if timer.kind is kind]
