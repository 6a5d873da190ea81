"""A steady load for tests of a stack that is disturbed: a council that posts, and providers' systems that answer.

Both repeat a request that fails for the moment, as real systems do, and keep what they were answered and what they got.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from calloff.client import ApiClient, ApiResponse
from contracts.example_words import DeclineReasons
from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.names import REFERRAL, SOURCING
from simulator.behaviour import WebhookReaction
from simulator.council import SubmittedReferral, build_referral
from simulator.person_factory import PersonFactory
from simulator.provider_systems import OFFER_MADE, DeclineIn
from simulator.stack import ServiceStack
from simulator.webhook_receivers import ReceivedWebhook

_RETRY_DELAY: Final = 0.25
_SEED: Final = 11


@dataclass(frozen=True)
class WebhookBody:
    """One webhook request as it arrived."""

    provider: str
    id: str
    body: bytes


@dataclass
class SteadyLoad:
    """A council that posts urgent referrals, and providers that decline the first offer of a package only."""

    stack: ServiceStack
    people: PersonFactory
    posted: dict[str, float] = field(default_factory=dict[str, float])
    """When each accepted package was posted for the first time (`time.perf_counter`)."""
    refusals: Counter[str] = field(default_factory=Counter[str])
    """Answers that told nobody to try again: errors other than a 503 or 409 with Retry-After."""
    retries: Counter[str] = field(default_factory=Counter[str])
    """Requests that were repeated, by what happened to them."""
    received: list[WebhookBody] = field(default_factory=list[WebhookBody])
    _offers: defaultdict[str, set[UUID]] = field(default_factory=lambda: defaultdict[str, set[UUID]](set))

    async def post_until(self, stop: asyncio.Event, *, per_second: float) -> None:
        """Posts at a steady rate until `stop` is set; returns when all referrals are accepted."""
        council, begun, tasks = self.stack.create_client("council"), time.perf_counter(), list[asyncio.Task[None]]()
        while not stop.is_set():
            tasks.append(asyncio.create_task(self._post(council, len(tasks) + 1)))
            await asyncio.sleep(max(0.0, begun + len(tasks) / per_second - time.perf_counter()))
        await asyncio.gather(*tasks)

    async def _post(self, council: ApiClient, number: int) -> None:
        person, today = self.people.create_person(number), datetime.now(UTC).date()
        body, posted_at = build_referral(person, today=today, seed=_SEED, urgent=True), time.perf_counter()
        url = f"{self.stack.urls[REFERRAL]}/v1/referrals"
        answer = await self._repeat(lambda: council.post(url, body, idempotency_key=body.reference))
        if answer is not None:
            self.posted[str(answer.parse(SubmittedReferral).package_id)] = posted_at

    async def answer_offer(self, provider_id: UUID, webhook: ReceivedWebhook) -> None:
        """Handles a webhook: an offer is answered."""
        offer_id = webhook.data.offer_id
        if webhook.type != OFFER_MADE or offer_id is None:
            return
        offers = self._offers[str(webhook.data.package_id)]
        offers.add(offer_id)
        declines = len(offers) == 1
        client = self.stack.create_provider_client(provider_id)
        url = f"{self.stack.urls[SOURCING]}/v1/offers/{offer_id}/{'decline' if declines else 'accept'}"
        body = DeclineIn(reason=DeclineReasons.NO_CAPACITY) if declines else None
        await self._repeat(lambda: client.post(url, body, idempotency_key=str(offer_id)))

    def choose_reaction(self, _provider: UUID, _webhook: ReceivedWebhook, _attempt: int) -> WebhookReaction:
        """Acknowledges every webhook."""
        return WebhookReaction.ACKNOWLEDGED

    @web.middleware
    async def record_request(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Middleware of the receivers: keeps the body of every request."""
        body = await request.read()
        provider = request.match_info["provider_id"]
        self.received.append(WebhookBody(provider, request.headers.get("webhook-id", ""), body))
        return await handler(request)

    async def _repeat(self, send: Callable[[], Awaitable[ApiResponse]]) -> ApiResponse | None:
        """Sends until there is an answer; None if the answer is a refusal for good."""
        while True:
            try:
                return await send()
            except ServiceUnreachable as error:
                self.retries[type(error.__cause__).__name__] += 1
            except ServiceRefused as refused:
                if refused.retry_after is None:
                    self.refusals[str(refused)] += 1
                    return None
                self.retries[str(refused.status)] += 1
            await asyncio.sleep(_RETRY_DELAY)
