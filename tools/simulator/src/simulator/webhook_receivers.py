"""What a provider's system does to hear of offers: take the request, check its signature, answer 2xx.

Every request is written down, good or not, for whoever wants to check afterwards.
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
from contracts.values import Care, PriceUnit
from devstack.json_lines import JsonLinesWriter
from simulator.behaviour import Receipt

ROUTE: Final = "/providers/{provider_id}/webhooks"


class Links(ResponseModel):
    person: str | None = None
    propose: str | None = None


class Advert(ResponseModel):
    reference: UUID
    area: str = ""
    weekly_hours: str = ""
    age_band: str = ""
    skills: tuple[str, ...] = ()


class About(ResponseModel):
    """What a webhook is about; who the person is it never says, but where the placed provider may ask."""

    package_id: UUID | None = None
    offer_id: UUID | None = None
    care: Care | None = None
    advert: Advert | None = None
    unit: PriceUnit | None = None
    links: Links = Links()


class Said(ResponseModel):
    """A webhook's body: `offer.made`, `package.placed` and the rest."""

    type: str
    timestamp: datetime
    data: About


class Received(BaseModel):
    """One line of the receivers' log: one request, whether it was good or not."""

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
    """Of an open package: all that a list tells of it."""
    body: str | None = None
    """Of an open package: what was said, so that it can be seen that it points at nobody."""
    attempt: int
    """How often this webhook (by its id) has come here, with this time."""
    receipt: Receipt


Follow = Callable[[UUID, Said], Awaitable[None]]
Reception = Callable[[UUID, Said, int], Receipt]


class Receivers:
    """Every simulated provider's endpoint, one path each; `follow` hears of each webhook that was taken, once."""

    def __init__(
        self,
        secret_of: Callable[[UUID], str | None],
        log: JsonLinesWriter[Received],
        *,
        reception: Reception,
        follow: Follow,
    ) -> None:
        self._secret_of = secret_of
        self._log = log
        self._reception = reception
        self._follow = follow
        self._times: Counter[str] = Counter()
        self._taken: set[str] = set()
        self._following: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post(ROUTE, self._receive)
        app.on_shutdown.append(self._let_go)
        app.on_cleanup.append(self._stop_following)
        return app

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        received_at = datetime.now(UTC)
        provider_id, body = UUID(request.match_info["provider_id"]), await request.read()
        said = self._verified(provider_id, request.headers, body)
        webhook_id = request.headers.get("webhook-id", "")
        self._times[webhook_id] += 1
        attempt = self._times[webhook_id]
        receipt = self._reception(provider_id, said, attempt) if said else Receipt.TAKEN
        line = _line(request, provider_id, said, received_at=received_at, attempt=attempt, receipt=receipt)
        told = body.decode() if said is not None and said.data.advert is not None else None
        self._log.write(line.model_copy(update={"body": told}))
        if receipt is Receipt.HANGS:
            await self._closing.wait()
        if receipt is Receipt.CUT and request.transport is not None:
            request.transport.abort()
            return web.Response(status=500)
        if receipt is not Receipt.TAKEN:
            return web.Response(status=500)
        if said is None:
            return web.Response(status=401)
        if webhook_id not in self._taken:
            self._taken.add(webhook_id)
            self._begin(provider_id, said)
        return web.Response(status=204)

    def _verified(self, provider_id: UUID, headers: Mapping[str, str], body: bytes) -> Said | None:
        secret = self._secret_of(provider_id)
        if secret is None:
            return None
        try:
            Webhook(secret).verify(body, dict(headers), json_parse=False)
            return Said.model_validate_json(body)
        except (WebhookVerificationError, ValidationError):
            return None

    def _begin(self, provider_id: UUID, said: Said) -> None:
        """A good receiver answers first and works afterwards."""

        async def follow() -> None:
            await self._follow(provider_id, said)

        task = asyncio.create_task(follow())
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _let_go(self, _: web.Application) -> None:
        """Whoever hangs would hold up the end."""
        self._closing.set()

    async def _stop_following(self, _: web.Application) -> None:
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)


def _line(
    request: web.Request,
    provider_id: UUID,
    said: Said | None,
    *,
    received_at: datetime,
    attempt: int,
    receipt: Receipt,
) -> Received:
    return Received(
        received_at=received_at,
        provider_id=provider_id,
        headers={name.lower(): value for name, value in request.headers.items()},
        verified=said is not None,
        type=said and said.type,
        queued_at=said and said.timestamp,
        package_id=said and said.data.package_id,
        offer_id=said and said.data.offer_id,
        reference=said.data.advert.reference if said is not None and said.data.advert is not None else None,
        attempt=attempt,
        receipt=receipt,
    )
