"""Which timers a step schedules and cancels, so that an open search always has one or is on the work list.

- A delivered offer: OFFER_EXPIRES at its end; so has an offer to all from its making.
- An offer on its way to a provider's system: DELIVERY_OVERDUE. Provider-registry alone measures the grace period and
  publishes whether the offer was delivered; if its event is lost, this timer moves the offer to the officers' call
  list, so that the package is not left without a provider.
- An offer by telephone: none, the call is on the work list.
- A competition that takes bids: COMPETITION_CLOSES at its close; after it, officers score and award from the work list.
- A package that is open to all: LISTED_TOO_LONG, until it is on the work list; and LIST_GOES_OUT where it is on lists.
- A package that a Batching List can take: LIST_CUT_OFF, and LIST_CLOSES while it is on the list.
- No live offer: NEXT_OFFER_DUE. After an offer's end the next offer follows from the event within milliseconds, and
  the timer is the fallback. While the brokerage is closed it fires at the opening. While the search is held it fires
  at the next opening too (for an urgent package within minutes), because a ranked list can go live by its date alone,
  without an update of a projection.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from contracts.framework.stages import OpenList
from sourcing.domain.competitions.timers import plan_competition_timers
from sourcing.domain.draft import Draft
from sourcing.domain.list_timers import plan_list_timers
from sourcing.domain.offer import Offer
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import CancelledTimer, FollowUp, Result, ScheduledTimer, TimerKind

DELIVERY_SLACK: Final = timedelta(minutes=10)
"""Added to the policy's grace period: provider-registry may be restarting, and its event takes precedence."""
URGENT_HOLD_RECHECK: Final = timedelta(minutes=15)
"""How long an urgent search is held at most before it looks again; others look again at the next opening.

Places that nobody has entered yet have no row of a projection whose update could continue the search.
"""
FOLLOW_UP_SLACK: Final = timedelta(minutes=2)
"""How long after an offer's end the search looks for the next provider without having received the event."""


def plan_timers(draft: Draft, result: Result) -> tuple[ScheduledTimer | CancelledTimer, ...]:
    """Return the timers to schedule and to cancel after the step; `result` is what its decision returned."""
    return (
        *_plan_offer_timers(draft, result),
        *_plan_next_offer_timers(draft, result.follow_up),
        *_plan_listing_timers(draft),
        *plan_list_timers(draft, result.follow_up),
        *plan_competition_timers(draft),
    )


def _plan_offer_timers(draft: Draft, result: Result) -> Iterable[ScheduledTimer | CancelledTimer]:
    """Schedule the timers that live offers have now and had not before, or at another instant; cancel the others."""
    before = dict(_list_offer_timers(draft.before.live_offers if draft.before else ()))
    after = dict(_list_offer_timers(draft.search.live_offers))
    if result.follow_up is FollowUp.REDIRECT_OFFER:
        redirected = (TimerKind.DELIVERY_OVERDUE, str(result.follow_up_offer))
        before.pop(redirected, None)
        after[redirected] = draft.calendar.find_opening_after(draft.at)
    yield from (CancelledTimer(*timer) for timer in before if timer not in after)
    yield from (ScheduledTimer(*timer, at=at) for timer, at in after.items() if before.get(timer) != at)


def _list_offer_timers(offers: Iterable[Offer]) -> Iterator[tuple[tuple[TimerKind, str], datetime]]:
    for offer in offers:
        about = str(offer.offer_id)
        if offer.awaits_delivery and not offer.awaits_call:
            since = max(offer.made_at, offer.redirected_at or offer.made_at)
            yield (TimerKind.DELIVERY_OVERDUE, about), since + offer.deliver_within + DELIVERY_SLACK
        if offer.answer_by is not None:
            yield (TimerKind.OFFER_EXPIRES, about), offer.answer_by


def _plan_listing_timers(draft: Draft) -> tuple[ScheduledTimer | CancelledTimer, ...]:
    about, listing = str(draft.search.package_id), draft.search.listing
    was_listed = draft.before is not None and draft.before.status is SearchStatus.LISTED
    is_listed = draft.search.status is SearchStatus.LISTED
    if was_listed and not is_listed:
        return (CancelledTimer(TimerKind.LISTED_TOO_LONG, about),)
    if was_listed or not is_listed or listing is None:
        return ()
    stage = draft.definition.get_stage(listing.stage)
    if not isinstance(stage, OpenList):
        return ()
    due = draft.calendar.find_opening_from(listing.listed_at + stage.alarm_after)
    return (ScheduledTimer(TimerKind.LISTED_TOO_LONG, about, due),)


def _plan_next_offer_timers(draft: Draft, follow_up: FollowUp) -> tuple[ScheduledTimer | CancelledTimer, ...]:
    about = str(draft.search.package_id)
    was_between_offers = draft.before is not None and draft.before.is_between_offers
    if not draft.search.is_between_offers:
        return (CancelledTimer(TimerKind.NEXT_OFFER_DUE, about),) if was_between_offers else ()
    due = _find_next_offer_due_time(draft, follow_up, offer_has_just_ended=not was_between_offers)
    return (ScheduledTimer(TimerKind.NEXT_OFFER_DUE, about, due),) if due else ()


def _find_next_offer_due_time(draft: Draft, follow_up: FollowUp, *, offer_has_just_ended: bool) -> datetime | None:
    calendar = draft.market.calendar
    if follow_up is FollowUp.LOOK_FOR_PROVIDER:
        if draft.search.is_urgent and draft.search.status is SearchStatus.HELD:
            return draft.at + URGENT_HOLD_RECHECK
        return calendar.find_opening_after(draft.at) if calendar else None
    if not offer_has_just_ended:
        return None
    soon = draft.at + FOLLOW_UP_SLACK
    return soon if calendar is None or draft.search.is_urgent else calendar.find_opening_from(soon)
