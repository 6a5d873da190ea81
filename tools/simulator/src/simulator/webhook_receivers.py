"""The webhook endpoints of the simulated providers: they verify the signature and answer 2xx.

Every request is logged, valid or not, so that it can be checked afterwards.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from calloff.client import ResponseModel
from contracts.ids import UnitKey
from contracts.values import Care
from devstack.json_lines import JsonLinesWriter
from simulator.behaviour import WebhookReaction

ROUTE: Final = "/providers/{provider_id}/webhooks"


class Links(ResponseModel):
    person: str | None = None
    propose: str | None = None
    interest: str | None = None


class PackageAdvert(ResponseModel):
    reference: UUID
    area: str = ""
    weekly_hours: str = ""
    age_band: str = ""
    skills: tuple[str, ...] = ()


class ListedRow(ResponseModel):
    """A package on a list. It can be ticked on a Batching List, and proposed for on a list of available packages."""

    advert: PackageAdvert
    unit: UnitKey
    links: Links


class WebhookData(ResponseModel):
    """The subject of a webhook. It links to the person's data, which only the placed provider can read."""

    package_id: UUID | None = None
    offer_id: UUID | None = None
    care: Care | None = None
    advert: PackageAdvert | None = None
    unit: UnitKey | None = None
    list_id: UUID | None = None
    closes_at: datetime | None = None
    rows: tuple[ListedRow, ...] = ()
    links: Links = Links()

    @property
    def is_anonymous(self) -> bool:
        """True for what is about open and listed packages, which it must not identify."""
        return self.advert is not None or self.list_id is not None


class ReceivedWebhook(ResponseModel):
    """The body of a webhook, of type `offer.made`, `package.placed` and so on."""

    type: str
    timestamp: datetime
    data: WebhookData


class WebhookLogEntry(BaseModel):
    """One entry of the webhook log: one request, valid or not."""

    model_config = ConfigDict(frozen=True)

    received_at: datetime
    provider_id: UUID
    headers: dict[str, str]
    verified: bool
    type: str | None
    queued_at: datetime | None
    package_id: UUID | None
    offer_id: UUID | None
    reference: UUID | None = None
    """The reference of an open package, which is all that the open list publishes."""
    list_id: UUID | None = None
    """The list that the webhook is."""
    body: str | None = None
    """The body of a webhook about open or listed packages, to check that it does not identify a person."""
    attempt: int
    """How many requests with this webhook id have been received, including this one."""
    reaction: WebhookReaction


WebhookHandler = Callable[[UUID, ReceivedWebhook], Awaitable[None]]
ReactionChooser = Callable[[UUID, ReceivedWebhook, int], WebhookReaction]


class WebhookReceivers:
    """The endpoints of all simulated providers. `handle_webhook` is called once for each acknowledged webhook."""

    def __init__(
        self,
        get_secret: Callable[[UUID], str | None],
        log: JsonLinesWriter[WebhookLogEntry],
        *,
        choose_reaction: ReactionChooser,
        handle_webhook: WebhookHandler,
    ) -> None:
        self._get_secret = get_secret
        self._log = log
        self._choose_reaction = choose_reaction
        self._handle_webhook = handle_webhook
        self._attempts: Counter[str] = Counter()
        self._acknowledged_ids: set[str] = set()
        self._handler_tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    def build_app(self) -> web.Application:
        application = web.Application()
        application.router.add_post(ROUTE, self._receive)
        application.on_shutdown.append(self._release_requests)
        application.on_cleanup.append(self._cancel_handlers)
        return application

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        received_at = datetime.now(UTC)
        provider_id, body = UUID(request.match_info["provider_id"]), await request.read()
        webhook = self._verify(provider_id, request.headers, body)
        webhook_id = request.headers.get("webhook-id", "")
        self._attempts[webhook_id] += 1
        attempt = self._attempts[webhook_id]
        reaction = self._choose_reaction(provider_id, webhook, attempt) if webhook else WebhookReaction.ACKNOWLEDGED
        entry = _build_log_entry(
            request, provider_id, webhook, received_at=received_at, attempt=attempt, reaction=reaction
        )
        logged_body = body.decode() if webhook is not None and webhook.data.is_anonymous else None
        self._log.write(entry.model_copy(update={"body": logged_body}))
        if reaction is WebhookReaction.NO_RESPONSE:
            await self._closing.wait()
        if reaction is WebhookReaction.CONNECTION_CUT and request.transport is not None:
            request.transport.abort()
            return web.Response(status=500)
        if reaction is not WebhookReaction.ACKNOWLEDGED:
            return web.Response(status=500)
        if webhook is None:
            return web.Response(status=401)
        if webhook_id not in self._acknowledged_ids:
            self._acknowledged_ids.add(webhook_id)
            self._start_handling(provider_id, webhook)
        return web.Response(status=204)

    def _verify(self, provider_id: UUID, headers: Mapping[str, str], body: bytes) -> ReceivedWebhook | None:
        secret = self._get_secret(provider_id)
        if secret is None:
            return None
        try:
            Webhook(secret).verify(body, dict(headers), json_parse=False)
            return ReceivedWebhook.model_validate_json(body)
        except (WebhookVerificationError, ValidationError):
            return None

    def _start_handling(self, provider_id: UUID, webhook: ReceivedWebhook) -> None:
        """Handle the webhook in a task, so that the response is sent first."""

        async def handle() -> None:
            await self._handle_webhook(provider_id, webhook)

        task = asyncio.create_task(handle())
        self._handler_tasks.add(task)
        task.add_done_callback(self._handler_tasks.discard)

    async def _release_requests(self, _: web.Application) -> None:
        """Release the requests that are left without a response, so that the server can shut down."""
        self._closing.set()

    async def _cancel_handlers(self, _: web.Application) -> None:
        for task in self._handler_tasks:
            task.cancel()
        await asyncio.gather(*self._handler_tasks, return_exceptions=True)


def _build_log_entry(
    request: web.Request,
    provider_id: UUID,
    webhook: ReceivedWebhook | None,
    *,
    received_at: datetime,
    attempt: int,
    reaction: WebhookReaction,
) -> WebhookLogEntry:
    return WebhookLogEntry(
        received_at=received_at,
        provider_id=provider_id,
        headers={name.lower(): value for name, value in request.headers.items()},
        verified=webhook is not None,
        type=webhook and webhook.type,
        queued_at=webhook and webhook.timestamp,
        package_id=webhook and webhook.data.package_id,
        offer_id=webhook and webhook.data.offer_id,
        reference=webhook.data.advert.reference if webhook is not None and webhook.data.advert is not None else None,
        list_id=webhook and webhook.data.list_id,
        attempt=attempt,
        reaction=reaction,
    )
