"""Any story that can happen to one package: strategies for property tests, of the rules and of what keeps a search."""

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
from sourcing.domain.market import Market, ProviderFacts
from sourcing.domain.progress import has_progress
from sourcing.domain.search import Accept, Decline, Offer, Proposal, Search, SearchStatus
from sourcing.domain.steps import AlarmKind
from sourcing.domain.triggers import (
    AnswerOffer,
    Award,
    Happening,
    Outage,
    OutageOver,
    Propose,
    RecordCall,
    Retry,
)
from testkit.sourcing.builders import (
    PACKAGE,
    Story,
    a_definition,
    a_market,
    a_ranked_list,
    a_request,
    a_withdrawal,
    an_approval,
    an_open_list,
    facts_about,
    monday,
    provider,
    with_facts,
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


def _one_of_the_offers(story: Story, pick: int) -> Offer | None:
    offers = story.known.offers
    return offers[-1 - pick % len(offers)] if offers else None


def _retry(_: Story, __: int) -> Happening:
    return Retry()


def _request_again(_: Story, __: int) -> Happening:
    return a_request()


def _withdraw(_: Story, pick: int) -> Happening | None:
    return a_withdrawal() if pick == 11 else None


def _accept(story: Story, pick: int) -> Happening | None:
    offer = _one_of_the_offers(story, pick)
    return AnswerOffer(offer.offer_id, offer.provider_id, Accept()) if offer else None


def _decline(story: Story, pick: int) -> Happening | None:
    offer = _one_of_the_offers(story, pick // 3)
    reason = (DeclineReason.RISK, DeclineReason.TOO_FAR, DeclineReason.OTHER)[pick % 3]
    return AnswerOffer(offer.offer_id, offer.provider_id, Decline(reason)) if offer else None


def _call(story: Story, pick: int) -> Happening | None:
    offer = _one_of_the_offers(story, pick // 4)
    if offer is None:
        return None
    orders = (
        RecordCall(offer.offer_id, CallResult.NOBODY_REACHED),
        RecordCall(offer.offer_id, CallResult.REACHED),
        RecordCall(offer.offer_id, CallResult.REACHED, Accept()),
        RecordCall(offer.offer_id, CallResult.REACHED, Decline(DeclineReason.OTHER)),
    )
    return orders[pick % 4]


def _a_channel(offer: Offer, pick: int) -> Channel:
    """The one it goes by, or word of the first one that comes late."""
    return Channel.WEBHOOK if pick % 4 == 3 else offer.channel


def _deliver(story: Story, pick: int) -> Happening | None:
    offer = _one_of_the_offers(story, pick)
    if offer is None:
        return None
    return OfferDelivered(
        package_id=PACKAGE,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        channel=_a_channel(offer, pick),
        delivered_at=max(offer.made_at, story.at - timedelta(minutes=1)),
    )


def _fail_to_deliver(story: Story, pick: int) -> Happening | None:
    offer = _one_of_the_offers(story, pick)
    if offer is None:
        return None
    return OfferUndeliverable(
        package_id=PACKAGE,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        channel=_a_channel(offer, pick),
        first_attempt_at=offer.made_at,
        reason="timed out",
    )


def _hear_of_an_end(story: Story, pick: int) -> Happening | None:
    """An own event comes over Kafka: the newest one or, once more, an older one."""
    ends = [event for event in story.events if isinstance(event, OfferDeclined | OfferExpired | OfferWithdrawn)]
    return ends[-1 - pick // 2 % len(ends)] if ends else None


def _embargo(story: Story, pick: int) -> Happening:
    """Somebody is embargoed, or not any more."""
    facts = story.market.facts_of(provider((*NAMES, *SPOT_NAMES)[pick % 7]))
    story.market = with_facts(story.market, replace(facts, embargoed=not facts.embargoed))
    return Retry()


def _outage(story: Story, pick: int) -> Happening:
    """We are down for a while: no alarm goes off, and nobody is answered."""
    down_from = story.at
    story.at += timedelta(minutes=(2, 20, 300)[pick % 3])
    story.outages = (*story.outages, Outage(down_from, story.at))
    return OutageOver()


def _propose(_: Story, pick: int) -> Happening:
    name = (NAMES[0], NAMES[-1], *SPOT_NAMES)[pick % 4]
    rate = ("28.00", "29.00", "29.01")[pick % 3]
    return Propose(provider(name), Decimal(rate), (Variation.SHARED,) if pick == 11 else ())


def _a_proposal(story: Story, pick: int) -> Proposal | None:
    proposals = story.known.listing.proposals if story.known.listing is not None else ()
    return proposals[pick % len(proposals)] if proposals else None


def _award(story: Story, pick: int) -> Happening | None:
    proposal = _a_proposal(story, pick // 2)
    reason = InadequateReason.CONTINUITY if pick % 3 else None
    return Award(proposal.proposal_id, OFFICERS[pick % 2], reason) if proposal else None


def _approve(story: Story, pick: int) -> Happening | None:
    """Another officer agrees to the price, or the same one tries."""
    listing = story.known.listing
    return an_approval(listing, officer=OFFICERS[pick % 2]) if listing is not None and listing.award else None


def _refuse_price(story: Story, pick: int) -> Happening | None:
    listing, proposal = story.known.listing, _a_proposal(story, pick)
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


_MOVES: Final[tuple[Callable[[Story, int], Happening | None], ...]] = (
    _accept,
    _decline,
    _decline,
    _call,
    _call,
    _deliver,
    _deliver,
    _fail_to_deliver,
    _hear_of_an_end,
    _hear_of_an_end,
    _retry,
    _request_again,
    _withdraw,
    _embargo,
    _outage,
    _propose,
    _award,
    _approve,
)
_MOVES_WHILE_OPEN: Final[tuple[Callable[[Story, int], Happening | None], ...]] = (
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
    _hear_of_an_end,
    _retry,
    _outage,
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
def _facts(draw: st.DrawFn, name: str) -> ProviderFacts:
    known = facts_about(
        name,
        channels=draw(_channels),
        embargoed=draw(_rarely),
        free_hours=draw(st.sampled_from([None, None, Decimal("10.00"), Decimal("9.99")])),
        tiers=draw(st.sampled_from([tuple(Tier), tuple(Tier), tuple(Tier), (Tier.ONE,), (Tier.TWO,)])),
    )
    return replace(known, eligibility=None, channels=None) if draw(_rarely) and draw(_rarely) else known


@st.composite
def _spot_facts(draw: st.DrawFn, name: str) -> ProviderFacts:
    rating = draw(st.sampled_from([Rating.GOOD, Rating.GOOD, Rating.INADEQUATE]))
    return facts_about(name, tiers=(), spot=True, rating=rating, embargoed=draw(_rarely))


@st.composite
def _markets(draw: st.DrawFn, definition: FrameworkDefinition) -> Market:
    """A market of two tiers in which anything may be missing, also the definition."""
    known = [*(draw(_facts(name)) for name in NAMES), *(draw(_spot_facts(name)) for name in SPOT_NAMES)]
    market = a_market(but=known, definition=definition)
    lists = {tier: a_ranked_list(*draw(_rankings), tier=tier) for tier in Tier if not draw(_rarely)}
    return replace(market, ranked_lists=lists, definition=None if draw(_rarely) else definition)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A whole story: a request, then moves, between which the market changes and alarms go off in their time."""
    definition = draw(_definitions)
    at = monday(draw(st.sampled_from(["09:00", "09:00", "09:00", "16:45", "18:00"])))
    story = Story(draw(_markets(definition)), at=at, by_hand=True)
    urgency = draw(st.sampled_from([Urgency.ROUTINE, Urgency.ROUTINE, Urgency.CRISIS]))
    refused = (NAMES[-1], SPOT_NAMES[-1]) if draw(_rarely) else ()
    story.requested(a_request(urgency=urgency, refused=refused))
    _check(story, since=0)
    for move in draw(st.lists(_moves, min_size=8, max_size=25)):
        if draw(_rarely):
            story.market = draw(_markets(definition))
        _ring_until(story, story.at + move.after, definition)
        moves = _MOVES_WHILE_OPEN if story.known.status is SearchStatus.LISTED else _MOVES
        _make(story, moves[move.number % len(moves)](story, move.pick))
    return story


def _ring_until(story: Story, end: datetime, definition: FrameworkDefinition) -> None:
    """Time passes; every alarm goes off in its own instant, each with what follows from it."""
    while due := [alarm for alarm in story.alarms.values() if alarm.at <= end]:
        first, since = min(due, key=lambda alarm: alarm.at), len(story.record)
        try:
            story.rings(first.kind, at=max(story.at, first.at))
        except MarketNotKnown:
            story.market = replace(story.market, definition=definition)
            story.alarms[first.kind, first.about] = first
        _check(story, since=since)
    story.at = end


def _make(story: Story, happening: Happening | None) -> None:
    """The happening, unless it is an order that is refused: that one must leave no trace."""
    before = (story.search, len(story.record))
    try:
        if happening is not None:
            story.happens(happening)
    except REFUSED:
        assert (story.search, len(story.record)) == before
    _check(story, since=before[1])


def _check(story: Story, *, since: int) -> None:
    """What holds after every single step; the step's events are those from `since` on."""
    search = story.known
    assert sum(offer.is_live for offer in search.offers) <= 1
    assert has_progress(search, story.alarms.values())
    assert search.is_open or search.status is SearchStatus.LISTED or story.alarms == {}
    for event in story.events[since:]:
        if isinstance(event, PackagePlaced):
            assert not story.market.facts_of(event.provider_id).embargoed
            assert event.provider_id not in search.wishes.refused
    _assert_alarms_fit(story, search)


def _assert_alarms_fit(story: Story, search: Search) -> None:
    kinds = {kind for kind, _ in story.alarms}
    offer = search.live_offer
    if search.status is SearchStatus.LISTED:
        assert kinds <= {AlarmKind.LISTED_TOO_LONG}
    elif offer is None:
        assert kinds <= {AlarmKind.NEXT_OFFER_DUE}
        assert kinds or search.status is not SearchStatus.RUNNING
    elif offer.answer_by is not None:
        assert story.alarm(AlarmKind.OFFER_EXPIRES).at == offer.answer_by
        assert kinds == {AlarmKind.OFFER_EXPIRES}
    else:
        assert kinds == (set() if offer.channel is Channel.PHONE else {AlarmKind.DELIVERY_OVERDUE})
