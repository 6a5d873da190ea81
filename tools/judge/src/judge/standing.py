"""Nobody is forgotten: whatever is open waits for an instant that will come, or stands on the officers' work list."""

from collections.abc import Iterator, Mapping, Set
from datetime import datetime

from judge.outcomes import is_open
from judge.record import Story, instant, of_kind
from judge.rules import Rules


def nobody_is_forgotten(
    story: Story, rules: Rules, *, work_list: Set[str], statuses: Mapping[str, str], now: datetime
) -> Iterator[str]:
    """`statuses`: what sourcing says of each open package; `work_list`: the packages that are on it."""
    if not is_open(story):
        return
    package = story[0].key
    status = statuses.get(package, "unknown")
    if status in {"held", "exhausted"} and package not in work_list:
        yield f"{status}, and not on the work list"
    elif status == "running" and package not in work_list:
        yield from _waits_for_something(story, rules, now)
    elif status not in {"held", "exhausted", "running", "listed"}:
        yield f"open by the record, and {status} by sourcing"


def _waits_for_something(story: Story, rules: Rules, now: datetime) -> Iterator[str]:
    """A live offer has an end that is to come; without one the next offer waits for the opening."""
    made = of_kind(story, "OfferMade")
    ended = {each.data["offer_id"] for each in of_kind(story, "OfferDeclined", "OfferExpired", "OfferWithdrawn")}
    live = [each.data["offer_id"] for each in made if each.data["offer_id"] not in ended]
    if not live:
        if rules.calendar.is_open(now):
            yield "has no live offer, although the brokerage is open"
        return
    started = of_kind(story, "OfferClockStarted", "OfferExtended")
    ends = [instant(each.data["answer_by"]) for each in started if each.data["offer_id"] == live[-1]]
    if ends and ends[-1] < now:
        yield f"offer {live[-1]} should have expired at {ends[-1].isoformat()}"
