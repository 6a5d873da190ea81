"""Judges what the stack did, from what others can see of it alone; nothing here is imported from `services/`.

It reads Kafka, the receivers' log, the framework's definition file and a few HTTP pages, and computes everything anew:
a judge that used the services' own code would share their mistakes. A story is everything that was said about one
package, first occurrences in the order in which Kafka has them. Across producers a topic is ordered by cause, so each
producer's part is judged by itself; sourcing's part holds the rules.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from judge import money, offers, open_list, outcomes, webhooks
from judge import offer_order as turns
from judge import open_packages as standing
from judge import responses as others
from judge.events import PackageHistory, RecordedEvent, group_by_key, select_kinds
from judge.market import MarketHistory
from judge.responses import JsonObject
from judge.rules import FrameworkRules, RuleBook
from judge.webhooks import Receipt
from testkit.chain_checker import faults_in
from testkit.topics import Kept

PACKAGES: Final = "homecare.packages.v1"
PROVIDERS: Final = "homecare.providers.v1"
FRAMEWORKS: Final = "homecare.frameworks.v1"
RATES: Final = "homecare.rates.v1"
PARKED: Final = "homecare.parked.v1"
_CHECKS_WITHOUT_RULES: Final[Sequence[Callable[[PackageHistory], Iterator[str]]]] = (
    turns.check_list_order,
    offers.check_one_live_offer,
    outcomes.check_one_end,
    outcomes.check_withdrawals,
)
"""Rules that a story keeps or breaks whatever the framework says."""


@dataclass(frozen=True)
class Evidence:
    """All that the judge gets to see."""

    records: Sequence[Kept]
    receipts: Sequence[Receipt]
    rules: RuleBook
    now: datetime
    """When everything was looked at, by the services' clock."""
    work_list: Set[str] = frozenset()
    statuses: Mapping[str, str] = field(default_factory=dict[str, str])
    """What sourcing says of each package that is open by the record."""
    answers: Sequence[JsonObject] = ()
    """The log of what providers were told when they answered."""
    referrals: Sequence[JsonObject] = ()
    """What the council's API lists."""


def find_faults(
    records: Sequence[Kept],
    receipts: Iterable[Receipt],
    answers: Iterable[JsonObject] = (),
    referrals: Iterable[JsonObject] = (),
) -> list[str]:
    """What is wrong by itself, a line each: broken chains, broken rules of call-off, what others were told wrongly.

    `receipts` is the log of the providers' receivers, `answers` that of what they were told when they answered,
    `referrals` what the council's API lists.
    """
    receipts, stories = list(receipts), group_by_key(records, PACKAGES)
    return [
        *faults_in(_select_chained(records)),
        *(fault for key, story in stories.items() for fault in _prefix_package(key, _check_without_rules(story))),
        *webhooks.check_signatures(receipts),
        *webhooks.check_recipients(stories.values(), receipts),
        *others.check_provider_responses(stories, answers),
        *others.check_council_view(stories, referrals),
    ]


def find_violations(evidence: Evidence) -> list[str]:
    """Everything that is wrong, a line each, also by the framework's rules and by what was known when."""
    packages = group_by_key(evidence.records, PACKAGES)
    market = MarketHistory(
        group_by_key(evidence.records, PROVIDERS), group_by_key(evidence.records, RATES), list(packages.values())
    )
    lists = turns.collect_ranked_lists(group_by_key(evidence.records, FRAMEWORKS))
    by_rules = (
        fault
        for key, story in packages.items()
        for fault in _prefix_package(key, _check_by_rules(story, evidence, market, lists))
    )
    return [
        *find_faults(evidence.records, evidence.receipts, evidence.answers, evidence.referrals),
        *by_rules,
        *webhooks.check_deliveries(packages.values(), evidence.receipts),
        *webhooks.check_open_list_webhooks(list(packages.values()), evidence.receipts, market),
        *(f"key {record.key} was parked" for record in evidence.records if record.topic == PARKED),
    ]


def verify_chains(records: Sequence[Kept]) -> bool:
    """Every stream of every topic: no gap, every hash as its bytes make it, repeats with the same bytes."""
    return not faults_in(_select_chained(records))


def _select_chained(records: Sequence[Kept]) -> list[Kept]:
    """A parked event's copy is for eyes only."""
    return [record for record in records if record.topic != PARKED]


def count_placed(records: Sequence[Kept]) -> int:
    """How many packages have a standing placement."""
    return outcomes.count_outcomes(list(group_by_key(records, PACKAGES).values())).placed.total()


def _check_without_rules(story: PackageHistory) -> Iterator[str]:
    for rule in _CHECKS_WITHOUT_RULES:
        yield from rule(story)


def _check_by_rules(
    story: PackageHistory, evidence: Evidence, market: MarketHistory, lists: turns.RankedLists
) -> Iterator[str]:
    requests = select_kinds(story, "PackageRequested")
    if not requests:
        yield "nobody has requested it"
        return
    request = requests[0]
    care = request.data["care"]
    rules = _find_rules(story, request, evidence.rules)
    if rules is None:
        yield "its search stands on a definition that nobody has"
        return
    urgent = care["urgency"] != "routine"
    yield from turns.check_lists_used(story, care, rules, lists)
    yield from turns.check_reasons(story, request, rules, market)
    yield from turns.check_reasons_at_award(story, request, rules, market)
    yield from offers.check_hours_and_deadlines(story, rules, urgent=urgent)
    yield from money.check_offer_prices(story, care, rules, market)
    yield from money.check_proposal_prices(story, care, rules)
    yield from money.check_placement_terms(story)
    yield from money.check_purchase_orders(story)
    yield from open_list.check_ceilings(story, request, rules)
    yield from open_list.check_awards(story, request, rules, market)
    yield from standing.check_open_package(
        story, rules, work_list=evidence.work_list, statuses=evidence.statuses, now=evidence.now
    )


def _find_rules(story: PackageHistory, request: RecordedEvent, book: RuleBook) -> FrameworkRules | None:
    """Those that the search started with; of one that has not started, the newest."""
    framework = request.data["care"]["framework"]
    started = select_kinds(story, "SourcingStarted")
    versions = [version for name, version in book if name == framework]
    version = started[0].data["definition_version"] if started else max(versions, default=0)
    return book.get((framework, version))


def _prefix_package(key: str, faults: Iterable[str]) -> Iterator[str]:
    return (f"package {key}: {fault}" for fault in faults)
