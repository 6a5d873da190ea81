"""What is told at the end: tables for people, and a last line for programs."""

import json
from collections.abc import Iterable

from rich.console import RenderableType
from rich.table import Table

from simulator.demo.run import Ending

_STAGES = {"tier_1": "tier-1", "tier_2": "tier-2", "spot": "available-packages"}
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
_MONEY = {
    "open to all": "PackageListed",
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


def tables(ending: Ending) -> Iterable[RenderableType]:
    """What happened, how it was played, and what the judge says."""
    yield _outcomes(ending)
    yield _counted("Offers", _OFFERS.items(), ending)
    yield _counted("The open list and the money", _MONEY.items(), ending)
    yield _requests(ending)
    yield _journey(ending)


def _outcomes(ending: Ending) -> Table:
    counted = ending.verdict.tally
    table = Table("packages", "", title="Where the packages are", title_justify="left", min_width=44)
    table.columns[1].justify = "right"
    table.add_row("requested", str(counted.referrals))
    for name, stage in _STAGES.items():
        table.add_row(f"  placed in {name.replace('_', ' ')}", str(counted.placed[stage]))
    table.add_row("  withdrawn", str(counted.withdrawn))
    table.add_row("  open", str(counted.open))
    return table


def _counted(title: str, names: Iterable[tuple[str, str]], ending: Ending) -> Table:
    table = Table("what", "times", title=title, title_justify="left", min_width=44)
    table.columns[1].justify = "right"
    for told, kind in names:
        table.add_row(told, str(ending.verdict.events.get(kind, 0)))
    return table


def _requests(ending: Ending) -> Table:
    table = Table(
        "request", "times", title="Webhooks, as providers' systems took them", title_justify="left", min_width=44
    )
    table.columns[1].justify = "right"
    for told, count in sorted(ending.verdict.receipts.items()):
        table.add_row(told, str(count))
    return table


def _journey(ending: Ending) -> Table:
    table = Table("what", "", title="How it was played", title_justify="left", min_width=44)
    table.columns[1].justify = "right"
    journey = ending.journey
    for name, seconds in ending.took.items():
        table.add_row(name, f"{seconds:.1f} s")
    table.add_row("steps of the clock", str(journey.steps))
    table.add_row("acts of people", str(journey.acts))
    table.add_row("looks at the services", str(journey.rounds))
    table.add_row("violations", str(len(ending.verdict.violations)))
    return table


def last_line(ending: Ending) -> str:
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
            "simulated_days": ending.days,
            "wall_s": round(ending.wall_seconds, 1),
        },
        separators=(",", ":"),
    )
