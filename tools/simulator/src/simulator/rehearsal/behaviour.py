"""How invented providers answer in a rehearsal; it depends on the seed, the provider and the package only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final

from contracts.events.listings import PackageListed
from contracts.events.lists import ListRowAdded
from contracts.events.offers import OfferMade
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import ReasonKey
from contracts.values import Care
from simulator.rehearsal.market import RehearsalMarket
from sourcing.domain.offer import Accept, Decline
from sourcing.domain.triggers import AnswerOffer, RegisterInterest, SubmitProposal

_SPOT_KEENNESS: Final = 0.25
_SPREAD: Final = Decimal("0.15")
"""A proposed rate lies at most so far above the ceiling, and as far below."""


@dataclass(frozen=True)
class DrawnAnswer:
    """A provider's answer, so long after the offer."""

    after: timedelta
    command: AnswerOffer


class ProviderBehaviour:
    """Draws what providers do. A provider treats a package alike under every definition."""

    def __init__(self, market: RehearsalMarket, *, seed: int) -> None:
        self._market = market
        self._seed = seed

    def draw_answer(self, package: int, offer: OfferMade, *, ticked: bool = False) -> DrawnAnswer | None:
        """Draws an answer within the first 25 minutes; None for a provider that never answers.

        A provider that ticked the package on a list has thought about it, and is more likely to accept.
        """
        provider = self._market.providers[offer.provider_id]
        chance = Random(f"{self._seed}/answer{'/ticked' * ticked}/{package}/{offer.provider_id}")
        if chance.random() < provider.silence:
            return None
        after = timedelta(minutes=chance.uniform(1, 25))
        accepts = chance.random() < ((1 + provider.keenness) / 2 if ticked else provider.keenness)
        answer = Accept() if accepts else Decline(_get_usual_reason(self._market.definition))
        return DrawnAnswer(after, AnswerOffer(offer.package_id, offer.offer_id, offer.provider_id, answer))

    def draw_ticks(self, package: int, row: ListRowAdded) -> Iterator[tuple[timedelta, RegisterInterest]]:
        """Yields the ticks of a row of a Batching List, each so long after the list went out."""
        for provider_id in row.providers:
            chance = Random(f"{self._seed}/tick/{package}/{provider_id}")
            if chance.random() < self._market.providers[provider_id].keenness:
                after = timedelta(minutes=chance.uniform(10, 60 * 17))
                yield after, RegisterInterest(row.package_id, row.list_id, provider_id, interested=True)

    def draw_proposals(
        self, package: int, care: Care, listed: PackageListed
    ) -> Iterator[tuple[timedelta, SubmitProposal]]:
        """Yields the proposals for a listed package, each so long after it is open to them."""
        for provider in self._market.list_proposers(care):
            chance = Random(f"{self._seed}/proposal/{package}/{provider.provider_id}")
            may_propose = listed.spot if provider.spot else listed.members
            if may_propose and chance.random() < _SPOT_KEENNESS:
                share = 1 - _SPREAD + 2 * _SPREAD * Decimal(str(round(chance.random(), 3)))
                rate = (listed.ceiling * share).quantize(Decimal("0.01"))
                command = SubmitProposal(listed.package_id, provider.provider_id, rate)
                yield timedelta(minutes=chance.uniform(30, 60 * 72)), command


def _get_usual_reason(definition: FrameworkDefinition) -> ReasonKey:
    return definition.reasons.decline[0].reason
