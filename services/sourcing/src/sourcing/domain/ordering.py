"""The order of a stage's providers: by ranked list, number, price, rotation or draw.

Every figure that decides is in the candidate, and the seed of the draw in the event, so that the order can be computed
again from the record.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final
from uuid import UUID

from contracts.events.searches import StageCandidate
from contracts.ids import AreaCode, LotKey, ProviderId, TierKey
from contracts.values import Order

NEEDS_NO_DRAW: Final = (Order.RANKED_LIST,)
"""A ranked list has no ties."""


@dataclass(frozen=True)
class Contender:
    """A provider that a stage asks, with the figures by which it can be ordered; None where a figure is not needed."""

    provider_id: ProviderId
    lot: LotKey
    tier: TierKey
    area: AreaCode
    tier_position: int = 0
    """The place of its tier among the tiers that the stage asks."""
    list_rank: int | None = None
    number: int | None = None
    price: Decimal | None = None
    last_award_at: datetime | None = None
    joined_on: date | None = None


SortKey = tuple[object, ...]
_LAST: Final = (1,)


def order_contenders(
    contenders: Iterable[Contender], order: Sequence[Order], seed: UUID | None
) -> tuple[StageCandidate, ...]:
    """Return the candidates in their order: tier after tier, then by each order in turn, then by the draw.

    A provider without the figure that decides comes after those that have it. Raises ValueError for a tie without a
    seed.
    """
    if seed is None and tuple(order) != NEEDS_NO_DRAW:
        message = "an order that can have ties needs a seed"
        raise ValueError(message)
    in_order = sorted(contenders, key=lambda each: _make_sort_key(each, order, seed))
    return tuple(_to_candidate(each, turn, order) for turn, each in enumerate(in_order, start=1))


def order_for_asking(contenders: Iterable[Contender]) -> tuple[StageCandidate, ...]:
    """Return providers that are asked at once: tier after tier, by the list's rank if there is one, else by id."""
    in_order = sorted(
        contenders, key=lambda each: (each.tier_position, _rank_figure(each.list_rank), str(each.provider_id))
    )
    return tuple(_to_candidate(each, turn, ()) for turn, each in enumerate(in_order, start=1))


def put_first(contenders: Sequence[Contender], designated: Contender) -> tuple[Contender, ...]:
    """Return the designated provider before all others, each provider once."""
    others = [each for each in contenders if each.provider_id != designated.provider_id]
    return (replace(designated, tier_position=-1), *others)


def compute_draw(seed: UUID, provider_id: ProviderId) -> str:
    """Compute a provider's place in the draw: the smaller text comes first."""
    return sha256(f"{seed}/{provider_id}".encode()).hexdigest()


def _make_sort_key(contender: Contender, order: Sequence[Order], seed: UUID | None) -> SortKey:
    draw = () if seed is None else (compute_draw(seed, contender.provider_id),)
    figures = (figure for each in order if each is not Order.DRAW for figure in (_FIGURES[each](contender),))
    return (contender.tier_position, *figures, *draw)


def _rank_figure(figure: int | Decimal | None) -> SortKey:
    return _LAST if figure is None else (0, figure)


def _rank_rotation(contender: Contender) -> SortKey:
    """Never awarded first, by joining date; then whose last award lies longest ago."""
    if contender.last_award_at is not None:
        return (1, contender.last_award_at)
    return (0, contender.joined_on or date.max)


_FIGURES: Final[Mapping[Order, Callable[[Contender], SortKey]]] = {
    Order.RANKED_LIST: lambda each: _rank_figure(each.list_rank),
    Order.NUMBER: lambda each: _rank_figure(each.number),
    Order.PRICE: lambda each: _rank_figure(each.price),
    Order.ROTATION: _rank_rotation,
}


def _to_candidate(contender: Contender, turn: int, order: Sequence[Order]) -> StageCandidate:
    by_rotation = Order.ROTATION in order
    return StageCandidate(
        provider_id=contender.provider_id,
        rank=turn,
        lot=contender.lot,
        tier=contender.tier,
        area=contender.area,
        number=contender.number if Order.NUMBER in order else None,
        price=contender.price if Order.PRICE in order else None,
        last_award_at=contender.last_award_at if by_rotation else None,
        joined_on=contender.joined_on if by_rotation else None,
    )
