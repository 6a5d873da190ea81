"""Checks offers: how many are live, in brokerage time, with the definition's time to answer from delivery on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from judge.events import REGISTRY, SOURCING, PackageHistory, RecordedEvent, parse_instant
from judge.rules import FrameworkRules

ENDS: Final = frozenset({"OfferAccepted", "OfferDeclined", "OfferExpired", "OfferWithdrawn"})
_PROCLAIMED: Final = "a bank holiday was proclaimed"
_MAX_EXPIRY_DELAY: Final = timedelta(minutes=1)
"""Latest expiry after an offer's end, unless the services were down."""


def check_live_offers(story: PackageHistory) -> Iterator[str]:
    """Check that one offer is live at a time, save in a stage that asks all its providers at once."""
    live = dict[str, str | None]()
    for event in story:
        if event.source != SOURCING:
            continue
        offer_id = event.data.get("offer_id")
        if event.kind == "OfferMade":
            together = event.data["stage"] if event.data["asks_all"] else None
            if live and (together is None or {*live.values()} != {together}):
                yield f"offer {offer_id} was made while {', '.join(live)} was live"
            live[event.data["offer_id"]] = together
        if event.kind in ENDS:
            if offer_id not in live:
                yield f"{event.kind} of {offer_id}, which was not live"
            live.pop(str(offer_id), None)


@dataclass(frozen=True)
class _LiveOffer:
    """The offer that can be answered now."""

    offer_id: str
    stage: str
    minutes: int
    delivered_at: datetime | None = None
    ends_at: datetime | None = None
    failed_calls: int = 0
    made_at: datetime | None = None
    """Set where all are asked at once: their time counts from the asking."""


def check_hours_and_deadlines(story: PackageHistory, rules: FrameworkRules, *, urgent: bool) -> Iterator[str]:
    offers = dict[str, _LiveOffer]()
    for event in story:
        offer_id = event.data.get("offer_id")
        if event.source == SOURCING and offer_id is not None:
            yield from _check_hours(event, rules, urgent=urgent)
            offer = _update_live_offer(offers.get(offer_id), event, rules, urgent=urgent)
            if offer is not None:
                offers[offer_id] = offer
                yield from _check_deadlines(offer, event, rules, urgent=urgent)
    yield from _check_deliveries(story)


def _check_hours(event: RecordedEvent, rules: FrameworkRules, *, urgent: bool) -> Iterator[str]:
    is_automatic = event.kind == "OfferRedirected" and event.data["to_channel"] != "phone"
    if (event.kind == "OfferMade" or is_automatic) and not urgent and not rules.present_hours.is_open(event.at):
        yield f"offer {event.data['offer_id']} went out at {event.at.isoformat()}, when the brokerage is closed"


def _update_live_offer(
    live: _LiveOffer | None, event: RecordedEvent, rules: FrameworkRules, *, urgent: bool
) -> _LiveOffer | None:
    if event.kind == "OfferMade":
        minutes = rules.get_minutes_to_answer(event.data["stage"], event.data["channel"], urgent=urgent)
        made_at = event.at if event.data["asks_all"] else None
        return _LiveOffer(event.data["offer_id"], event.data["stage"], minutes, made_at=made_at)
    if live is None:
        return None
    match event.kind:
        case "OfferRedirected":
            minutes = rules.get_minutes_to_answer(live.stage, event.data["to_channel"], urgent=urgent)
            return replace(live, minutes=minutes, ends_at=None)
        case "OfferClockStarted" | "OfferExtended":
            delivered = event.data.get("delivered_at")
            started = live.delivered_at if delivered is None else parse_instant(delivered)
            return replace(live, delivered_at=started, ends_at=parse_instant(event.data["answer_by"]))
        case "CallRecorded" if event.data["result"] == "nobody reached":
            return replace(live, failed_calls=live.failed_calls + 1)
        case _:
            return live


