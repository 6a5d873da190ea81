"""Checks that each open package either waits for a future instant or is on the officers' work list."""

from collections.abc import Iterator, Mapping, Set
from datetime import datetime

from judge.events import PackageHistory, parse_instant, select_kinds
from judge.outcomes import is_open
from judge.rules import FrameworkRules


def check_open_package(
    story: PackageHistory, rules: FrameworkRules, *, work_list: Set[str], statuses: Mapping[str, str], now: datetime
) -> Iterator[str]:
    """Check one package. `statuses` holds sourcing's status of each open package, `work_list` the listed packages."""
    if not is_open(story):
        return
    package = story[0].key
    status = statuses.get(package, "unknown")
    if status in {"held", "exhausted"} and package not in work_list:
        yield f"{status} but not on the work list"
    elif status == "running" and package not in work_list:
        yield from _check_running(story, rules, now)
    elif status not in {"held", "exhausted", "running", "listed"}:
        yield f"open by the record, and {status} by sourcing"


def _check_running(story: PackageHistory, rules: FrameworkRules, now: datetime) -> Iterator[str]:
    """Check that a live offer ends in the future, and that without one the brokerage is closed."""
    made = select_kinds(story, "OfferMade")
    ended = {each.data["offer_id"] for each in select_kinds(story, "OfferDeclined", "OfferExpired", "OfferWithdrawn")}
    live = [each.data["offer_id"] for each in made if each.data["offer_id"] not in ended]
    if not live:
        if rules.present_hours.is_open(now):
            yield "has no live offer, although the brokerage is open"
        return
    started = select_kinds(story, "OfferClockStarted", "OfferExtended")
    ends = [parse_instant(each.data["answer_by"]) for each in started if each.data["offer_id"] == live[-1]]
    if ends and ends[-1] < now:
        yield f"offer {live[-1]} should have expired at {ends[-1].isoformat()}"
