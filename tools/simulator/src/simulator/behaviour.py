"""The behaviour of a simulated provider, which depends on the seed, the provider and the offer only."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Final
from uuid import UUID

from contracts.example_words import DeclineReasons, Units, Variations
from contracts.ids import ReasonKey, UnitKey


class WebhookReaction(StrEnum):
    """What a provider's system does with a webhook request."""

    ACKNOWLEDGED = "acknowledged"
    ERROR = "answers 500"
    CONNECTION_CUT = "cuts the connection"
    NO_RESPONSE = "sends no response"


class OfferAnswer(StrEnum):
    """The provider's answer to an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"
    NEVER = "never answers"


@dataclass(frozen=True)
class Behaviour:
    """How one provider handles one offer. The first `failed_attempts` webhook requests are not acknowledged."""

    answer: OfferAnswer
    decline_reason: ReasonKey | None = None
    delay_seconds: float = 0.0
    answer_count: int = 1
    reaction: WebhookReaction = WebhookReaction.ACKNOWLEDGED
    failed_attempts: int = 0

    def get_reaction(self, attempt: int) -> WebhookReaction:
        """Return the reaction to the request number `attempt`, counted from 1."""
        return self.reaction if attempt <= self.failed_attempts else WebhookReaction.ACKNOWLEDGED


EVERY_ATTEMPT: Final = 1_000_000


class BehaviourKind(StrEnum):
    """The kinds of behaviour that are drawn by weight."""

    ACCEPTS = "accepts at once"
    DECLINES = "declines with a reason"
    SLOW = "accepts slowly"
    ACCEPTS_TWICE = "accepts twice"
    FAILS_FIRST = "answers 500 before it acknowledges the webhook"
    SILENT = "acknowledges the webhook and never answers"
    DOWN = "cuts every connection"


BEHAVIOUR_WEIGHTS: Final = {
    BehaviourKind.ACCEPTS: 38,
    BehaviourKind.DECLINES: 36,
    BehaviourKind.SLOW: 10,
    BehaviourKind.ACCEPTS_TWICE: 5,
    BehaviourKind.FAILS_FIRST: 6,
    BehaviourKind.SILENT: 3,
    BehaviourKind.DOWN: 2,
}


def draw_behaviour_kind(seed: int, provider_id: UUID, offer_id: UUID) -> BehaviourKind:
    chance = Random(f"{seed}/manner/{provider_id}/{offer_id}")
    return chance.choices(list(BEHAVIOUR_WEIGHTS), list(BEHAVIOUR_WEIGHTS.values()))[0]


def draw_behaviour(seed: int, provider_id: UUID, offer_id: UUID) -> Behaviour:
    """Draw the behaviour. The result is the same in every process."""
    chance = Random(f"{seed}/behaviour/{provider_id}/{offer_id}")
    accepting = Behaviour(OfferAnswer.ACCEPT, delay_seconds=chance.uniform(0.05, 1.0))
    reason, slowly, failures = chance.choice(DeclineReasons.ALL), chance.uniform(4, 15), chance.randint(1, 2)
    return {
        BehaviourKind.ACCEPTS: accepting,
        BehaviourKind.DECLINES: replace(accepting, answer=OfferAnswer.DECLINE, decline_reason=reason),
        BehaviourKind.SLOW: replace(accepting, delay_seconds=slowly),
        BehaviourKind.ACCEPTS_TWICE: replace(accepting, answer_count=2),
        BehaviourKind.FAILS_FIRST: replace(accepting, reaction=WebhookReaction.ERROR, failed_attempts=failures),
        BehaviourKind.SILENT: Behaviour(OfferAnswer.NEVER),
        BehaviourKind.DOWN: Behaviour(
            OfferAnswer.NEVER, reaction=WebhookReaction.CONNECTION_CUT, failed_attempts=EVERY_ATTEMPT
        ),
    }[draw_behaviour_kind(seed, provider_id, offer_id)]


@dataclass(frozen=True)
class Interest:
    """What a provider proposes for an open package."""

    rate: Decimal
    variations: tuple[ReasonKey, ...]
    delay_seconds: float


INTERESTED_ONE_IN: Final = 6
"""One in this number of providers proposes for an open package."""


USUAL_RATES: Final = {Units.HOUR: Decimal(27), Units.NIGHT: Decimal(150), Units.WEEK: Decimal(1700)}
"""Rates in pounds that proposals vary around."""


def draw_interest(seed: int, provider_id: UUID, reference: UUID, unit: UnitKey) -> Interest | None:
    """Draw what a provider proposes for an open package; None if it does not propose."""
    chance = Random(f"{seed}/interest/{provider_id}/{reference}")
    if chance.randrange(INTERESTED_ONE_IN):
        return None
    rate = (USUAL_RATES[unit] * chance.randint(92, 118) / 100).quantize(Decimal("0.01"))
    variations = tuple(chance.sample(Variations.ALL, chance.choice((0, 0, 1))))
    return Interest(rate, variations, delay_seconds=chance.uniform(0.5, 5.0))


TICKED_ONE_IN: Final = 3
"""One in this number of rows of a Batching List is ticked."""


def draw_tick(seed: int, provider_id: UUID, reference: UUID) -> bool:
    """Draw whether the provider ticks a row of a Batching List."""
    return not Random(f"{seed}/tick/{provider_id}/{reference}").randrange(TICKED_ONE_IN)


@dataclass(frozen=True)
class CallOutcome:
    """The outcome of one telephone call to a provider."""

    reached: bool
    answer: OfferAnswer = OfferAnswer.NEVER
    decline_reason: ReasonKey | None = None


def draw_call_outcome(seed: int, offer_id: UUID, *, attempt: int) -> CallOutcome:
    """Four of five calls reach the provider; half of those accept the package."""
    chance = Random(f"{seed}/call/{offer_id}/{attempt}")
    if chance.random() < 0.2:
        return CallOutcome(reached=False)
    if chance.random() < 0.5:
        return CallOutcome(reached=True, answer=OfferAnswer.ACCEPT)
    return CallOutcome(reached=True, answer=OfferAnswer.DECLINE, decline_reason=chance.choice(DeclineReasons.ALL))
