"""Any search that can happen to one package: strategies for property tests, of the rules and of what keeps a search."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st

from contracts.errors import InvalidInput
from contracts.events.listings import InadequateReason, Variation
from contracts.events.orders import SpotPriceRefusal, SpotPriceRefused
from contracts.events.packages import (
    CallResult,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferUndeliverable,
    OfferWithdrawn,
    PackagePlaced,
)
from contracts.framework import FrameworkDefinition
from contracts.values import Channel, DeclineReason, Rating, Tier, Urgency
from sourcing.domain.errors import (
    ListingNotFound,
    MarketNotKnown,
    OfferAlreadyEnded,
    OfferNotByPhone,
    PackageNotOpen,
    ProposalNotFound,
)
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.search import Accept, Decline, Offer, Proposal, Search, SearchStatus
from sourcing.domain.steps import TimerKind
from sourcing.domain.triggers import (
    AnswerOffer,
    AwardProposal,
    Outage,
    OutageOver,
    ProjectionUpdated,
    RecordCall,
    SubmitProposal,
    Trigger,
)
from sourcing.domain.work_items import has_progress
from testkit.sourcing.builders import (
    PACKAGE,
    SearchDriver,
    a_definition,
    a_market,
    a_ranked_list,
    a_request,
    a_withdrawal,
    an_approval,
    an_open_list,
    monday,
    replace_facts,
    some_facts,
    to_provider_id,
)

NAMES: Final = ("Alder", "Birch", "Cedar", "Damson", "Elm")
SPOT_NAMES: Final = ("Spruce", "Sorrel")
OFFICERS: Final = ("officer:first", "officer:second")
REFUSED: Final = (
    MarketNotKnown,
    OfferAlreadyEnded,
    OfferNotByPhone,
    ListingNotFound,
    PackageNotOpen,
    ProposalNotFound,
    InvalidInput,
)
"""How an order that cannot be carried out may be refused."""


@dataclass(frozen=True)
class _Move:
    """Something that happens after a while: the `number` of a table's row, `pick` says by whom, with what answer."""

    number: int
    after: timedelta
    pick: int


def _pick_offer(driver: SearchDriver, pick: int) -> Offer | None:
    offers = driver.current.offers
    return offers[-1 - pick % len(offers)] if offers else None


def _retry(_: SearchDriver, __: int) -> Trigger:
    return ProjectionUpdated()


def _request_again(_: SearchDriver, __: int) -> Trigger:
    return a_request()


def _withdraw(_: SearchDriver, pick: int) -> Trigger | None:
    return a_withdrawal() if pick == 11 else None


def _accept(driver: SearchDriver, pick: int) -> Trigger | None:
    offer = _pick_offer(driver, pick)
    return AnswerOffer(PACKAGE, offer.offer_id, offer.provider_id, Accept()) if offer else None


