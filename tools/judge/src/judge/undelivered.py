"""Checks the time to deliver: what is not delivered counts as undeliverable, no sooner and no later than it should."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from judge.events import SOURCING, PackageHistory, RecordedEvent, parse_instant
from judge.offers import ENDS
from judge.rules import FrameworkRules

_SLACK_MINUTES: Final = 2
"""How long after the grace an offer may still be where it was, unless the services were down."""
_DELIVERED: Final = frozenset({"OfferClockStarted", "AcceptanceReceived", *ENDS})


@dataclass(frozen=True)
class _Sent:
    """An offer that was sent and not yet delivered."""

    stage: str
    channel: str
    at: datetime


def check_undeliverable(story: PackageHistory, rules: FrameworkRules, *, urgent: bool, now: datetime) -> Iterator[str]:
    """Check each offer that counts as undeliverable, and each that is undelivered at `now`."""
    sent: dict[str, _Sent] = {}
    stages = dict[str, str]()
    for event in story:
        offer_id = event.data.get("offer_id")
        if event.source == SOURCING and event.kind in {"OfferMade", "OfferRedirected"}:
            stages[event.data["offer_id"]] = stages.get(event.data["offer_id"]) or event.data["stage"]
            yield from _check_stated_grace(event, stages[event.data["offer_id"]], rules)
            channel = event.data["channel" if event.kind == "OfferMade" else "to_channel"]
            sent[event.data["offer_id"]] = _Sent(stages[event.data["offer_id"]], channel, event.at)
        if event.kind in _DELIVERED:
            sent.pop(str(offer_id), None)
        if event.kind == "OfferUndeliverable" and offer_id in stages:
            yield from _check_grace(event, stages[event.data["offer_id"]], rules)
    for offer_id, each in sent.items():
        yield from _check_still_undelivered(offer_id, each, rules, urgent=urgent, now=now)


def _check_stated_grace(event: RecordedEvent, stage: str, rules: FrameworkRules) -> Iterator[str]:
    stated, right = event.data["deliver_within_minutes"], rules.get_minutes_to_deliver(stage)
    if stated != right:
        yield f"offer {event.data['offer_id']} is to be delivered within {stated} minutes, not {right}"


def _check_grace(event: RecordedEvent, stage: str, rules: FrameworkRules) -> Iterator[str]:
    """Check that the whole grace has passed since the first attempt, if there was one."""
    first = event.data["first_attempt_at"]
    if first is None:
        return
    earliest = parse_instant(first) + timedelta(minutes=rules.get_minutes_to_deliver(stage))
    if event.at < earliest:
        yield f"offer {event.data['offer_id']} counts as undeliverable at {event.at.isoformat()}, before its time"


def _check_still_undelivered(
    offer_id: str, sent: _Sent, rules: FrameworkRules, *, urgent: bool, now: datetime
) -> Iterator[str]:
    """Check that an offer that was not delivered in time has gone on to another channel; telephones have no grace.

    While the brokerage is closed, a routine offer waits for the opening.
    """
    if sent.channel == "phone" or not (urgent or rules.present_hours.is_open(now)):
        return
    minutes = rules.get_minutes_to_deliver(sent.stage) + _SLACK_MINUTES
    plain = sent.at + timedelta(minutes=minutes)
    latest = plain if urgent else max(plain, rules.present_hours.add_open_minutes(sent.at, minutes))
    if now > latest:
        yield f"offer {offer_id} is undelivered by {sent.channel} since {sent.at.isoformat()}, and was not called on"
