"""What a search does when something happens: pure, so that every decision can be replayed from the record."""

from collections.abc import Sequence
from datetime import datetime

from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.events.packages import (
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferUndeliverable,
    OfferWithdrawn,
    PackageRequested,
    SourcingStopped,
    WithdrawalRequested,
)
from contracts.ids import NewId, OfferId
from sourcing.domain.alarms import alarms_after
from sourcing.domain.answering import answer_offer, expire, record_call, start_clock
from sourcing.domain.awarding import award, drop_award, place_approved
from sourcing.domain.draft import Course
from sourcing.domain.errors import ListingNotFound, OfferNotFound, PackageNotOpen
from sourcing.domain.evolution import requested
from sourcing.domain.listing import find_overdue
from sourcing.domain.market import Market
from sourcing.domain.offering import go_on, redirect
from sourcing.domain.outages import extend_for
from sourcing.domain.proposing import propose
from sourcing.domain.search import Offer, Search, SearchStatus
from sourcing.domain.steps import Done, Outcome, Step
from sourcing.domain.stopping import stop
from sourcing.domain.triggers import (
    AnswerOffer,
    Award,
    DeliveryOverdue,
    ExpireOffer,
    Happening,
    ListedTooLong,
    NextOfferDue,
    Nudge,
    Outage,
    Propose,
    RecordCall,
    Retry,
)


def decide(
    search: Search | None,
    happening: Happening,
    *,
    market: Market,
    at: datetime,
    new_id: NewId,
    outages: Sequence[Outage] = (),
) -> Step:
    """The next step of a search. The same arguments give the same step, ids included.

    `outages` are ours since the live offer was made: its clock gains them before anything else is looked at. Raises
    NotFound and Conflict (`errors`) for orders that cannot be carried out, and MarketNotKnown where a definition or an
    eligibility that was there before is not there now.
    """
    if search is None:
        return _before_any_search(happening, market=market, at=at, new_id=new_id)
    course = Course(search, market, at, new_id)
    extend_for(course, outages)
    return _step(search, course, _take(course, happening))


def is_old_news(search: Search, happening: Happening) -> bool:
    """Whether nothing follows, whatever the market says; then `decide` gives back the search as it is.

    What is heard of an offer that has ended since is the most frequent event of all: providers' systems answer sooner
    than we hear that they were told.
    """
    if search.live_offer is not None:
        return False
    match happening:
        case OfferDelivered():
            return _to_start(search, happening) is None
        case OfferDeclined() | OfferExpired() | OfferWithdrawn():
            return not _asks_for_next(search, happening)
        case _:
            return False


def _before_any_search(happening: Happening, *, market: Market, at: datetime, new_id: NewId) -> Step:
    if isinstance(happening, PackageRequested):
        course = Course(requested(happening, at), market, at, new_id)
        go_on(course)
        return _step(None, course, Done())
    if isinstance(happening, WithdrawalRequested):
        return Step(None, (SourcingStopped(package_id=happening.package_id, search_id=None),))
    if isinstance(happening, AnswerOffer | RecordCall):
        raise OfferNotFound
    if isinstance(happening, Propose):
        raise ListingNotFound
    if isinstance(happening, Award):
        raise PackageNotOpen("this package was never requested here; look its id up in the work list")
    return Step(None)


def _step(before: Search | None, course: Course, outcome: Outcome) -> Step:
    return Step(course.search, tuple(course.events), alarms_after(before, course), outcome)


def _take(course: Course, happening: Happening) -> Outcome:
    """The table of what happens when; only orders of people have an outcome."""
    match happening:
        case AnswerOffer():
            return answer_offer(course, happening)
        case RecordCall():
            return record_call(course, happening)
        case Propose():
            return propose(course, happening)
        case Award():
            return award(course, happening)
        case Retry() | NextOfferDue() | DeliveryOverdue() | ExpireOffer() | ListedTooLong():
            _wake(course, happening)
        case _:
            _hear(course, happening)
    return Done()


def _wake(course: Course, due: Retry | NextOfferDue | DeliveryOverdue | ExpireOffer | ListedTooLong) -> None:
    """Something is due, or worth another look."""
    match due:
        case Retry() | NextOfferDue():
            _look_again(course)
        case DeliveryOverdue():
            _undelivered(course, due.offer_id)
        case ExpireOffer():
            _time_is_over(course, due.offer_id)
        case ListedTooLong():
            find_overdue(course)


def _hear(course: Course, happening: Happening) -> None:
    """A service has said something, our own included."""
    match happening:
        case OfferDeclined() | OfferExpired() | OfferWithdrawn():
            _follow(course, happening)
        case OfferDelivered():
            _delivered(course, happening)
        case OfferUndeliverable():
            _undeliverable(course, happening)
        case SpotPriceApproved():
            place_approved(course, happening)
        case SpotPriceRefused():
            drop_award(course, happening)
        case WithdrawalRequested():
            stop(course, happening)
        case _:
            pass  # a request that is heard again, or an outage that has been counted already


def _look_again(course: Course) -> None:
    if course.search.is_between_offers:
        go_on(course)


def _follow(course: Course, nudge: Nudge) -> None:
    """An offer's end asks for the next provider, unless the search has moved on since."""
    if _asks_for_next(course.search, nudge):
        go_on(course)


def _asks_for_next(search: Search, nudge: Nudge) -> bool:
    is_the_last = bool(search.offers) and search.offers[-1].offer_id == nudge.offer_id
    return is_the_last and search.status is SearchStatus.RUNNING and search.live_offer is None


def _delivered(course: Course, event: OfferDelivered) -> None:
    """The clock starts once, and by the channel that the offer goes by now."""
    offer = _to_start(course.search, event)
    if offer is not None:
        start_clock(course, offer, delivered_at=event.delivered_at)


def _to_start(search: Search, event: OfferDelivered) -> Offer | None:
    offer = search.offer(event.offer_id)
    waits_for_it = offer is not None and offer.awaits_delivery and offer.channel is event.channel
    return offer if waits_for_it else None


def _undeliverable(course: Course, event: OfferUndeliverable) -> None:
    """Word about a channel that the offer has left already is no news."""
    offer = course.search.offer(event.offer_id)
    if offer is not None and offer.channel is event.channel:
        _undelivered(course, event.offer_id)


def _undelivered(course: Course, offer_id: OfferId) -> None:
    offer = course.search.offer(offer_id)
    if offer is not None and offer.awaits_delivery and not offer.awaits_call:
        redirect(course, offer)


def _time_is_over(course: Course, offer_id: OfferId) -> None:
    offer = course.search.offer(offer_id)
    if offer is not None and offer.is_live and offer.has_run_out(course.at):
        expire(course, offer)