def _decline(driver: SearchDriver, pick: int) -> Trigger | None:
    offer = _pick_offer(driver, pick // 3)
    reason = (DeclineReason.RISK, DeclineReason.TOO_FAR, DeclineReason.OTHER)[pick % 3]
    return AnswerOffer(PACKAGE, offer.offer_id, offer.provider_id, Decline(reason)) if offer else None


def _call(driver: SearchDriver, pick: int) -> Trigger | None:
    offer = _pick_offer(driver, pick // 4)
    if offer is None:
        return None
    orders = (
        RecordCall(PACKAGE, offer.offer_id, CallResult.NOBODY_REACHED),
        RecordCall(PACKAGE, offer.offer_id, CallResult.REACHED),
        RecordCall(PACKAGE, offer.offer_id, CallResult.REACHED, Accept()),
        RecordCall(PACKAGE, offer.offer_id, CallResult.REACHED, Decline(DeclineReason.OTHER)),
    )
    return orders[pick % 4]


def _pick_channel(offer: Offer, pick: int) -> Channel:
    """The one it goes by, or word of the first one that comes late."""
    return Channel.WEBHOOK if pick % 4 == 3 else offer.channel


def _deliver(driver: SearchDriver, pick: int) -> Trigger | None:
    offer = _pick_offer(driver, pick)
    if offer is None:
        return None
    return OfferDelivered(
        package_id=PACKAGE,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        channel=_pick_channel(offer, pick),
        delivered_at=max(offer.made_at, driver.at - timedelta(minutes=1)),
    )


def _fail_to_deliver(driver: SearchDriver, pick: int) -> Trigger | None:
    offer = _pick_offer(driver, pick)
    if offer is None:
        return None
    return OfferUndeliverable(
        package_id=PACKAGE,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        channel=_pick_channel(offer, pick),
        first_attempt_at=offer.made_at,
        reason="timed out",
    )


def _repeat_own_event(driver: SearchDriver, pick: int) -> Trigger | None:
    """An own event comes over Kafka: the newest one or, once more, an older one."""
    ends = [event for event in driver.events if isinstance(event, OfferDeclined | OfferExpired | OfferWithdrawn)]
    return ends[-1 - pick // 2 % len(ends)] if ends else None


def _embargo(driver: SearchDriver, pick: int) -> Trigger:
    """Somebody is embargoed, or not any more."""
    facts = driver.market.get_facts(to_provider_id((*NAMES, *SPOT_NAMES)[pick % 7]))
    driver.market = replace_facts(driver.market, replace(facts, embargoed=not facts.embargoed))
    return ProjectionUpdated()


def _have_outage(driver: SearchDriver, pick: int) -> Trigger:
    """We are down for a while: no alarm goes off, and nobody is answered."""
    down_from = driver.at
    driver.at += timedelta(minutes=(2, 20, 300)[pick % 3])
    driver.outages = (*driver.outages, Outage(down_from, driver.at))
    return OutageOver()


def _propose(_: SearchDriver, pick: int) -> Trigger:
    name = (NAMES[0], NAMES[-1], *SPOT_NAMES)[pick % 4]
    rate = ("28.00", "29.00", "29.01")[pick % 3]
    return SubmitProposal(PACKAGE, to_provider_id(name), Decimal(rate), (Variation.SHARED,) if pick == 11 else ())


def _pick_proposal(driver: SearchDriver, pick: int) -> Proposal | None:
    proposals = driver.current.listing.proposals if driver.current.listing is not None else ()
    return proposals[pick % len(proposals)] if proposals else None


def _award(driver: SearchDriver, pick: int) -> Trigger | None:
    proposal = _pick_proposal(driver, pick // 2)
    reason = InadequateReason.CONTINUITY if pick % 3 else None
    return AwardProposal(PACKAGE, proposal.proposal_id, OFFICERS[pick % 2], reason) if proposal else None


def _approve(driver: SearchDriver, pick: int) -> Trigger | None:
    """Another officer agrees to the price, or the same one tries."""
    listing = driver.current.listing
    return an_approval(listing, officer=OFFICERS[pick % 2]) if listing is not None and listing.award else None


def _refuse_price(driver: SearchDriver, pick: int) -> Trigger | None:
    listing, proposal = driver.current.listing, _pick_proposal(driver, pick)
    if listing is None or listing.award is None or proposal is None:
        return None
    return SpotPriceRefused(
        package_id=PACKAGE,
        award_id=listing.award.award_id,
        proposal_id=proposal.proposal_id,
        provider_id=proposal.provider_id,
        officer=OFFICERS[pick % 2],
        reason=SpotPriceRefusal.TOO_HIGH,
    )


_MOVES: Final[tuple[Callable[[SearchDriver, int], Trigger | None], ...]] = (
    _accept,
    _decline,
    _decline,
    _call,
    _call,
    _deliver,
    _deliver,
    _fail_to_deliver,
    _repeat_own_event,
    _repeat_own_event,
    _retry,
    _request_again,
    _withdraw,
    _embargo,
    _have_outage,
    _propose,
    _award,
    _approve,
)
_MOVES_WHILE_OPEN: Final[tuple[Callable[[SearchDriver, int], Trigger | None], ...]] = (
    _propose,
    _propose,
    _propose,
    _award,
    _award,
    _approve,
    _approve,
    _refuse_price,
    _embargo,
    _accept,
    _repeat_own_event,
    _retry,
    _have_outage,
    _withdraw,
)

_moves = st.builds(
    _Move,
    number=st.integers(min_value=0, max_value=len(_MOVES) * len(_MOVES_WHILE_OPEN) - 1),
    after=st.sampled_from([0, 1, 5, 15, 30, 35, 1_000]).map(lambda minutes: timedelta(minutes=minutes)),
    pick=st.integers(min_value=0, max_value=11),
)
_rankings = st.permutations(NAMES).flatmap(lambda names: st.sampled_from([names, names[:3], names[:1], names[:0]]))
_rarely = st.sampled_from([False] * 7 + [True])
_definitions = st.sampled_from(
    [
        a_definition(Tier.ONE, Tier.TWO),
        a_definition(Tier.ONE, Tier.TWO, open_list=an_open_list()),
        a_definition(Tier.ONE, Tier.TWO, open_list=an_open_list()),
        a_definition(Tier.ONE, Tier.TWO, open_list=an_open_list(spot=False)),
    ]
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
    known = some_facts(
        name,
        channels=draw(_channels),
        embargoed=draw(_rarely),
        free_hours=draw(st.sampled_from([None, None, Decimal("10.00"), Decimal("9.99")])),
        tiers=draw(st.sampled_from([tuple(Tier), tuple(Tier), tuple(Tier), (Tier.ONE,), (Tier.TWO,)])),
    )
    return replace(known, eligibility=None, channels=None) if draw(_rarely) and draw(_rarely) else known


@st.composite
def _draw_spot_facts(draw: st.DrawFn, name: str) -> ProviderFacts:
    rating = draw(st.sampled_from([Rating.GOOD, Rating.GOOD, Rating.INADEQUATE]))
    return some_facts(name, tiers=(), spot=True, rating=rating, embargoed=draw(_rarely))


@st.composite
def _draw_market(draw: st.DrawFn, definition: FrameworkDefinition) -> MarketSnapshot:
    """A market of two tiers in which anything may be missing, also the definition."""
    known = [*(draw(_draw_facts(name)) for name in NAMES), *(draw(_draw_spot_facts(name)) for name in SPOT_NAMES)]
    market = a_market(but=known, definition=definition)
    lists = {tier: a_ranked_list(*draw(_rankings), tier=tier) for tier in Tier if not draw(_rarely)}
    return replace(market, ranked_lists=lists, definition=None if draw(_rarely) else definition)


@st.composite
def draw_search(draw: st.DrawFn) -> SearchDriver:
    """A whole driver: a request, then moves, between which the market changes and alarms go off in their time."""
    definition = draw(_definitions)
    at = monday(draw(st.sampled_from(["09:00", "09:00", "09:00", "16:45", "18:00"])))
    driver = SearchDriver(draw(_draw_market(definition)), at=at, by_hand=True)
    urgency = draw(st.sampled_from([Urgency.ROUTINE, Urgency.ROUTINE, Urgency.CRISIS]))
    refused = (NAMES[-1], SPOT_NAMES[-1]) if draw(_rarely) else ()
    driver.request(a_request(urgency=urgency, refused=refused))
    _check_invariants(driver, since=0)
    for move in draw(st.lists(_moves, min_size=8, max_size=25)):
        if draw(_rarely):
            driver.market = draw(_draw_market(definition))
        _fire_timers_until(driver, driver.at + move.after, definition)
        moves = _MOVES_WHILE_OPEN if driver.current.status is SearchStatus.LISTED else _MOVES
        _handle(driver, moves[move.number % len(moves)](driver, move.pick))
    return driver


def _fire_timers_until(driver: SearchDriver, end: datetime, definition: FrameworkDefinition) -> None:
    """Time passes; every alarm goes off in its own instant, each with what follows from it."""
    while due := [alarm for alarm in driver.timers.values() if alarm.at <= end]:
        first, since = min(due, key=lambda alarm: alarm.at), len(driver.journal)
        try:
            driver.fire_timer(first.kind, at=max(driver.at, first.at))
        except MarketNotKnown:
            driver.market = replace(driver.market, definition=definition)
            driver.timers[first.kind, first.about] = first
        _check_invariants(driver, since=since)
    driver.at = end


def _handle(driver: SearchDriver, trigger: Trigger | None) -> None:
    """The happening, unless it is an order that is refused: that one must leave no trace."""
    before = (driver.state, len(driver.journal))
    try:
        if trigger is not None:
            driver.handle(trigger)
    except REFUSED:
        assert (driver.state, len(driver.journal)) == before
    _check_invariants(driver, since=before[1])


def _check_invariants(driver: SearchDriver, *, since: int) -> None:
    """What holds after every single step; the step's events are those from `since` on."""
    search = driver.current
    assert sum(offer.is_live for offer in search.offers) <= 1
    assert has_progress(search, driver.timers.values())
    assert search.is_open or search.status is SearchStatus.LISTED or driver.timers == {}
    for event in driver.events[since:]:
        if isinstance(event, PackagePlaced):
            assert not driver.market.get_facts(event.provider_id).embargoed
            assert event.provider_id not in search.wishes.refused
    _check_timers(driver, search)


def _check_timers(driver: SearchDriver, search: Search) -> None:
    kinds = {kind for kind, _ in driver.timers}
    offer = search.live_offer
    if search.status is SearchStatus.LISTED:
        assert kinds <= {TimerKind.LISTED_TOO_LONG}
    elif offer is None:
        assert kinds <= {TimerKind.NEXT_OFFER_DUE}
        assert kinds or search.status is not SearchStatus.RUNNING
    elif offer.answer_by is not None:
        assert driver.find_timer(TimerKind.OFFER_EXPIRES).at == offer.answer_by
        assert kinds == {TimerKind.OFFER_EXPIRES}
    else:
        assert kinds == (set() if offer.channel is Channel.PHONE else {TimerKind.DELIVERY_OVERDUE})
