"""What the judge finds when the days are over, from Kafka, the services' HTTP pages and the receivers' log alone."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from calloff.client import Caller, Reading
from contracts.catalogue import TOPICS
from devstack.home import FRAMEWORK_FILES
from devstack.names import AUDIT, REFERRAL, SOURCING
from devstack.screen import Screen
from judge import PACKAGES, Evidence, chains_hold, violations_in
from judge.outcomes import Tally, is_open, tally
from judge.record import Story, stories_in
from judge.rules import read_rules
from simulator.officer import WorkList
from simulator.test_stack import Stage
from testkit.chain_checker import first_occurrences
from testkit.topics import Kept, everything_in

_READ: Final = 0.4
_JUDGED: Final = 0.9
"""Shares of the work."""


class _Status(Reading):
    status: str


class _Part(Reading):
    verified: bool
    records: int
    next: str | None


@dataclass(frozen=True)
class Verdict:
    """What was wrong, and what there is to count."""

    violations: Sequence[str]
    chains_verified: bool
    tally: Tally
    events: Mapping[str, int]
    """How often each kind of event was said about a package."""
    receipts: Mapping[str, int]
    """How often requests to providers' systems ended in each way."""


async def reach_verdict(stage: Stage, now: datetime, screen: Screen) -> Verdict:
    with screen.step("Judging all that happened") as step:
        records: list[Kept] = []
        for number, topic in enumerate(TOPICS, start=1):
            records += await everything_in(stage.kafka, topic)
            step.at(_READ * number / len(TOPICS))
        stories = list(stories_in(records, PACKAGES).values())
        # Lines of the receivers' log, as the judge reads them.
        receipts: list[dict[str, Any]] = [json.loads(line) for line in stage.around.home.received.open()]
        answers: list[dict[str, Any]] = [json.loads(line) for line in stage.around.home.answered.open()]
        officer = stage.caller("officer")
        evidence = Evidence(
            records=records,
            receipts=receipts,
            rules=read_rules(FRAMEWORK_FILES),
            now=now,
            work_list=await _work_list(officer, stage),
            answers=answers,
            referrals=await _referrals(stage),
            statuses=await _statuses(officer, stage, [story for story in stories if is_open(story)]),
        )
        violations = violations_in(evidence)
        step.at(_JUDGED)
        ours, theirs = chains_hold(records), await _audit(officer, stage)
        violations += _disagreements(records, theirs, ours=ours)
    return Verdict(
        violations=violations,
        chains_verified=ours and theirs.verified,
        tally=tally(stories),
        events=Counter(said.kind for story in stories for said in story),
        receipts=Counter(f"{each['type']}, {each['receipt']}" for each in receipts),
    )


async def _work_list(officer: Caller, stage: Stage) -> frozenset[str]:
    answer = await officer.get(f"{stage.urls[SOURCING]}/v1/work-list", limit="200")
    return frozenset(str(each.package_id) for each in answer.as_(WorkList).items)


async def _referrals(stage: Stage) -> list[dict[str, Any]]:
    """All that the council sees, page by page."""
    council, url, found = stage.caller("council"), f"{stage.urls[REFERRAL]}/v1/referrals", list[dict[str, Any]]()
    cursor: str | None = ""
    while cursor is not None:
        page = json.loads((await council.get(url, limit="200", **({"cursor": cursor} if cursor else {}))).body)
        found += page["items"]
        cursor = page["next"]
    return found


async def _statuses(officer: Caller, stage: Stage, stories: Sequence[Story]) -> dict[str, str]:
    found: dict[str, str] = {}
    for story in stories:
        package = UUID(story[0].key)
        answer = await officer.get(f"{stage.urls[SOURCING]}/v1/packages/{package}/decision")
        found[str(package)] = answer.as_(_Status).status
    return found


async def _audit(officer: Caller, stage: Stage) -> _Part:
    """What audit says of its own copy, all parts together."""
    url, whole, cursor = f"{stage.urls[AUDIT]}/v1/verification", _Part(verified=True, records=0, next=None), ""
    while True:
        part = (await officer.get(url, **({"cursor": cursor} if cursor else {}))).as_(_Part)
        verified = whole.verified and part.verified
        whole = _Part(verified=verified, records=whole.records + part.records, next=None)
        if part.next is None:
            return whole
        cursor = part.next


def _disagreements(records: Sequence[Kept], theirs: _Part, *, ours: bool) -> list[str]:
    """Audit keeps the record apart from those who made it: it has to have seen what we have seen."""
    found = [] if theirs.verified == ours else [f"audit says verified={theirs.verified}, the judge {ours}"]
    known = len(records), len(first_occurrences(records))
    if theirs.records not in known:
        found.append(f"audit has {theirs.records} records, Kafka {known[0]}")
    return found
