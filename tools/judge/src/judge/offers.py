"""One offer at a time, in brokerage time, with the time to answer that the definition gives, from the delivery on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from judge.record import REGISTRY, SOURCING, Said, Story, instant
from judge.rules import Rules

ENDS: Final = frozenset({"OfferAccepted", "OfferDeclined", "OfferExpired", "OfferWithdrawn"})
_LATE: Final = timedelta(minutes=1)
"""So long after an offer's end it has expired at the latest, unless we were down."""


def one_at_a_time(story: Story) -> Iterator[str]:
    live: str | None = None
    for said in story:
        if said.source != SOURCING:
            continue
        if said.kind == "OfferMade":
            if live is not None:
                yield f"offer {said.data['offer_id']} was made while {live} was live"
            live = said.data["offer_id"]
        if said.kind in ENDS:
            if said.data["offer_id"] != live:
                yield f"{said.kind} of {said.data['offer_id']}, which was not live"
            live = None


@dataclass(frozen=True)
class _Live:
    """The offer that can be answered now."""

    offer_id: str
    stage: str
    minutes: int
    ends_at: datetime | None = None
    nobody_reached: int = 0


def hours_and_deadlines(story: Story, rules: Rules, *, urgent: bool) -> Iterator[str]:
    live: _Live | None = None
    for said in story:
        if said.source == SOURCING:
            yield from _hours(said, rules, urgent=urgent)
            live = _after(live, said, rules, urgent=urgent)
            if live is not None and said.data.get("offer_id") == live.offer_id:
                yield from _deadlines(live, said, rules, urgent=urgent)
    yield from _deliveries(story)


def _hours(said: Said, rules: Rules, *, urgent: bool) -> Iterator[str]:
    goes_by_itself = said.kind == "OfferRedirected" and said.data["to_channel"] != "phone"
    if (said.kind == "OfferMade" or goes_by_itself) and not urgent and not rules.calendar.is_open(said.at):
        yield f"offer {said.data['offer_id']} went out at {said.at.isoformat()}, when the brokerage is closed"


def _after(live: _Live | None, said: Said, rules: Rules, *, urgent: bool) -> _Live | None:
    if said.kind == "OfferMade":
        minutes = rules.minutes_to_answer(said.data["stage"], said.data["channel"], urgent=urgent)
        return _Live(said.data["offer_id"], said.data["stage"], minutes)
    if live is None or said.data.get("offer_id") != live.offer_id:
        return live
    match said.kind:
        case "OfferRedirected":
            minutes = rules.minutes_to_answer(live.stage, said.data["to_channel"], urgent=urgent)
            return replace(live, minutes=minutes, ends_at=None)
        case "OfferClockStarted" | "OfferExtended":
            return replace(live, ends_at=instant(said.data["answer_by"]))
        case "CallRecorded" if said.data["result"] == "nobody reached":
            return replace(live, nobody_reached=live.nobody_reached + 1)
        case _:
            return live


def _deadlines(live: _Live, said: Said, rules: Rules, *, urgent: bool) -> Iterator[str]:
    if said.kind in {"OfferMade", "OfferRedirected"}:
        stated = said.data["answer_by"]
        if (stated["minutes"], stated["brokerage_time"]) != (live.minutes, not urgent):
            yield f"offer {live.offer_id} gives {stated['minutes']} minutes to answer, not {live.minutes}"
    if said.kind == "OfferClockStarted":
        delivered = instant(said.data["delivered_at"])
        right = delivered + timedelta(minutes=live.minutes)
        right = right if urgent else rules.calendar.after(delivered, live.minutes)
        if instant(said.data["answer_by"]) != right:
            yield f"offer {live.offer_id} can be answered until {said.data['answer_by']}, not {right.isoformat()}"
    if said.kind in {"OfferAccepted", "OfferDeclined"} and live.ends_at is not None and said.at >= live.ends_at:
        ended = live.ends_at.isoformat()
        yield f"{said.kind} of {live.offer_id} counted at {said.at.isoformat()}; it had ended at {ended}"
    if said.kind == "OfferExpired":
        yield from _expiry(live, said, rules)


def _expiry(live: _Live, said: Said, rules: Rules) -> Iterator[str]:
    if live.ends_at is None:
        if live.nobody_reached < rules.calls_before_expiry(live.stage):
            yield f"offer {live.offer_id} expired without having been delivered, after {live.nobody_reached} calls"
    elif not live.ends_at <= said.at <= live.ends_at + _LATE:
        yield f"offer {live.offer_id} expired at {said.at.isoformat()}, its end was {live.ends_at.isoformat()}"


def _deliveries(story: Story) -> Iterator[str]:
    """The clock starts with what the register, or an officer's call, says of the delivery."""
    told = {
        (each.data["offer_id"], instant(each.data["delivered_at"]))
        for each in story
        if each.source == REGISTRY and each.kind == "OfferDelivered"
    }
    reached = {
        (each.data["offer_id"], each.at)
        for each in story
        if each.kind == "CallRecorded" and each.data["result"] == "reached"
    }
    for said in story:
        if said.kind == "OfferClockStarted":
            known = said.data["offer_id"], instant(said.data["delivered_at"])
            if known not in told | reached:
                yield f"the clock of offer {said.data['offer_id']} started without a delivery"
