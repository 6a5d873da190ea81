"""How the demonstration's providers answer lists, drawn from the seed, the provider and the row, never from ids.

A Batching List comes back in the evening, in the morning, at the last instant or late; some take a tick back, and some
tick nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Final
from uuid import UUID

from contracts.ids import UnitKey
from simulator.demo.behaviour import Bid, draw_bid, draw_bids
from simulator.webhook_receivers import PackageAdvert


class TickKind(StrEnum):
    """When and how a provider returns its row of a Batching List."""

    EVENING = "ticks in the evening"
    MORNING = "ticks in the morning"
    LAST_INSTANT = "ticks at the last instant"
    LATE = "ticks too late"
    TAKEN_BACK = "ticks and takes the tick back"
    TWICE = "ticks twice"
    NOTHING = "ticks nothing"


TICK_WEIGHTS: Final[Mapping[TickKind, int]] = {
    TickKind.EVENING: 12,
    TickKind.MORNING: 12,
    TickKind.LAST_INSTANT: 4,
    TickKind.LATE: 8,
    TickKind.TAKEN_BACK: 4,
    TickKind.TWICE: 4,
    TickKind.NOTHING: 56,
}
_HALF_AN_HOUR: Final = timedelta(minutes=30)
_ELSEWHERE_SHARE: Final = 0.02
"""Share of the packages outside their own areas for which providers propose."""


@dataclass(frozen=True)
class PlannedTick:
    """A provider's word about a row, and when it sends it."""

    at: datetime
    interested: bool = True


def draw_tick_kind(seed: int, provider_id: UUID, advert: PackageAdvert) -> TickKind:
    chance = Random(f"{seed}/tick/{provider_id}/{describe_advert(advert)}")
    return chance.choices(list(TICK_WEIGHTS), list(TICK_WEIGHTS.values()))[0]


def plan_ticks(kind: TickKind, *, now: datetime, closes_at: datetime) -> tuple[PlannedTick, ...]:
    """Plan what a provider sends for its row of a list that it got now."""
    evening, morning = now + _HALF_AN_HOUR, closes_at - _HALF_AN_HOUR
    return {
        TickKind.EVENING: (PlannedTick(evening),),
        TickKind.MORNING: (PlannedTick(morning),),
        TickKind.LAST_INSTANT: (PlannedTick(closes_at),),
        TickKind.LATE: (PlannedTick(closes_at + _HALF_AN_HOUR / 2),),
        TickKind.TAKEN_BACK: (PlannedTick(evening), PlannedTick(morning, interested=False)),
        TickKind.TWICE: (PlannedTick(evening), PlannedTick(morning)),
        TickKind.NOTHING: (),
    }[kind]


def draw_list_bids(
    seed: int, provider_id: UUID, advert: PackageAdvert, unit: UnitKey, *, day: str, is_own_area: bool
) -> tuple[Bid, ...]:
    """Draw the proposals for a row of a list of available packages; few providers go to other areas."""
    text = f"{day}/{describe_advert(advert)}"
    if is_own_area:
        return draw_bids(seed, provider_id, text, unit)
    chance = Random(f"{seed}/bid elsewhere/{provider_id}/{text}")
    return (draw_bid(chance, unit, delay=_HALF_AN_HOUR),) if chance.random() < _ELSEWHERE_SHARE else ()


def describe_advert(advert: PackageAdvert) -> str:
    """Describe a package without ids, so that the description is the same in every run."""
    return f"{advert.area}/{advert.weekly_hours}/{advert.age_band}/{'/'.join(advert.skills)}"