def _check_deadlines(live: _LiveOffer, event: RecordedEvent, rules: FrameworkRules, *, urgent: bool) -> Iterator[str]:
    if event.kind in {"OfferMade", "OfferRedirected"}:
        stated = event.data["answer_by"]
        if (stated["minutes"], stated["brokerage_time"]) != (live.minutes, not urgent):
            yield f"offer {live.offer_id} allows {stated['minutes']} minutes to answer, not {live.minutes}"
    if event.kind == "OfferClockStarted":
        begins = live.made_at or parse_instant(event.data["delivered_at"])
        right = _list_right_ends(begins, live.minutes, rules, urgent=urgent)
        if parse_instant(event.data["answer_by"]) not in right:
            yield f"offer {live.offer_id} can be answered until {event.data['answer_by']}, not {right[0].isoformat()}"
    if event.kind == "OfferExtended" and event.data.get("cause") == _PROCLAIMED:
        yield from _check_extension(live, event, rules)
    if event.kind in _answers_of(live) and live.ends_at is not None and event.at >= live.ends_at:
        ended = live.ends_at.isoformat()
        yield f"{event.kind} of {live.offer_id} was accepted at {event.at.isoformat()}, after its end at {ended}"
    if event.kind == "OfferExpired":
        yield from _check_expiry(live, event, rules, urgent=urgent)


def _answers_of(live: _LiveOffer) -> frozenset[str]:
    """Return the events that are the provider's own answers; where all are asked, its acceptance is decided later."""
    return frozenset({"OfferDeclined", "OfferAccepted" if live.made_at is None else "AcceptanceReceived"})


def _list_right_ends(delivered: datetime, minutes: int, rules: FrameworkRules, *, urgent: bool) -> list[datetime]:
    """List the ends that are right before and after a bank holiday is proclaimed; they differ on such days only."""
    if urgent:
        return [delivered + timedelta(minutes=minutes)]
    return [hours.add_open_minutes(delivered, minutes) for hours in (rules.hours, rules.present_hours)]


def _check_extension(live: _LiveOffer, event: RecordedEvent, rules: FrameworkRules) -> Iterator[str]:
    """Check that a proclaimed bank holiday extends the offer to the end that the changed calendar gives."""
    begins = live.made_at or live.delivered_at
    if begins is None:
        yield f"offer {live.offer_id} was extended by a bank holiday before its delivery"
        return
    right = rules.present_hours.add_open_minutes(begins, live.minutes)
    if parse_instant(event.data["answer_by"]) != right:
        yield f"offer {live.offer_id} was extended to {event.data['answer_by']}, not {right.isoformat()}"


def _check_expiry(live: _LiveOffer, event: RecordedEvent, rules: FrameworkRules, *, urgent: bool) -> Iterator[str]:
    ends_at, calls = live.ends_at, rules.get_calls_before_expiry(live.stage)
    if ends_at is None and live.made_at is not None:
        ends_at = _list_right_ends(live.made_at, live.minutes, rules, urgent=urgent)[-1]
    if ends_at is None:
        if live.failed_calls < calls:
            yield f"offer {live.offer_id} expired undelivered after {live.failed_calls} calls"
    elif not ends_at <= event.at <= ends_at + _MAX_EXPIRY_DELAY and live.failed_calls < calls:
        yield f"offer {live.offer_id} expired at {event.at.isoformat()}, its end was {ends_at.isoformat()}"


def _check_deliveries(story: PackageHistory) -> Iterator[str]:
    """Check that each answer clock starts at the delivery that the registry or an officer's call records."""
    answered = {
        (each.data["offer_id"], parse_instant(each.data["delivered_at"]))
        for each in story
        if each.source == REGISTRY and each.kind == "OfferDelivered"
    }
    reached = {
        (each.data["offer_id"], each.at)
        for each in story
        if each.kind == "CallRecorded" and each.data["result"] == "reached"
    }
    for event in story:
        if event.kind == "OfferClockStarted":
            known = event.data["offer_id"], parse_instant(event.data["delivered_at"])
            if known not in answered | reached:
                yield f"the clock of offer {event.data['offer_id']} started without a delivery"
