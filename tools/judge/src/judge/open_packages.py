"""Checks that each open package either waits for a future instant or is on the officers' work list."""

from collections.abc import Iterator, Mapping, Set
from datetime import datetime

from judge.batching_rows import find_stage, select_rows
from judge.competitions import check_open_competition
from judge.events import PackageHistory, parse_instant, select_kinds
from judge.list_rules import read_batching_list
from judge.offer_order import select_sourcing
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
    elif status == "competing":
        yield from check_open_competition(story, is_on_work_list=package in work_list, now=now)
    elif status not in {"held", "exhausted", "running", "listed"}:
        yield f"open by the record, and {status} by sourcing"


def _waits_for_list(story: PackageHistory, rules: FrameworkRules, now: datetime) -> bool:
    """Return whether the package waits for today's Batching List, or for the return of the one that it is on."""
    batching, hours = read_batching_list(rules), rules.present_hours
    if batching is None or select_kinds(story, "PackageRequested")[0].data["care"]["urgent"]:
        return False
    rows = select_rows(story)
    if rows:
        return now <= parse_instant(rows[0].data["closes_at"])
    stage = find_stage(select_sourcing(story))
    is_with = stage is not None and stage.data["stage"] == batching.taken_from and bool(stage.data["candidates"])
    return is_with and now <= hours.to_instant(hours.get_day(now), batching.cut_off)


def _check_running(story: PackageHistory, rules: FrameworkRules, now: datetime) -> Iterator[str]:
    """Check that live offers end in the future, and that without one the brokerage is closed."""
    made = select_kinds(story, "OfferMade")
    kinds = ("OfferDeclined", "OfferExpired", "OfferWithdrawn", "AcceptanceReceived")
    ended = {each.data["offer_id"] for each in select_kinds(story, *kinds)}
    live = [each.data["offer_id"] for each in made if each.data["offer_id"] not in ended]
    if not live:
        if rules.present_hours.is_open(now) and not _waits_for_list(story, rules, now):
            yield "has no live offer, although the brokerage is open"
        return
    started = select_kinds(story, "OfferClockStarted", "OfferExtended")
    ends = {each.data["offer_id"]: parse_instant(each.data["answer_by"]) for each in started}
    for offer_id in live:
        if offer_id in ends and ends[offer_id] < now:
            yield f"offer {offer_id} should have expired at {ends[offer_id].isoformat()}"
