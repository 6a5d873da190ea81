"""All providers' systems at once: they note what came and when, and answer by HTTP as the measurement wants it."""

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

from simulator.receivers import ROUTE

OFFER_MADE: Final = "offer.made"


@dataclass(frozen=True)
class Came:
    """One webhook, as it came; `at` on the clock of `time.perf_counter`."""

    at: float
    provider_id: UUID
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The delivery's; a repeat has the same."""
        return self.headers["webhook-id"]


@dataclass(frozen=True)
class Offered:
    """An offer that a provider's system has just heard of; `turn` counts the package's offers from 1."""

    provider_id: UUID
    offer_id: str
    package_id: str
    turn: int


Answer = Callable[[Offered], Awaitable[None]]


async def say_nothing(_: Offered) -> None:
    """The answer of a system that leaves it to a person."""


@dataclass
class Listening:
    """Receives for everybody; `answer` is what is done about an offer, after the receiver has answered 204."""

    secret_of: Callable[[UUID], str | None]
    answer: Answer = say_nothing
    forged: int = 0
    """Webhooks without their endpoint's signature."""
    first_offer: dict[str, float] = field(default_factory=dict[str, float])
    """When the first offer of each package came."""
    other: list[Came] = field(default_factory=list[Came])
    """What came and was no offer, in its order."""
    _turns: Counter[str] = field(default_factory=Counter[str])
    _following: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post(ROUTE, self._receive)
        return app

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        came = Came(time.perf_counter(), UUID(request.match_info["provider_id"]), request.headers, body)
        task = asyncio.ensure_future(self._follow(came))
        self._following.add(task)
        task.add_done_callback(self._following.discard)
        return web.Response(status=204)

    async def _follow(self, came: Came) -> None:
        self.forged += not _is_signed(came, self.secret_of(came.provider_id))
        said: dict[str, Any] = json.loads(came.body)
        if said["type"] != OFFER_MADE:
            self.other.append(came)
            return
        package = str(said["data"]["package_id"])
        self._turns[package] += 1
        self.first_offer.setdefault(package, came.at)
        await self.answer(Offered(came.provider_id, str(said["data"]["offer_id"]), package, self._turns[package]))


def _is_signed(came: Came, secret: str | None) -> bool:
    if secret is None:
        return False
    try:
        Webhook(secret).verify(came.body, dict(came.headers), json_parse=False)
    except WebhookVerificationError:
        return False
    return True
