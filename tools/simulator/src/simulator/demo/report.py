"""The demonstration's output: tables for people and a last line of JSON for programs."""

import json
from collections.abc import Iterable, Mapping

from rich.console import RenderableType
from rich.table import Table

from simulator.demo.run import DemoResult

_STAGES = {"tier_1": "tier-1", "ticked": "batching-list", "tier_2": "tier-2", "spot": "available-packages"}
_OFFERS = {
    "made": "OfferMade",
    "delivered by webhook": "OfferDelivered",
    "undeliverable": "OfferUndeliverable",
    "sent on by telephone": "OfferRedirected",
    "accepted": "OfferAccepted",
    "declined": "OfferDeclined",
    "expired": "OfferExpired",
    "withdrawn or barred": "OfferWithdrawn",
    "late answers, on record": "LateAnswerRefused",
    "providers passed over": "ProviderPassedOver",
    "telephone calls": "CallRecorded",
}
_LISTS = {
    "packages on lists": "ListRowAdded",
    "taken off, because tier 1 was exhausted": "ListRowRemoved",
    "ticks in time": "InterestRegistered",
    "ticks taken back": "InterestWithdrawn",
    "ticks not used, on record": "InterestNotUsed",
    "closed for a package": "InterestClosed",
}
_MONEY = {
    "listed as open": "PackageListed",
    "proposals": "ProposalReceived",
    "proposals refused": "ProposalRefused",
    "awards that needed a second officer": "AwardAwaitsApproval",
    "prices approved": "SpotPriceApproved",
    "prices refused": "SpotPriceRefused",
    "awards barred": "AwardRefused",
    "packages awarded": "ProposalAwarded",
    "purchase orders": "PurchaseOrderIssued",
    "purchase orders cancelled": "PurchaseOrderCancelled",
}


def build_tables(ending: DemoResult) -> Iterable[RenderableType]:
    """Build the tables of outcomes, events, webhooks and durations."""
    by_procedure = ending.verdict.by_procedure
    yield _build_outcome_table(ending)
    yield _build_framework_table(ending)
    yield _build_count_table("Placements by procedure", [(each, each) for each in by_procedure], by_procedure)
    yield _build_count_table("Offers", _OFFERS.items(), ending.verdict.events)
    yield _build_list_table(ending)
    yield _build_count_table("Open list and prices", _MONEY.items(), ending.verdict.events)
    yield _build_webhook_table(ending)
    yield _build_run_table(ending)


def _build_outcome_table(ending: DemoResult) -> Table:
    tally = ending.verdict.tally
    table = Table("packages", "", title="Where Essex's packages are", title_justify="left", min_width=44)
    table.columns[1].justify = "right"
    table.add_row("requested", str(tally.referrals))
    for name, stage in _STAGES.items():
        table.add_row(f"  placed in {name.replace('_', ' ')}", str(tally.placed[stage]))
    table.add_row("  withdrawn", str(tally.withdrawn))
    table.add_row("  open", str(tally.open))
    return table


def _build_framework_table(ending: DemoResult) -> Table:
    names = ("framework", "referrals", "placed", "open", "withdrawn")
    table = Table(*names, title="All councils", title_justify="left", min_width=44)
    for framework, tally in ending.verdict.by_framework.items():
        table.add_row(framework, str(tally.referrals), str(tally.placed.total()), str(tally.open), str(tally.withdrawn))
    return table


def _build_count_table(title: str, labels: Iterable[tuple[str, str]], counts: Mapping[str, int]) -> Table:
    table = Table("what", "times", title=title, title_justify="left", min_width=44)
    table.columns[1].justify = "right"
    for label, kind in labels:
        table.add_row(label, str(counts.get(kind, 0)))
    return table


def _build_list_table(ending: DemoResult) -> Table:
    table = _build_count_table("Lists", _LISTS.items(), ending.verdict.events)
    table.add_row("Batching Lists", str(ending.verdict.batching_lists))
    table.add_row("lists of available packages", str(ending.verdict.available_lists))
    table.add_row("workbooks returned", str(ending.verdict.returned_lists))
    return table


def _build_webhook_table(ending: DemoResult) -> Table:
    table = Table(
        "request", "times", title="Webhook requests to providers' systems", title_justify="left", min_width=44
    )
    table.columns[1].justify = "right"
    for label, count in sorted(ending.verdict.webhook_requests.items()):
        table.add_row(label, str(count))
    return table


def _build_run_table(ending: DemoResult) -> Table:
    table = Table("what", "", title="Simulation", title_justify="left", min_width=44)
    table.columns[1].justify = "right"
    run = ending.clock_run
    for name, seconds in ending.durations.items():
        table.add_row(name, f"{seconds:.1f} s")
    table.add_row("steps of the clock", str(run.steps))
    table.add_row("acts of participants", str(run.acts))
    table.add_row("polls of the services", str(run.rounds))
    table.add_row("violations", str(len(ending.verdict.violations)))
    return table


def render_summary(ending: DemoResult) -> str:
    verdict = ending.verdict
    return json.dumps(
        {
            "referrals": verdict.tally.referrals,
            "placed": {name: verdict.tally.placed[stage] for name, stage in _STAGES.items()},
            "withdrawn": verdict.tally.withdrawn,
            "open": verdict.tally.open,
            "offers": verdict.tally.offers,
            "violations": len(verdict.violations),
            "chains_verified": verdict.chains_verified,
            "by_framework": {
                framework: {
                    "referrals": tally.referrals,
                    "placed": tally.placed.total(),
                    "open": tally.open,
                    "withdrawn": tally.withdrawn,
                }
                for framework, tally in verdict.by_framework.items()
            },
            "by_procedure": dict(verdict.by_procedure),
            "batching_lists": verdict.batching_lists,
            "available_lists": verdict.available_lists,
            "workbooks": verdict.returned_lists,
            "simulated_days": ending.days,
            "wall_s": round(ending.wall_seconds, 1),
        },
        separators=(",", ":"),
    )
