"""How the demonstration's providers behave: drawn from the seed, the provider and what is asked, never from ids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Final
from uuid import UUID

from contracts.events.listings import Variation
from contracts.values import DeclineReason, PriceUnit
from simulator.behaviour import ALWAYS, USUAL, Answering, Behaviour, Receipt
from simulator.demo.market import is_reluctant

MINUTES_TO_ANSWER: Final = 15
MINUTES_TOO_LATE: Final = (30, 45, 60, 90)
"""At 30 the offer has just ended: it is answered in the very instant."""


class Manner(StrEnum):
    """One provider's way with one offer."""

    ACCEPTS = "accepts"
    DECLINES = "declines"
    SILENT = "never answers"
    LATE = "answers late"
    TWICE = "answers twice"
    REGRETS = "accepts, then declines"
    STUMBLES = "answers 500, then takes it"
    DOWN = "is down"
    BROKEN = "answers 500"
    HANGS = "hangs"


WEIGHTS: Final[Mapping[Manner, int]] = {
    Manner.ACCEPTS: 34,
    Manner.DECLINES: 33,
    Manner.SILENT: 6,
    Manner.LATE: 7,
    Manner.TWICE: 5,
    Manner.REGRETS: 2,
    Manner.STUMBLES: 4,
    Manner.DOWN: 2,
    Manner.BROKEN: 2,
    Manner.HANGS: 1,
}
_RELUCTANTLY: Final[Mapping[Manner, int]] = {**WEIGHTS, Manner.ACCEPTS: 4, Manner.TWICE: 1, Manner.DECLINES: 66}


@dataclass(frozen=True)
class Conduct:
    """What a provider does with one offer: how its system takes it, and what is said when, if anything."""

    manner: Manner
    receipt: Behaviour
    answers: tuple["Saying", ...] = ()


@dataclass(frozen=True)
class Saying:
    after: timedelta
    answering: Answering
    reason: DeclineReason | None = None


def conduct(seed: int, provider_id: UUID, about: str, area: str) -> Conduct:
    """The same for the same four. `about` is the care that is asked for, in words that the next run has too."""
    chance = Random(f"{seed}/manner/{provider_id}/{about}")
    weights = _RELUCTANTLY if is_reluctant(area) else WEIGHTS
    manner = chance.choices(list(weights), list(weights.values()))[0]
    return Conduct(manner, _receipt(manner, chance), _answers(manner, chance))


def _receipt(manner: Manner, chance: Random) -> Behaviour:
    takes = Behaviour(Answering.NEVER)
    return {
        Manner.STUMBLES: replace(takes, receipt=Receipt.ERROR, failures=chance.randint(1, 2)),
        Manner.BROKEN: replace(takes, receipt=Receipt.ERROR, failures=ALWAYS),
        Manner.DOWN: replace(takes, receipt=Receipt.CUT, failures=ALWAYS),
        Manner.HANGS: replace(takes, receipt=Receipt.HANGS, failures=1),
    }.get(manner, takes)


def _answers(manner: Manner, chance: Random) -> tuple[Saying, ...]:
    soon = timedelta(minutes=MINUTES_TO_ANSWER)
    late = timedelta(minutes=chance.choice(MINUTES_TOO_LATE))
    accepts, declines = Saying(soon, Answering.ACCEPT), Saying(soon, Answering.DECLINE, _a_reason(chance))
    again = replace(accepts, after=soon + timedelta(minutes=15))
    return {
        Manner.DECLINES: (declines,),
        Manner.LATE: (replace(chance.choice((accepts, declines)), after=late),),
        Manner.TWICE: (accepts, again),
        Manner.REGRETS: (accepts, replace(declines, after=soon + timedelta(minutes=15))),
        Manner.SILENT: (),
        Manner.DOWN: (),
        Manner.BROKEN: (),
    }.get(manner, (accepts,))


def _a_reason(chance: Random) -> DeclineReason:
    return chance.choice(list(DeclineReason))


@dataclass(frozen=True)
class Bid:
    """What a provider proposes for an open package, and when."""

    after: timedelta
    rate: Decimal
    variations: tuple[Variation, ...]


_INTERESTED: Final = 0.45
_THINKS_AGAIN: Final = 0.15


def bids(seed: int, provider_id: UUID, about: str, unit: PriceUnit) -> tuple[Bid, ...]:
    """None, one, or a second one that replaces the first."""
    chance = Random(f"{seed}/bid/{provider_id}/{about}")
    if chance.random() > _INTERESTED:
        return ()
    first = _bid(chance, unit, after=timedelta(minutes=15 * chance.randint(1, 6)))
    if chance.random() > _THINKS_AGAIN:
        return (first,)
    return first, _bid(chance, unit, after=first.after + timedelta(minutes=30))


def _bid(chance: Random, unit: PriceUnit, *, after: timedelta) -> Bid:
    rate = (USUAL[unit] * chance.randint(96, 122) / 100).quantize(Decimal("0.01"))
    return Bid(after, rate, tuple(chance.sample(list(Variation), chance.choice((0, 0, 1)))))
