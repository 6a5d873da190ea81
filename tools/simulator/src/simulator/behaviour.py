"""How a simulated provider behaves: decided by seed, provider and offer, never by when or how often it is asked."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Final
from uuid import UUID

from contracts.events.listings import Variation
from contracts.values import DeclineReason, PriceUnit


class Receipt(StrEnum):
    """What becomes of the request that brings the webhook."""

    TAKEN = "taken"
    ERROR = "answers 500"
    CUT = "cuts the connection"
    HANGS = "takes the request and says nothing"


class Answering(StrEnum):
    """What the provider says to an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"
    NEVER = "never answers"


@dataclass(frozen=True)
class Behaviour:
    """One provider's way with one offer. `failures` is how many requests fail before one is taken."""

    answering: Answering
    decline_reason: DeclineReason | None = None
    after_seconds: float = 0.0
    times: int = 1
    receipt: Receipt = Receipt.TAKEN
    failures: int = 0

    def receipt_of(self, attempt: int) -> Receipt:
        """`attempt` counts from 1."""
        return self.receipt if attempt <= self.failures else Receipt.TAKEN


ALWAYS: Final = 1_000_000


class Manner(StrEnum):
    """The manners that are drawn from, by weight."""

    ACCEPTS = "accepts at once"
    DECLINES = "declines with a reason"
    SLOW = "accepts, but takes its time"
    TWICE = "accepts twice"
    STUMBLES = "answers 500 before it takes the webhook"
    SILENT = "takes the webhook and never answers"
    DOWN = "cuts every connection"


WEIGHTS: Final = {
    Manner.ACCEPTS: 38,
    Manner.DECLINES: 36,
    Manner.SLOW: 10,
    Manner.TWICE: 5,
    Manner.STUMBLES: 6,
    Manner.SILENT: 3,
    Manner.DOWN: 2,
}


def manner_of(seed: int, provider_id: UUID, offer_id: UUID) -> Manner:
    chance = Random(f"{seed}/manner/{provider_id}/{offer_id}")
    return chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]


def behaviour_of(seed: int, provider_id: UUID, offer_id: UUID) -> Behaviour:
    """The same for the same three, in whichever process asks."""
    chance = Random(f"{seed}/behaviour/{provider_id}/{offer_id}")
    accepts = Behaviour(Answering.ACCEPT, after_seconds=chance.uniform(0.05, 1.0))
    reason, slowly, failures = chance.choice(list(DeclineReason)), chance.uniform(4, 15), chance.randint(1, 2)
    return {
        Manner.ACCEPTS: accepts,
        Manner.DECLINES: replace(accepts, answering=Answering.DECLINE, decline_reason=reason),
        Manner.SLOW: replace(accepts, after_seconds=slowly),
        Manner.TWICE: replace(accepts, times=2),
        Manner.STUMBLES: replace(accepts, receipt=Receipt.ERROR, failures=failures),
        Manner.SILENT: Behaviour(Answering.NEVER),
        Manner.DOWN: Behaviour(Answering.NEVER, receipt=Receipt.CUT, failures=ALWAYS),
    }[manner_of(seed, provider_id, offer_id)]


@dataclass(frozen=True)
class Interest:
    """What a provider proposes for a package that is open to all."""

    rate: Decimal
    variations: tuple[Variation, ...]
    after_seconds: float


ONE_IN: Final = 6
"""Of the providers that hear of an open package, so many are interested."""


USUAL: Final = {PriceUnit.HOUR: Decimal(27), PriceUnit.NIGHT: Decimal(150), PriceUnit.WEEK: Decimal(1700)}
"""What providers think of as a usual rate, in pounds."""


def interest_in(seed: int, provider_id: UUID, reference: UUID, unit: PriceUnit) -> Interest | None:
    """The same for the same four; None: the provider lets it pass."""
    chance = Random(f"{seed}/interest/{provider_id}/{reference}")
    if chance.randrange(ONE_IN):
        return None
    rate = (USUAL[unit] * chance.randint(92, 118) / 100).quantize(Decimal("0.01"))
    variations = tuple(chance.sample(list(Variation), chance.choice((0, 0, 1))))
    return Interest(rate, variations, after_seconds=chance.uniform(0.5, 5.0))


@dataclass(frozen=True)
class CallOutcome:
    """What comes of one telephone call to a provider."""

    reached: bool
    answering: Answering = Answering.NEVER
    decline_reason: DeclineReason | None = None


def call_outcome(seed: int, offer_id: UUID, *, attempt: int) -> CallOutcome:
    """Four of five calls reach somebody; of those, half take the package."""
    chance = Random(f"{seed}/call/{offer_id}/{attempt}")
    if chance.random() < 0.2:
        return CallOutcome(reached=False)
    if chance.random() < 0.5:
        return CallOutcome(reached=True, answering=Answering.ACCEPT)
    return CallOutcome(reached=True, answering=Answering.DECLINE, decline_reason=chance.choice(list(DeclineReason)))
