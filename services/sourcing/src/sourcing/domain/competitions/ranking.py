"""The result of a competition: points for quality and price by the declared weights, ties by a recorded draw.

All figures are computed from exact fractions and rounded once, half up, to two decimal places; the total is the sum of
the rounded figures, so that everybody can add them up.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from contracts.events.competitions import RankedBid, Unsuitable
from contracts.terms import round_half_up
from sourcing.domain.competitions.competition import Bid, Competition
from sourcing.domain.ordering import compute_draw

_NOTHING: Final = Decimal("0.00")


def compute_ranking(competition: Competition, seed: UUID) -> tuple[RankedBid, ...]:
    """Return the bids in their order: suitable ones by total, then by the draw; unsuitable ones after them.

    The lowest price of the suitable bids gets the whole weight of the price. Where the lowest price wins, nothing is
    scored and the lowest rate comes first. Raises ValueError for a sealed bid or a missing score.
    """
    unsuitable = {bid.bid_id: tuple(_find_faults(competition, bid)) for bid in competition.bids}
    rates = [bid.content.rate for bid in competition.bids if not unsuitable[bid.bid_id]]
    lowest = min(rates, default=None)
    scored = [_rank(competition, bid, lowest, unsuitable[bid.bid_id], seed) for bid in competition.bids]
    in_order = sorted(scored, key=lambda each: _make_sort_key(competition, each))
    return tuple(each.model_copy(update={"rank": rank}) for rank, each in enumerate(in_order, start=1))


def compute_quality(competition: Competition, bid: Bid) -> Decimal:
    """Return the points for the criteria: for each of them score ÷ highest score × weight."""
    points = sum(
        (Fraction(_get_score(bid, each.criterion) * each.weight, competition.highest_score))
        for each in competition.criteria
    )
    return round_half_up(Fraction(points))


def compute_price_points(rate: Decimal, lowest: Decimal, weight: int) -> Decimal:
    """Return the points for the price: lowest rate ÷ rate × weight, at most the weight. A rate of zero gets all."""
    if rate <= lowest:
        return round_half_up(Fraction(weight))
    return round_half_up(Fraction(lowest) / Fraction(rate) * weight)


def _rank(
    competition: Competition, bid: Bid, lowest: Decimal | None, unsuitable: Sequence[Unsuitable], seed: UUID
) -> RankedBid:
    rate, quality = bid.content.rate, compute_quality(competition, bid)
    counts = lowest is not None and not unsuitable
    price = compute_price_points(rate, lowest, competition.price_weight) if counts and lowest is not None else _NOTHING
    return RankedBid(
        bid_id=bid.bid_id,
        provider_id=bid.provider_id,
        rank=1,
        rate=rate,
        quality=quality,
        price=price,
        total=quality + price,
        draw=compute_draw(seed, bid.provider_id),
        unsuitable=tuple(unsuitable),
    )


def _find_faults(competition: Competition, bid: Bid) -> Iterator[Unsuitable]:
    """Find why the bid cannot win. Where quality counts, a rate above the ceiling needs a second officer instead."""
    if competition.lowest_price and bid.content.rate > competition.ceiling:
        yield Unsuitable.ABOVE_CEILING
    pass_mark = competition.pass_mark
    if pass_mark is not None and any(_get_score(bid, each.criterion) < pass_mark for each in competition.criteria):
        yield Unsuitable.SCORED_TOO_LOW


def _make_sort_key(competition: Competition, ranked: RankedBid) -> tuple[object, ...]:
    figure = ranked.rate if competition.lowest_price else -ranked.total
    return (bool(ranked.unsuitable), figure, ranked.draw)


def _get_score(bid: Bid, criterion: str) -> int:
    score = next((each.score for each in bid.scores if each.criterion == criterion), None)
    if score is None:
        message = f"bid {bid.bid_id} has no score for {criterion}"
        raise ValueError(message)
    return score
