"""What the judge finds when the days are over, from Kafka, the services' HTTP pages and the receivers' log alone."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from calloff.client import ApiClient, ResponseModel
from contracts.catalogue import TOPICS
from devstack.home import FRAMEWORK_FILES
from devstack.names import AUDIT, REFERRAL, SOURCING
from devstack.screen import Screen
from judge import PACKAGES, Evidence, find_violations, verify_chains
from judge.events import PackageHistory, group_by_key
from judge.outcomes import Tally, count_outcomes, is_open
from judge.rules import read_rules
from simulator.officer import WorkList
from simulator.stack import Stage
from testkit.chain_checker import first_occurrences
from testkit.topics import Kept, everything_in

_READ: Final = 0.4
_JUDGED: Final = 0.9
"""Shares of the work."""


class _Status(ResponseModel):
    status: str


class _Part(ResponseModel):
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
    with screen.show_step("Judging all that happened") as step:
        records: list[Kept] = []
        for number, topic in enumerate(TOPICS, start=1):
            records += await everything_in(stage.kafka, topic)
            step.set_progress(_READ * number / len(TOPICS))
        stories = list(group_by_key(records, PACKAGES).values())
        # Lines of the receivers' log, as the judge reads them.
        receipts: list[dict[str, Any]] = [json.loads(line) for line in stage.config.home.webhook_log.open()]
        answers: list[dict[str, Any]] = [json.loads(line) for line in stage.config.home.answer_log.open()]
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
        violations = find_violations(evidence)
        step.set_progress(_JUDGED)
        ours, theirs = verify_chains(records), await _audit(officer, stage)
        violations += _disagreements(records, theirs, ours=ours)
    return Verdict(
        violations=violations,
        chains_verified=ours and theirs.verified,
        tally=count_outcomes(stories),
        events=Counter(said.kind for story in stories for said in story),
        receipts=Counter(f"{each['type']}, {each['receipt']}" for each in receipts),
    )


async def _work_list(officer: ApiClient, stage: Stage) -> frozenset[str]:
    answer = await officer.get(f"{stage.urls[SOURCING]}/v1/work-list", limit="200")
    return frozenset(str(each.package_id) for each in answer.parse(WorkList).items)


async def _referrals(stage: Stage) -> list[dict[str, Any]]:
    """All that the council sees, page by page."""
    council, url, found = stage.caller("council"), f"{stage.urls[REFERRAL]}/v1/referrals", list[dict[str, Any]]()
    cursor: str | None = ""
    while cursor is not None:
        page = json.loads((await council.get(url, limit="200", **({"cursor": cursor} if cursor else {}))).body)
        found += page["items"]
        cursor = page["next"]
    return found


async def _statuses(officer: ApiClient, stage: Stage, stories: Sequence[PackageHistory]) -> dict[str, str]:
    found: dict[str, str] = {}
    for story in stories:
        package = UUID(story[0].key)
        answer = await officer.get(f"{stage.urls[SOURCING]}/v1/packages/{package}/decision")
        found[str(package)] = answer.parse(_Status).status
    return found


async def _audit(officer: ApiClient, stage: Stage) -> _Part:
    """What audit says of its own copy, all parts together."""
    url, whole, cursor = f"{stage.urls[AUDIT]}/v1/verification", _Part(verified=True, records=0, next=None), ""
    while True:
        part = (await officer.get(url, **({"cursor": cursor} if cursor else {}))).parse(_Part)
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
