"""Checks what the stack did from its published record; imports no service.

The judge reads Kafka, the logs of the simulated systems, the framework's definition file and a few HTTP pages, and
recomputes every result: the services' own code would repeat their mistakes. The history of a package is all its events
without repeats, in the order of the topic. Events of different producers are ordered by cause only, so each producer's
events are checked separately; sourcing's events contain the decisions.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from judge import (
    acceptances,
    adverts,
    batching_rows,
    competitions,
    dated_lists,
    money,
    offer_order,
    offers,
    open_list,
    open_packages,
    outcomes,
    responses,
    sent_lists,
    stage_order,
    suspension,
    ticks,
    undelivered,
    webhooks,
)
from judge.events import PackageHistory, group_by_key, select_kinds
from judge.list_rules import read_batching_list
from judge.market import MarketHistory
from judge.responses import JsonObject
from judge.rules import FrameworkRules, RuleBook
from judge.webhooks import LoggedRequest
from testkit.chain_checker import find_chain_faults
from testkit.topics import TopicRecord

PACKAGES: Final = "homecare.packages.v1"
PROVIDERS: Final = "homecare.providers.v1"
FRAMEWORKS: Final = "homecare.frameworks.v1"
RATES: Final = "homecare.rates.v1"
LISTS: Final = "homecare.lists.v1"
PARKED: Final = "homecare.parked.v1"
_STORY_CHECKS: Final[Sequence[Callable[[PackageHistory], Iterator[str]]]] = (
    offer_order.check_list_order,
    offers.check_live_offers,
    outcomes.check_one_end,
    competitions.check_competitions,
    outcomes.check_withdrawals,
)
"""Checks that do not depend on the framework's rules."""


@dataclass(frozen=True)
class Evidence:
    """The input of the judge."""

    records: Sequence[TopicRecord]
    webhook_requests: Sequence[LoggedRequest]
    rules: RuleBook
    now: datetime
    """When the evidence was collected, by the services' clock."""
    work_list: Set[str] = frozenset()
    statuses: Mapping[str, str] = field(default_factory=dict[str, str])
    """The status that sourcing returns for each package that is open in the record."""
    answers: Sequence[JsonObject] = ()
    """The answer log: the responses to providers' requests."""
    referrals: Sequence[JsonObject] = ()
    """The referrals that the council's API lists."""


def find_faults(
    records: Sequence[TopicRecord],
    webhook_requests: Iterable[LoggedRequest],
    answers: Iterable[JsonObject] = (),
    referrals: Iterable[JsonObject] = (),
) -> list[str]:
    """Find faults that need no rules of a framework: broken chains, broken rules of call-off, wrong responses.

    `requests` is the webhook log, `answers` the answer log, `referrals` what the council's API lists.
    """
    webhook_requests, answers = list(webhook_requests), list(answers)
    stories, lists = group_by_key(records, PACKAGES), group_by_key(records, LISTS)
    return [
        *find_chain_faults(_select_chained(records)),
        *(fault for key, story in stories.items() for fault in _add_package_prefix(key, _check_without_rules(story))),
        *webhooks.check_signatures(webhook_requests),
        *webhooks.check_recipients(stories.values(), webhook_requests),
        *webhooks.check_list_webhooks(lists, stories.keys(), webhook_requests),
        *responses.check_provider_responses(stories, answers),
        *responses.check_tick_responses(stories, lists, answers),
        *responses.check_council_referrals(stories, referrals),
    ]


def find_violations(evidence: Evidence) -> list[str]:
    """Find all faults, including those against the framework's rules and the state of the market at the time."""
    packages = group_by_key(evidence.records, PACKAGES)
    market = MarketHistory(
        group_by_key(evidence.records, PROVIDERS), group_by_key(evidence.records, RATES), list(packages.values())
    )
    lists = stage_order.collect_ranked_lists(group_by_key(evidence.records, FRAMEWORKS))
    by_rules = (
        fault
        for key, story in packages.items()
        for fault in _add_package_prefix(key, _check_by_rules(story, evidence, market, lists))
    )
    return [
        *find_faults(evidence.records, evidence.webhook_requests, evidence.answers, evidence.referrals),
        *by_rules,
        *webhooks.check_deliveries(packages.values(), evidence.webhook_requests),
        *webhooks.check_open_list_webhooks(
            list(packages.values()), evidence.webhook_requests, market, lambda story: _find_rules(story, evidence.rules)
        ),
        *adverts.check_references(packages.values()),
        *sent_lists.check_lists(
            group_by_key(evidence.records, LISTS), list(packages.values()), evidence.rules, market, evidence.now
        ),
        *(f"key {record.key} was parked" for record in evidence.records if record.topic == PARKED),
    ]


