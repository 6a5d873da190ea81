"""The judge's verdict on a demonstration, from Kafka, the services' HTTP API and the logs of the simulated systems."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from calloff.client import ApiClient, ResponseModel
from contracts.catalogue import TOPICS
from devstack.councils import COUNCILS, DEFAULT_COUNCIL, list_framework_files
from devstack.issuer.identities import make_client_id
from devstack.names import AUDIT, REFERRAL, SOURCING
from devstack.screen import Screen
from judge import LISTS, PACKAGES, Evidence, find_violations, verify_chains
from judge.events import PackageHistory, group_by_key
from judge.outcomes import Tally, count_outcomes, count_procedures, get_framework, group_by_framework, is_open
from judge.rules import read_rules
from judge.sent_lists import count_issued
from simulator.definitions import load_definition
from simulator.officer import WorkList
from simulator.stack import ServiceStack
from testkit.chain_checker import remove_repeats
from testkit.topics import TopicRecord, read_topic

_READING_SHARE: Final = 0.4
_JUDGING_SHARE: Final = 0.9
"""Progress after reading and after judging."""


class _DecisionStatus(ResponseModel):
    status: str


class _VerificationPage(ResponseModel):
    verified: bool
    records: int
    next: str | None


@dataclass(frozen=True)
class Verdict:
    """Violations of the rules, and counts."""

    violations: Sequence[str]
    chains_verified: bool
    tally: Tally
    """Of the default council's packages."""
    by_framework: Mapping[str, Tally]
    by_procedure: Mapping[str, int]
    """Number of placements, of all councils."""
    events: Mapping[str, int]
    """Number of package events by kind."""
    webhook_requests: Mapping[str, int]
    """Number of webhook requests by type and reaction."""
    batching_lists: int
    """Number of Batching Lists that went out."""
    available_lists: int
    """Number of lists of available packages that went out."""
    returned_lists: int
    """Number of workbooks of lists that came back."""


async def reach_verdict(stack: ServiceStack, now: datetime, screen: Screen) -> Verdict:
    with screen.show_step("Judging the record") as step:
        records: list[TopicRecord] = []
        for number, topic in enumerate(TOPICS, start=1):
            records += await read_topic(stack.kafka, topic)
            step.set_progress(_READING_SHARE * number / len(TOPICS))
        stories = list(group_by_key(records, PACKAGES).values())
        lists = list(group_by_key(records, LISTS).values())
        # Entries of the webhook log in the judge's format.
        receipts: list[dict[str, Any]] = [json.loads(line) for line in stack.config.home.webhook_log.open()]
        answers: list[dict[str, Any]] = [json.loads(line) for line in stack.config.home.answer_log.open()]
        officers = {council: stack.create_client(make_client_id(council, "officer")) for council in COUNCILS}
        rules = read_rules(list_framework_files())
        work_lists = [await _fetch_work_list(each, stack) for each in officers.values()]
        evidence = Evidence(
            records=records,
            webhook_requests=receipts,
            rules=rules,
            now=now,
            work_list=frozenset(package for listed in work_lists for package in listed),
            answers=answers,
            referrals=[each for council in COUNCILS for each in await _fetch_referrals(stack, council)],
            statuses=await _fetch_statuses(officers, stack, [story for story in stories if is_open(story)]),
        )
        violations = find_violations(evidence)
        step.set_progress(_JUDGING_SHARE)
        judge_verified, audit = verify_chains(records), await _fetch_verification(officers[DEFAULT_COUNCIL], stack)
        violations += _compare_verification(records, audit, judge_verified=judge_verified)
    grouped, frameworks = group_by_framework(stories), [load_definition(council).framework for council in COUNCILS]
    return Verdict(
        violations=violations,
        chains_verified=judge_verified and audit.verified,
        tally=count_outcomes(grouped.get(frameworks[0], ())),
        by_framework={framework: count_outcomes(grouped.get(framework, ())) for framework in frameworks},
        by_procedure=count_procedures(stories, rules),
        events=Counter(event.kind for story in stories for event in story),
        batching_lists=count_issued(lists, "BatchingListIssued"),
        available_lists=count_issued(lists, "AvailablePackagesIssued"),
        returned_lists=sum(event.kind == "ListReturned" for history in lists for event in history),
        webhook_requests=Counter(f"{each['type']}, {each['reaction']}" for each in receipts),
    )


async def _fetch_work_list(officer: ApiClient, stack: ServiceStack) -> frozenset[str]:
    response = await officer.get(f"{stack.urls[SOURCING]}/v1/work-list", limit="200")
    return frozenset(str(each.package_id) for each in response.parse(WorkList).items)


async def _fetch_referrals(stack: ServiceStack, council: str) -> list[dict[str, Any]]:
    """Fetch all pages of the council's referrals."""
    client, url, referrals = (
        stack.create_client(make_client_id(council, "council")),
        f"{stack.urls[REFERRAL]}/v1/referrals",
        list[dict[str, Any]](),
    )
    cursor: str | None = ""
    while cursor is not None:
        page = json.loads((await client.get(url, limit="200", **({"cursor": cursor} if cursor else {}))).body)
        referrals += page["items"]
        cursor = page["next"]
    return referrals


async def _fetch_statuses(
    officers: Mapping[str, ApiClient], stack: ServiceStack, stories: Sequence[PackageHistory]
) -> dict[str, str]:
    councils = {str(load_definition(council).framework): council for council in COUNCILS}
    statuses: dict[str, str] = {}
    for story in stories:
        package, officer = UUID(story[0].key), officers[councils[get_framework(story)]]
        answer = await officer.get(f"{stack.urls[SOURCING]}/v1/packages/{package}/decision")
        statuses[str(package)] = answer.parse(_DecisionStatus).status
    return statuses


async def _fetch_verification(officer: ApiClient, stack: ServiceStack) -> _VerificationPage:
    """Fetch audit's verification of its own copy, summed over all pages."""
    url, total, cursor = (
        f"{stack.urls[AUDIT]}/v1/verification",
        _VerificationPage(verified=True, records=0, next=None),
        "",
    )
    while True:
        part = (await officer.get(url, **({"cursor": cursor} if cursor else {}))).parse(_VerificationPage)
        verified = total.verified and part.verified
        total = _VerificationPage(verified=verified, records=total.records + part.records, next=None)
        if part.next is None:
            return total
        cursor = part.next


def _compare_verification(
    records: Sequence[TopicRecord], audit: _VerificationPage, *, judge_verified: bool
) -> list[str]:
    """Compare audit's copy with Kafka: both must hold the same records and agree on the chains."""
    differences = (
        []
        if audit.verified == judge_verified
        else [f"audit says verified={audit.verified}, the judge {judge_verified}"]
    )
    record_counts = len(records), len(remove_repeats(records))
    if audit.records not in record_counts:
        differences.append(f"audit has {audit.records} records, Kafka {record_counts[0]}")
    return differences
