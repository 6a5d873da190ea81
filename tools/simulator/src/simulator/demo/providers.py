"""All providers' systems: they take webhooks or do not, answer offers when it suits them, and bid for open packages."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from calloff.client import ApiClient, ApiResponse
from contracts.values import PriceUnit
from devstack.errors import ServiceRefused
from devstack.json_lines import JsonLinesWriter
from service_runtime.timers.timers import Precedence
from simulator.behaviour import Receipt
from simulator.demo.behaviour import Bid, Conduct, Saying, bids, conduct
from simulator.demo.schedule import Diary, PlayClock
from simulator.provider_systems import (
    OFFER_MADE,
    PACKAGE_AVAILABLE,
    PACKAGE_PLACED,
    Answered,
    DeclineIn,
    ProposalIn,
)
from simulator.webhook_receivers import Said

SOON = timedelta(minutes=15)


class ProvidersSystems:
    """One diary for all of them; `caller_of` gives each its own token."""

    def __init__(
        self,
        sourcing: str,
        caller_of: Callable[[UUID], ApiClient],
        *,
        clock: PlayClock,
        log: JsonLinesWriter[Answered],
        seed: int,
    ) -> None:
        self.diary = Diary("providers", Precedence.ANSWER)
        self._sourcing = sourcing
        self._caller_of = caller_of
        self._clock = clock
        self._log = log
        self._seed = seed

    def reception(self, provider_id: UUID, said: Said, attempt: int) -> Receipt:
        if said.type != OFFER_MADE or said.data.care is None:
            return Receipt.TAKEN
        return self._conduct(provider_id, said).receipt.receipt_of(attempt)

    async def follow(self, provider_id: UUID, said: Said) -> None:
        """Nothing is done at once: it is noted for later."""
        now = self._clock.now()
        if said.type == OFFER_MADE and said.data.care is not None:
            for turn, saying in enumerate(self._conduct(provider_id, said).answers):
                self.diary.note(now + saying.after, self._answering(provider_id, said, saying, turn))
        elif said.type == PACKAGE_AVAILABLE and said.data.links.propose is not None and said.data.unit is not None:
            for bid in self._bids(provider_id, said, said.data.unit):
                self.diary.note(now + bid.after, self._proposing(provider_id, said, said.data.links.propose, bid))
        elif said.type == PACKAGE_PLACED and said.data.links.person is not None:
            self.diary.note(now + SOON, self._meeting(provider_id, said, said.data.links.person))

    def _conduct(self, provider_id: UUID, said: Said) -> Conduct:
        assert said.data.care is not None, "only offers are conducted"
        return conduct(self._seed, provider_id, said.data.care.model_dump_json(), said.data.care.area)

    def _bids(self, provider_id: UUID, said: Said, unit: PriceUnit) -> tuple[Bid, ...]:
        advert = said.data.advert
        if advert is None:
            return ()
        about = f"{advert.area}/{advert.weekly_hours}/{advert.age_band}/{'/'.join(advert.skills)}"
        return bids(self._seed, provider_id, about, unit)

    def _answering(self, provider_id: UUID, said: Said, saying: Saying, turn: int) -> Callable[[], Awaitable[None]]:
        url = f"{self._sourcing}/v1/offers/{said.data.offer_id}/{saying.answering.value}"
        body = DeclineIn(reason=saying.reason) if saying.reason else None
        key = f"{said.data.offer_id}-{turn}"
        caller = self._caller_of(provider_id)

        async def answer() -> None:
            await self._note(provider_id, said, saying.answering.value, caller.post(url, body, idempotency_key=key))

        return answer

    def _proposing(self, provider_id: UUID, said: Said, url: str, bid: Bid) -> Callable[[], Awaitable[None]]:
        body, caller = ProposalIn(rate=bid.rate, variations=bid.variations), self._caller_of(provider_id)

        async def propose() -> None:
            await self._note(provider_id, said, "propose", caller.post(url, body))

        return propose

    def _meeting(self, provider_id: UUID, said: Said, url: str) -> Callable[[], Awaitable[None]]:
        """Who the person is goes into the provider's own system, and here nowhere."""
        caller = self._caller_of(provider_id)

        async def meet() -> None:
            await self._note(provider_id, said, "person", caller.get(url))

        return meet

    async def _note(self, provider_id: UUID, said: Said, what: str, attempt: Awaitable[ApiResponse]) -> None:
        """Writes down what the service said to it; that it refuses is part of the play, that it fails is not."""
        try:
            status = (await attempt).status
        except ServiceRefused as refused:
            if refused.status not in {403, 404, 409}:
                raise
            status = refused.status
        self._log.write(
            Answered(
                answered_at=self._clock.now(),
                provider_id=provider_id,
                package_id=said.data.package_id,
                offer_id=said.data.offer_id,
                what=what,
                status=status,
            )
        )