def verify_chains(records: Sequence[TopicRecord]) -> bool:
    """Return whether every stream of every topic has no gap, correct hashes and identical repeats."""
    return not find_chain_faults(_select_chained(records))


def _select_chained(records: Sequence[TopicRecord]) -> list[TopicRecord]:
    """Select the records that belong to a chain; copies of parked events do not."""
    return [record for record in records if record.topic != PARKED]


def count_placed(records: Sequence[TopicRecord]) -> int:
    """Count the packages with a placement that is not voided."""
    return outcomes.count_outcomes(list(group_by_key(records, PACKAGES).values())).placed.total()


def _check_without_rules(story: PackageHistory) -> Iterator[str]:
    for rule in _STORY_CHECKS:
        yield from rule(story)


def _check_by_rules(
    story: PackageHistory, evidence: Evidence, market: MarketHistory, lists: stage_order.RankedLists
) -> Iterator[str]:
    requests = select_kinds(story, "PackageRequested")
    if not requests:
        yield "it has no PackageRequested"
        return
    request = requests[0]
    care = request.data["care"]
    rules = _find_rules(story, evidence.rules)
    if rules is None:
        yield "its search uses a definition that is unknown"
        return
    urgent = care["urgent"]
    yield from stage_order.check_stages(story, care, rules)
    yield from stage_order.check_candidates(story, request, rules, market, lists)
    yield from acceptances.check_acceptances(story, request, rules, market)
    yield from offer_order.check_reasons(story, request, rules, market)
    yield from offer_order.check_reasons_at_award(story, request, rules, market)
    yield from offers.check_hours_and_deadlines(story, rules, urgent=urgent)
    yield from undelivered.check_undeliverable(story, rules, urgent=urgent, now=evidence.now)
    yield from money.check_offer_prices(story, care, rules, market)
    yield from money.check_proposal_prices(story, care, rules)
    yield from money.check_placement_terms(story)
    yield from money.check_purchase_orders(story)
    yield from open_list.check_ceilings(story, request, rules)
    yield from open_list.check_awards(story, request, rules, market)
    yield from adverts.check_adverts(story, care, rules)
    yield from dated_lists.check_dated_lists(story, rules, evidence.now)
    yield from _check_batching_list(story, rules, urgent=urgent, now=evidence.now)
    yield from open_packages.check_open_package(
        story, rules, work_list=evidence.work_list, statuses=evidence.statuses, now=evidence.now
    )


def _check_batching_list(story: PackageHistory, rules: FrameworkRules, *, urgent: bool, now: datetime) -> Iterator[str]:
    batching = read_batching_list(rules)
    if batching is None:
        yield from (f"is on a Batching List, which {rules.framework} has not" for _ in batching_rows.select_rows(story))
        return
    yield from batching_rows.check_batching_rows(story, rules, batching, now)
    yield from ticks.check_ticks(story, now)
    yield from suspension.check_suspension(story, rules, batching, urgent=urgent, now=now)


def _find_rules(story: PackageHistory, book: RuleBook) -> FrameworkRules | None:
    """Return the rules that the search started with, or the newest if it has not started, with proclaimed holidays.

    None without a request or a definition.
    """
    requests = select_kinds(story, "PackageRequested")
    if not requests:
        return None
    framework = requests[0].data["care"]["framework"]
    started = select_kinds(story, "SourcingStarted")
    versions = [version for name, version in book if name == framework]
    version = started[0].data["definition_version"] if started else max(versions, default=0)
    rules = book.get((framework, version))
    return None if rules is None else rules.add_proclaimed_holidays(book.values())


def _add_package_prefix(key: str, faults: Iterable[str]) -> Iterator[str]:
    return (f"package {key}: {fault}" for fault in faults)
