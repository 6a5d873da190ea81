"""The webhook endpoints of all providers, which record every webhook and answer offers as the measurement needs."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from simulator.webhook_receivers import ROUTE

OFFER_MADE: Final = "offer.made"


@dataclass(frozen=True)
class ReceivedWebhook:
    """One received webhook; `at` is from `time.perf_counter`."""

    at: float
    provider_id: UUID
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The webhook id, which a repeated delivery shares."""
        return self.headers["webhook-id"]


@dataclass(frozen=True)
class ReceivedOffer:
    """A received offer; `turn` counts the package's offers from 1."""

    provider_id: UUID
    offer_id: str
    package_id: str
    turn: int


Answer = Callable[[ReceivedOffer], Awaitable[None]]


async def skip_answer(_: ReceivedOffer) -> None:
    """Do not answer the offer."""


@dataclass
class WebhookReceiver:
    """Receives all webhooks; `answer` is called for each offer after the response 204."""

    secret_of: Callable[[UUID], str | None]
    answer: Answer = skip_answer
    forged: int = 0
    """Webhooks with an invalid signature."""
    first_offer_at: dict[str, float] = field(default_factory=dict[str, float])
    """Time of the first offer of each package."""
    other_webhooks: list[ReceivedWebhook] = field(default_factory=list[ReceivedWebhook])
    """Webhooks other than offers, in order of arrival."""
    _offer_counts: Counter[str] = field(default_factory=Counter[str])
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def create_app(self) -> web.Application:
        app = web.Application()
        app.router.add_post(ROUTE, self._receive)
        return app

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        webhook = ReceivedWebhook(time.perf_counter(), UUID(request.match_info["provider_id"]), request.headers, body)
        task = asyncio.ensure_future(self._process(webhook))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return web.Response(status=204)

    async def _process(self, webhook: ReceivedWebhook) -> None:
        self.forged += not _is_signed(webhook, self.secret_of(webhook.provider_id))
        body: dict[str, Any] = json.loads(webhook.body)
        if body["type"] != OFFER_MADE:
            self.other_webhooks.append(webhook)
            return
        package = str(body["data"]["package_id"])
        self._offer_counts[package] += 1
        self.first_offer_at.setdefault(package, webhook.at)
        await self.answer(
            ReceivedOffer(webhook.provider_id, str(body["data"]["offer_id"]), package, self._offer_counts[package])
        )


def _is_signed(webhook: ReceivedWebhook, secret: str | None) -> bool:
    if secret is None:
        return False
    try:
        Webhook(secret).verify(webhook.body, dict(webhook.headers), json_parse=False)
    except WebhookVerificationError:
        return False
    return True
