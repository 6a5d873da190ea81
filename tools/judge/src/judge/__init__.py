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

from judge import money, offers, open_list, others, outcomes, standing, turns, webhooks
from judge.market import Market
from judge.others import Read
from judge.record import Said, Story, of_kind, stories_in
from judge.rules import RuleBook, Rules
from judge.webhooks import Receipt
from testkit.chain_checker import faults_in
from testkit.topics import Kept

PACKAGES: Final = "homecare.packages.v1"
PROVIDERS: Final = "homecare.providers.v1"
FRAMEWORKS: Final = "homecare.frameworks.v1"
RATES: Final = "homecare.rates.v1"
PARKED: Final = "homecare.parked.v1"
_BY_THEMSELVES: Final[Sequence[Callable[[Story], Iterator[str]]]] = (
    turns.order_of_asking,
    offers.one_at_a_time,
    outcomes.one_end,
    outcomes.withdrawal_is_answered,
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
    answers: Sequence[Read] = ()
    """The log of what providers were told when they answered."""
    referrals: Sequence[Read] = ()
    """What the council's API lists."""


def faults_of(
    records: Sequence[Kept],
    receipts: Iterable[Receipt],
    answers: Iterable[Read] = (),
    referrals: Iterable[Read] = (),
) -> list[str]:
    """What is wrong by itself, a line each: broken chains, broken rules of call-off, what others were told wrongly.

    `receipts` is the log of the providers' receivers, `answers` that of what they were told when they answered,
    `referrals` what the council's API lists.
    """
    receipts, stories = list(receipts), stories_in(records, PACKAGES)
    return [
        *faults_in(_chained(records)),
        *(fault for key, story in stories.items() for fault in _told(key, _by_themselves(story))),
        *webhooks.signed(receipts),
        *webhooks.to_the_right_provider(stories.values(), receipts),
        *others.told_without_reason(stories, answers),
        *others.shown_otherwise(stories, referrals),
    ]


def violations_in(evidence: Evidence) -> list[str]:
    """Everything that is wrong, a line each, also by the framework's rules and by what was known when."""
    packages = stories_in(evidence.records, PACKAGES)
    market = Market(
        stories_in(evidence.records, PROVIDERS), stories_in(evidence.records, RATES), list(packages.values())
    )
    lists = turns.lists_in(stories_in(evidence.records, FRAMEWORKS))
    by_rules = (
        fault for key, story in packages.items() for fault in _told(key, _by_the_rules(story, evidence, market, lists))
    )
    return [
        *faults_of(evidence.records, evidence.receipts, evidence.answers, evidence.referrals),
        *by_rules,
        *webhooks.delivered_as_told(packages.values(), evidence.receipts),
        *webhooks.open_to_all(list(packages.values()), evidence.receipts, market),
        *(f"key {record.key} was parked" for record in evidence.records if record.topic == PARKED),
    ]


def chains_hold(records: Sequence[Kept]) -> bool:
    """Every stream of every topic: no gap, every hash as its bytes make it, repeats with the same bytes."""
    return not faults_in(_chained(records))


def _chained(records: Sequence[Kept]) -> list[Kept]:
    """A parked event's copy is for eyes only."""
    return [record for record in records if record.topic != PARKED]


def placed(records: Sequence[Kept]) -> int:
    """How many packages have a standing placement."""
    return outcomes.tally(list(stories_in(records, PACKAGES).values())).placed.total()


def _by_themselves(story: Story) -> Iterator[str]:
    for rule in _BY_THEMSELVES:
        yield from rule(story)


def _by_the_rules(story: Story, evidence: Evidence, market: Market, lists: turns.Lists) -> Iterator[str]:
    requests = of_kind(story, "PackageRequested")
    if not requests:
        yield "nobody has requested it"
        return
    request = requests[0]
    care = request.data["care"]
    rules = _rules_of(story, request, evidence.rules)
    if rules is None:
        yield "its search stands on a definition that nobody has"
        return
    urgent = care["urgency"] != "routine"
    yield from turns.lists_used(story, care, rules, lists)
    yield from turns.truth_of_turns(story, request, rules, market)
    yield from turns.truth_of_awards(story, request, rules, market)
    yield from offers.hours_and_deadlines(story, rules, urgent=urgent)
    yield from money.offers_cost_what_they_should(story, care, rules, market)
    yield from money.proposals_cost_what_they_should(story, care, rules)
    yield from money.placements_keep_their_terms(story)
    yield from money.orders_follow_placements(story)
    yield from open_list.listed_with_the_right_ceiling(story, request, rules)
    yield from open_list.awards(story, request, rules, market)
    yield from standing.nobody_is_forgotten(
        story, rules, work_list=evidence.work_list, statuses=evidence.statuses, now=evidence.now
    )


def _rules_of(story: Story, request: Said, book: RuleBook) -> Rules | None:
    """Those that the search started with; of one that has not started, the newest."""
    framework = request.data["care"]["framework"]
    started = of_kind(story, "SourcingStarted")
    versions = [version for name, version in book if name == framework]
    version = started[0].data["definition_version"] if started else max(versions, default=0)
    return book.get((framework, version))


def _told(key: str, faults: Iterable[str]) -> Iterator[str]:
    return (f"package {key}: {fault}" for fault in faults)
