"""What a simulated provider does with a webhook that it took: answer the offer, or ask who it now cares for."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from calloff.client import ApiClient, ApiResponse
from contracts.events.listings import Variation
from contracts.values import DeclineReason
from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.json_lines import JsonLinesWriter
from simulator.behaviour import Answering, Behaviour, Receipt, behaviour_of, interest_in
from simulator.webhook_receivers import Said

OFFER_MADE: Final = "offer.made"
PACKAGE_PLACED: Final = "package.placed"
PACKAGE_AVAILABLE: Final = "package.available"
_TRIES: Final = 10
_SOON: Final = 0.3
"""Seconds before a request is repeated that could not be carried out yet."""


class Answered(BaseModel):
    """One line of the answers' log; `status` is what the service said to it, 0 when it said nothing."""

    model_config = ConfigDict(frozen=True)

    answered_at: datetime
    provider_id: UUID
    package_id: UUID | None
    offer_id: UUID | None
    what: str
    status: int


class ProposalIn(BaseModel):
    """What a provider proposes for an open package."""

    model_config = ConfigDict(frozen=True)

    rate: Decimal
    variations: tuple[Variation, ...]


class DeclineIn(BaseModel):
    """The body of a decline."""

    model_config = ConfigDict(frozen=True)

    reason: DeclineReason


class ProviderSystems:
    """All providers' systems; `caller_of` gives each its own connection, with its own token."""

    def __init__(
        self,
        *,
        sourcing: str,
        caller_of: Callable[[UUID], ApiClient],
        log: JsonLinesWriter[Answered],
        seed: int,
        think: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`think` returns when so many of the behaviour's seconds have passed."""
        self._sourcing = sourcing
        self._caller_of = caller_of
        self._log = log
        self._seed = seed
        self._think = think

    def reception(self, provider_id: UUID, message: Said, attempt: int) -> Receipt:
        """How the request is received; only offers meet with trouble."""
        if message.type != OFFER_MADE or message.data.offer_id is None:
            return Receipt.TAKEN
        return behaviour_of(self._seed, provider_id, message.data.offer_id).receipt_of(attempt)

    async def follow(self, provider_id: UUID, message: Said) -> None:
        if message.type == OFFER_MADE and message.data.offer_id is not None:
            await self._answer(provider_id, message, behaviour_of(self._seed, provider_id, message.data.offer_id))
        elif message.type == PACKAGE_PLACED and message.data.links.person is not None:
            await self._meet_the_person(provider_id, message, message.data.links.person)
        elif message.type == PACKAGE_AVAILABLE and message.data.links.propose is not None:
            await self._perhaps_propose(provider_id, message, message.data.links.propose)

    async def _answer(self, provider_id: UUID, message: Said, behaviour: Behaviour) -> None:
        if behaviour.answering is Answering.NEVER:
            return
        await self._think(behaviour.after_seconds)
        for turn in range(behaviour.times):
            await self._say(provider_id, message, behaviour, turn=turn)

    async def _say(self, provider_id: UUID, message: Said, behaviour: Behaviour, *, turn: int) -> None:
        what = behaviour.answering.value
        url = f"{self._sourcing}/v1/offers/{message.data.offer_id}/{what}"
        body = DeclineIn(reason=behaviour.decline_reason) if behaviour.decline_reason else None
        key = f"{message.data.offer_id}-{turn}"
        caller = self._caller_of(provider_id)
        status = await _retry(lambda: caller.post(url, body, idempotency_key=key))
        self._note(provider_id, message, what, status)

    async def _perhaps_propose(self, provider_id: UUID, message: Said, url: str) -> None:
        if message.data.advert is None or message.data.unit is None:
            return
        interest = interest_in(self._seed, provider_id, message.data.advert.reference, message.data.unit)
        if interest is None:
            return
        await asyncio.sleep(interest.after_seconds)
        body = ProposalIn(rate=interest.rate, variations=interest.variations)
        caller, key = self._caller_of(provider_id), f"{message.data.advert.reference}"
        self._note(provider_id, message, "propose", await _retry(lambda: caller.post(url, body, idempotency_key=key)))

    async def _meet_the_person(self, provider_id: UUID, message: Said, url: str) -> None:
        """Who the person is goes into the provider's own system, and here nowhere."""
        caller = self._caller_of(provider_id)
        self._note(provider_id, message, "person", await _retry(lambda: caller.get(url)))

    def _note(self, provider_id: UUID, message: Said, what: str, status: int) -> None:
        self._log.write(
            Answered(
                answered_at=datetime.now(UTC),
                provider_id=provider_id,
                package_id=message.data.package_id,
                offer_id=message.data.offer_id,
                what=what,
                status=status,
            )
        )


async def _retry(attempt: Callable[[], Awaitable[ApiResponse]]) -> int:
    """The status of the answer; what the service cannot do yet is asked again, as its Retry-After says."""
    status = 0
    for _ in range(_TRIES):
        wait = _SOON
        try:
            return (await attempt()).status
        except ServiceRefused as refused:
            status = refused.status
            if not refused.is_transient:
                return status
            wait = refused.retry_after or _SOON
        except ServiceUnreachable:
            status = 0
        await asyncio.sleep(wait)
    return status
