"""The behaviour of the demonstration's providers, drawn from the seed, the provider and the care, never from ids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Final
from uuid import UUID

from contracts.example_words import DeclineReasons, Variations
from contracts.ids import ReasonKey, UnitKey
from simulator.behaviour import EVERY_ATTEMPT, USUAL_RATES, Behaviour, OfferAnswer, WebhookReaction
from simulator.demo.market import is_keen, is_reluctant

ANSWER_DELAY_MINUTES: Final = 15
LATE_DELAYS_MINUTES: Final = (30, 45, 60, 90)
"""An answer after 30 minutes arrives at the instant at which the offer expires."""


class DemoBehaviourKind(StrEnum):
    """The kinds of behaviour that are drawn by weight."""

    ACCEPTS = "accepts"
    DECLINES = "declines"
    SILENT = "never answers"
    LATE = "answers late"
    ACCEPTS_TWICE = "answers twice"
    ACCEPTS_THEN_DECLINES = "accepts, then declines"
    FAILS_FIRST = "answers 500, then acknowledges"
    DOWN = "is down"
    ALWAYS_FAILS = "answers 500"
    HANGS = "hangs"


BEHAVIOUR_WEIGHTS: Final[Mapping[DemoBehaviourKind, int]] = {
    DemoBehaviourKind.ACCEPTS: 34,
    DemoBehaviourKind.DECLINES: 33,
    DemoBehaviourKind.SILENT: 6,
    DemoBehaviourKind.LATE: 7,
    DemoBehaviourKind.ACCEPTS_TWICE: 5,
    DemoBehaviourKind.ACCEPTS_THEN_DECLINES: 2,
    DemoBehaviourKind.FAILS_FIRST: 4,
    DemoBehaviourKind.DOWN: 2,
    DemoBehaviourKind.ALWAYS_FAILS: 2,
    DemoBehaviourKind.HANGS: 1,
}
_RELUCTANT_WEIGHTS: Final[Mapping[DemoBehaviourKind, int]] = {
    **BEHAVIOUR_WEIGHTS,
    DemoBehaviourKind.ACCEPTS: 4,
    DemoBehaviourKind.ACCEPTS_TWICE: 1,
    DemoBehaviourKind.DECLINES: 66,
}


_KEEN_WEIGHTS: Final[Mapping[DemoBehaviourKind, int]] = {
    **BEHAVIOUR_WEIGHTS,
    DemoBehaviourKind.ACCEPTS: 60,
    DemoBehaviourKind.DECLINES: 12,
}


@dataclass(frozen=True)
class OfferBehaviour:
    """How one provider handles one offer: the reaction to the webhook and the planned answers."""

    kind: DemoBehaviourKind
    reaction: Behaviour
    answers: tuple["PlannedAnswer", ...] = ()


@dataclass(frozen=True)
class PlannedAnswer:
    delay: timedelta
    answer: OfferAnswer
    reason: ReasonKey | None = None


def draw_offer_behaviour(
    seed: int, provider_id: UUID, care_text: str, area: str, *, earlier_offers: int = 0
) -> OfferBehaviour:
    """Draw the behaviour. `care_text` describes the requested care without ids, so that it is the same in every run.

    A provider that was offered the care before has ticked it since, and accepts more likely.
    """
    again = f"/{earlier_offers}" if earlier_offers else ""
    chance = Random(f"{seed}/manner/{provider_id}/{care_text}{again}")
    weights = _RELUCTANT_WEIGHTS if is_reluctant(area) else _KEEN_WEIGHTS if is_keen(area) else BEHAVIOUR_WEIGHTS
    weights = _KEEN_WEIGHTS if again else weights
    kind = chance.choices(list(weights), list(weights.values()))[0]
    return OfferBehaviour(kind, _choose_reaction(kind, chance), _plan_answers(kind, chance))


def _choose_reaction(kind: DemoBehaviourKind, chance: Random) -> Behaviour:
    acknowledges = Behaviour(OfferAnswer.NEVER)
    return {
        DemoBehaviourKind.FAILS_FIRST: replace(
            acknowledges, reaction=WebhookReaction.ERROR, failed_attempts=chance.randint(1, 2)
        ),
        DemoBehaviourKind.ALWAYS_FAILS: replace(
            acknowledges, reaction=WebhookReaction.ERROR, failed_attempts=EVERY_ATTEMPT
        ),
        DemoBehaviourKind.DOWN: replace(
            acknowledges, reaction=WebhookReaction.CONNECTION_CUT, failed_attempts=EVERY_ATTEMPT
        ),
        DemoBehaviourKind.HANGS: replace(acknowledges, reaction=WebhookReaction.NO_RESPONSE, failed_attempts=1),
    }.get(kind, acknowledges)


def _plan_answers(kind: DemoBehaviourKind, chance: Random) -> tuple[PlannedAnswer, ...]:
    soon = timedelta(minutes=ANSWER_DELAY_MINUTES)
    late = timedelta(minutes=chance.choice(LATE_DELAYS_MINUTES))
    accepts, declines = (
        PlannedAnswer(soon, OfferAnswer.ACCEPT),
        PlannedAnswer(soon, OfferAnswer.DECLINE, _draw_reason(chance)),
    )
    second_accept = replace(accepts, delay=soon + timedelta(minutes=15))
    return {
        DemoBehaviourKind.DECLINES: (declines,),
        DemoBehaviourKind.LATE: (replace(chance.choice((accepts, declines)), delay=late),),
        DemoBehaviourKind.ACCEPTS_TWICE: (accepts, second_accept),
        DemoBehaviourKind.ACCEPTS_THEN_DECLINES: (accepts, replace(declines, delay=soon + timedelta(minutes=15))),
        DemoBehaviourKind.SILENT: (),
        DemoBehaviourKind.DOWN: (),
        DemoBehaviourKind.ALWAYS_FAILS: (),
    }.get(kind, (accepts,))


def _draw_reason(chance: Random) -> ReasonKey:
    return chance.choice(DeclineReasons.ALL)


@dataclass(frozen=True)
class Bid:
    """A proposal for an open package and the delay before it is sent."""

    delay: timedelta
    rate: Decimal
    variations: tuple[ReasonKey, ...]


_INTERESTED_SHARE: Final = 0.45
_SECOND_BID_SHARE: Final = 0.15


def draw_bids(seed: int, provider_id: UUID, advert_text: str, unit: UnitKey) -> tuple[Bid, ...]:
    """Draw no bid, one, or a second one that replaces the first."""
    chance = Random(f"{seed}/bid/{provider_id}/{advert_text}")
    if chance.random() > _INTERESTED_SHARE:
        return ()
    first = draw_bid(chance, unit, delay=timedelta(minutes=15 * chance.randint(1, 6)))
    if chance.random() > _SECOND_BID_SHARE:
        return (first,)
    return first, draw_bid(chance, unit, delay=first.delay + timedelta(minutes=30))


def draw_bid(chance: Random, unit: UnitKey, *, delay: timedelta) -> Bid:
    """Draw a proposal around the usual rate."""
    rate = (USUAL_RATES[unit] * chance.randint(96, 122) / 100).quantize(Decimal("0.01"))
    return Bid(delay, rate, tuple(chance.sample(Variations.ALL, chance.choice((0, 0, 1)))))
