"""How a simulated provider handles a webhook: it answers the offer, ticks, proposes, or fetches the person's data."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from calloff.client import ApiClient, ApiResponse
from contracts.ids import ReasonKey
from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.json_lines import JsonLinesWriter
from simulator.behaviour import Behaviour, OfferAnswer, WebhookReaction, draw_behaviour, draw_interest, draw_tick
from simulator.webhook_receivers import ListedRow, ReceivedWebhook, WebhookData

OFFER_MADE: Final = "offer.made"
PACKAGE_PLACED: Final = "package.placed"
PACKAGE_AVAILABLE: Final = "package.available"
LIST_ISSUED: Final = "list.issued"
_MAX_ATTEMPTS: Final = 10
_RETRY_DELAY: Final = 0.3
"""Seconds before a request is repeated that failed temporarily."""


class AnswerLogEntry(BaseModel):
    """One entry of the answer log. `status` is the HTTP status of the response, 0 without a response."""

    model_config = ConfigDict(frozen=True)

    answered_at: datetime
    provider_id: UUID
    package_id: UUID | None
    offer_id: UUID | None
    what: str
    status: int
    reference: UUID | None = None
    """The reference of a row that the provider ticked or proposed for."""


class InterestIn(BaseModel):
    """The request body of a tick, or of one that is taken back."""

    model_config = ConfigDict(frozen=True)

    interested: bool


class ProposalIn(BaseModel):
    """What a provider proposes for an open package."""

    model_config = ConfigDict(frozen=True)

    rate: Decimal
    variations: tuple[ReasonKey, ...]


class DeclineIn(BaseModel):
    """The request body of a decline."""

    model_config = ConfigDict(frozen=True)

    reason: ReasonKey


class ProviderSystems:
    """The systems of all providers. `create_client` returns a client with the provider's own token."""

    def __init__(
        self,
        *,
        sourcing_url: str,
        create_client: Callable[[UUID], ApiClient],
        log: JsonLinesWriter[AnswerLogEntry],
        seed: int,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`pause` waits for a number of seconds before an offer is answered."""
        self._sourcing_url = sourcing_url
        self._create_client = create_client
        self._log = log
        self._seed = seed
        self._pause = pause

    def choose_reaction(self, provider_id: UUID, webhook: ReceivedWebhook, attempt: int) -> WebhookReaction:
        """Choose the reaction to a webhook request. Only offers can fail."""
        if webhook.type != OFFER_MADE or webhook.data.offer_id is None:
            return WebhookReaction.ACKNOWLEDGED
        return draw_behaviour(self._seed, provider_id, webhook.data.offer_id).get_reaction(attempt)

    async def handle_webhook(self, provider_id: UUID, webhook: ReceivedWebhook) -> None:
        if webhook.type == OFFER_MADE and webhook.data.offer_id is not None:
            await self._answer_offer(
                provider_id, webhook, draw_behaviour(self._seed, provider_id, webhook.data.offer_id)
            )
        elif webhook.type == PACKAGE_PLACED and webhook.data.links.person is not None:
            await self._fetch_person(provider_id, webhook, webhook.data.links.person)
        elif webhook.type == PACKAGE_AVAILABLE and webhook.data.links.propose is not None:
            await self._propose_if_interested(provider_id, webhook, webhook.data)
        elif webhook.type == LIST_ISSUED:
            for row in webhook.data.rows:
                await self._answer_row(provider_id, webhook, row)

    async def _answer_offer(self, provider_id: UUID, webhook: ReceivedWebhook, behaviour: Behaviour) -> None:
        if behaviour.answer is OfferAnswer.NEVER:
            return
        await self._pause(behaviour.delay_seconds)
        for turn in range(behaviour.answer_count):
            await self._send_answer(provider_id, webhook, behaviour, turn=turn)

    async def _send_answer(
        self, provider_id: UUID, webhook: ReceivedWebhook, behaviour: Behaviour, *, turn: int
    ) -> None:
        what = behaviour.answer.value
        url = f"{self._sourcing_url}/v1/offers/{webhook.data.offer_id}/{what}"
        body = DeclineIn(reason=behaviour.decline_reason) if behaviour.decline_reason else None
        key = f"{webhook.data.offer_id}-{turn}"
        client = self._create_client(provider_id)
        status = await _retry(lambda: client.post(url, body, idempotency_key=key))
        self._log_answer(provider_id, webhook, what, status)

    async def _answer_row(self, provider_id: UUID, webhook: ReceivedWebhook, row: ListedRow) -> None:
        """Tick the row, or propose for it, if the package interests the provider."""
        url, reference = row.links.interest, row.advert.reference
        if url is None:
            await self._propose_if_interested(provider_id, webhook, row)
        elif draw_tick(self._seed, provider_id, reference):
            body, client = InterestIn(interested=True), self._create_client(provider_id)
            status = await _retry(lambda: client.put(url, body))
            self._log_answer(provider_id, webhook, "tick", status, reference)

    async def _propose_if_interested(
        self, provider_id: UUID, webhook: ReceivedWebhook, package: WebhookData | ListedRow
    ) -> None:
        advert, unit, url = package.advert, package.unit, package.links.propose
        if advert is None or unit is None or url is None:
            return
        interest = draw_interest(self._seed, provider_id, advert.reference, unit)
        if interest is None:
            return
        await asyncio.sleep(interest.delay_seconds)
        body = ProposalIn(rate=interest.rate, variations=interest.variations)
        client, key = self._create_client(provider_id), f"{advert.reference}"
        status = await _retry(lambda: client.post(url, body, idempotency_key=key))
        self._log_answer(provider_id, webhook, "propose", status, advert.reference)

    async def _fetch_person(self, provider_id: UUID, webhook: ReceivedWebhook, url: str) -> None:
        """Fetch the person's data as the placed provider does. The data is not stored."""
        client = self._create_client(provider_id)
        self._log_answer(provider_id, webhook, "person", await _retry(lambda: client.get(url)))

    def _log_answer(
        self, provider_id: UUID, webhook: ReceivedWebhook, what: str, status: int, reference: UUID | None = None
    ) -> None:
        self._log.write(
            AnswerLogEntry(
                answered_at=datetime.now(UTC),
                provider_id=provider_id,
                package_id=webhook.data.package_id,
                offer_id=webhook.data.offer_id,
                what=what,
                status=status,
                reference=reference,
            )
        )


async def _retry(send: Callable[[], Awaitable[ApiResponse]]) -> int:
    """Send until the response is final, pausing as Retry-After says, and return the last status."""
    status = 0
    for _ in range(_MAX_ATTEMPTS):
        delay = _RETRY_DELAY
        try:
            return (await send()).status
        except ServiceRefused as refused:
            status = refused.status
            if not refused.is_transient:
                return status
            delay = refused.retry_after or _RETRY_DELAY
        except ServiceUnreachable:
            status = 0
        await asyncio.sleep(delay)
    return status
