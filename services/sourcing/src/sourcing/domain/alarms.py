"""Which alarms a step sets and takes back, so that an open search always has one or stands on the work list.

- A delivered offer: OFFER_EXPIRES at its end.
- An offer on its way to a provider's system: DELIVERY_OVERDUE. Provider-registry alone counts the grace and tells
  how it went; should its word be lost, this alarm sends the offer to the officers' call list instead of leaving the
  package with nobody.
- An offer to be telephoned: none, it stands on the work list.
- A package that is open to all: LISTED_TOO_LONG, until an officer has been told or has something to decide.
- No live offer: NEXT_OFFER_DUE. After an offer's end the next provider follows by the event itself within
  milliseconds, and the alarm is there should that fail; while the brokerage is closed it is the opening; while the
  search is held it is the next opening, because a ranked list may go live by the date alone, and no view moves then.
"""

from datetime import datetime, timedelta
from typing import Final

from contracts.framework import OpenList
from sourcing.domain.draft import Course
from sourcing.domain.search import Offer, Search, SearchStatus
from sourcing.domain.steps import Alarm, AlarmKind, Cancelled

DELIVERY_SLACK: Final = timedelta(minutes=10)
"""Beyond the policy's grace: provider-registry may be restarting, and its word is better than our guess."""
NUDGE_SLACK: Final = timedelta(minutes=2)
"""How long an offer's end may go without a next step before the search looks by itself."""


def alarms_after(before: Search | None, course: Course) -> tuple[Alarm | Cancelled, ...]:
    """What must be set and taken back now that the step has been made."""
    return (*_offer_alarms(before, course), *_next_offer_alarms(before, course), *_listing_alarms(before, course))


def _offer_alarms(before: Search | None, course: Course) -> tuple[Alarm | Cancelled, ...]:
    """A live offer has one alarm; which one changes with its delivery, its channel and its end."""
    was = before.live_offer if before else None
    offer = course.search.live_offer
    old, new = _subject(was), _subject(offer)
    if offer and new and course.waits_to_redirect:
        return (Alarm(*new, at=course.calendar.opens_after(course.at)),)
    if old == new and (was and was.channel, was and was.answer_by) == (
        offer and offer.channel,
        offer and offer.answer_by,
    ):
        return ()
    cancelled = (Cancelled(*old),) if old and old != new else ()
    return (*cancelled, Alarm(*new, at=_due(course, offer))) if offer and new else cancelled


def _subject(offer: Offer | None) -> tuple[AlarmKind, str] | None:
    if offer is None or offer.awaits_call:
        return None
    return (AlarmKind.DELIVERY_OVERDUE if offer.awaits_delivery else AlarmKind.OFFER_EXPIRES, str(offer.offer_id))


def _due(course: Course, offer: Offer) -> datetime:
    if offer.answer_by is not None:
        return offer.answer_by
    since = max(offer.made_at, offer.redirected_at or offer.made_at)
    return since + course.definition.sequence_named(offer.stage).undeliverable_after + DELIVERY_SLACK


def _listing_alarms(before: Search | None, course: Course) -> tuple[Alarm | Cancelled, ...]:
    about, listing = str(course.search.package_id), course.search.listing
    was_listed = before is not None and before.status is SearchStatus.LISTED
    is_listed = course.search.status is SearchStatus.LISTED
    if was_listed == is_listed or listing is None:
        return ()
    if not is_listed:
        return (Cancelled(AlarmKind.LISTED_TOO_LONG, about),)
    stage = course.definition.stage_named(listing.stage)
    if not isinstance(stage, OpenList):
        return ()
    return (
        Alarm(AlarmKind.LISTED_TOO_LONG, about, course.calendar.next_opening(listing.listed_at + stage.alarm_after)),
    )


def _next_offer_alarms(before: Search | None, course: Course) -> tuple[Alarm | Cancelled, ...]:
    about = str(course.search.package_id)
    was_between_offers = before is not None and before.is_between_offers
    if not course.search.is_between_offers:
        return (Cancelled(AlarmKind.NEXT_OFFER_DUE, about),) if was_between_offers else ()
    due = _next_look(course, offer_has_just_ended=not was_between_offers)
    return (Alarm(AlarmKind.NEXT_OFFER_DUE, about, due),) if due else ()


def _next_look(course: Course, *, offer_has_just_ended: bool) -> datetime | None:
    calendar = course.market.calendar
    if course.looked_for_provider:
        return calendar.opens_after(course.at) if calendar else None
    if not offer_has_just_ended:
        return None
    soon = course.at + NUDGE_SLACK
    return soon if calendar is None or course.search.is_urgent else calendar.next_opening(soon)
