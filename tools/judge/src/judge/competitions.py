"""Checks competitions from the record alone: sealed bids open to their commitments, in time, and the best one wins."""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import Final

from judge.events import PackageHistory, RecordedEvent, parse_instant, select_kinds

_PENNY: Final = Decimal("0.01")


def check_competitions(story: PackageHistory) -> Iterator[str]:
    """Checks each competition of a package."""
    for opened in select_kinds(story, "CompetitionOpened"):
        own = [each for each in story if each.data.get("competition_id") == opened.data["competition_id"]]
        closes_at = find_close(own, opened)
        yield from _check_bids(own, opened)
        for each in select_kinds(own, "BidReceived"):
            if each.at >= closes_at:
                yield f"bid {each.data['bid_id']} was taken at {each.at.isoformat()}, after the close"
        for each in select_kinds(own, "CompetitionClosed"):
            if each.at < closes_at:
                yield f"closed at {each.at.isoformat()}, before {closes_at.isoformat()}"
        for ranked in select_kinds(own, "CompetitionRanked"):
            yield from _check_ranking(ranked, opened)


def _check_bids(own: PackageHistory, opened: RecordedEvent) -> Iterator[str]:
    """Checks that who bid was invited, and that the newest bid of each provider opens to what it committed to."""
    invited = {each["provider_id"] for each in opened.data["invited"]}
    newest = {each.data["provider_id"]: each.data for each in select_kinds(own, "BidReceived")}
    for provider in sorted(newest.keys() - invited):
        yield f"{provider} bid without an invitation"
    for each in select_kinds(own, "BidOpened"):
        bid = newest.get(each.data["provider_id"])
        if bid is None or bid["bid_id"] != each.data["bid_id"]:
            yield f"bid {each.data['bid_id']} was opened and is not the newest of its provider"
        elif bid["commitment"] != compute_commitment(each):
            yield f"bid {each.data['bid_id']} does not open to its commitment"


def compute_commitment(opened: RecordedEvent) -> str:
    """Computes the commitment of an opened bid: SHA-256 of the salt and the canonical JSON of the bid."""
    names = ("competition_id", "content_hash", "provider_id", "rate")
    canonical = json.dumps({name: opened.data[name] for name in names}, sort_keys=True, separators=(",", ":"))
    return sha256(f"{opened.data['salt']}{canonical}".encode()).hexdigest()


def _check_ranking(ranked: RecordedEvent, opened: RecordedEvent) -> Iterator[str]:
    """Checks the points for the price, the totals, and the order of suitable bids."""
    suitable = [each for each in ranked.data["ranking"] if not each["unsuitable"]]
    lowest = min((Decimal(each["rate"]) for each in suitable), default=Decimal(0))
    for each in suitable:
        exact = lowest / Decimal(each["rate"]) * opened.data["price_weight"] if Decimal(each["rate"]) else lowest
        if abs(Decimal(each["price"]) - exact.quantize(_PENNY, ROUND_HALF_UP)) > _PENNY:
            yield f"bid {each['bid_id']} has {each['price']} points for its price, not {exact.quantize(_PENNY)}"
        if Decimal(each["total"]) != Decimal(each["quality"]) + Decimal(each["price"]):
            yield f"bid {each['bid_id']} has {each['total']} points, which is not the sum"
    if opened.data["lowest_price"]:
        order = sorted(suitable, key=lambda each: (Decimal(each["rate"]), each["draw"]))
    else:
        order = sorted(suitable, key=lambda each: (-Decimal(each["total"]), each["draw"]))
    if [each["bid_id"] for each in order] != [each["bid_id"] for each in suitable]:
        yield "the ranking is not in the order of its figures"


def find_close(story: PackageHistory, opened: RecordedEvent) -> datetime:
    """Finds the instant of the close, as it was extended last."""
    extended = [
        each
        for each in select_kinds(story, "CompetitionExtended")
        if each.data["competition_id"] == opened.data["competition_id"]
    ]
    return parse_instant([opened, *extended][-1].data["closes_at"])


def check_open_competition(story: PackageHistory, *, is_on_work_list: bool, now: datetime) -> Iterator[str]:
    """Checks a package that is competed for: bids are taken until a future instant, or it is on the work list."""
    opened = select_kinds(story, "CompetitionOpened")
    if not opened:
        yield "competing by sourcing, and no competition was opened"
        return
    newest = opened[-1]
    closed = [each.data["competition_id"] for each in select_kinds(story, "CompetitionClosed")]
    closes_at = find_close(story, newest)
    if newest.data["competition_id"] not in closed:
        if closes_at < now:
            yield f"the competition should have closed at {closes_at.isoformat()}"
    elif not is_on_work_list:
        yield "the competition has closed, and the package is not on the work list"
