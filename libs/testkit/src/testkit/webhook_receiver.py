"""A receiver of webhooks for tests: an HTTP server that records what arrives and answers as a test wants."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import web

RequestHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ReceivedWebhook:
    """A webhook request that the receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> UUID:
        return UUID(self.headers["webhook-id"])

    @property
    def about(self) -> str:
        return json.loads(self.body)["data"]["about"]


@dataclass
class Receiver:
    """An HTTP server that stores webhooks. It responds with status 200 unless `answers` has a handler for the path.

    `accepted` has the webhooks that got a status below 300.
    """

    answers: dict[str, RequestHandler] = field(default_factory=dict[str, RequestHandler])
    received: list[ReceivedWebhook] = field(default_factory=list[ReceivedWebhook])
    accepted: list[ReceivedWebhook] = field(default_factory=list[ReceivedWebhook])
    address: str = ""

    async def receive(self, request: web.Request) -> web.StreamResponse:
        received = ReceivedWebhook(
            request.path, {k.lower(): v for k, v in request.headers.items()}, await request.read()
        )
        self.received.append(received)
        answer = await self.answers.get(request.path, answer_with(200))(request)
        if answer.status < 300:
            self.accepted.append(received)
        return answer

    def list_received(self, path: str) -> list[ReceivedWebhook]:
        return [webhook for webhook in self.received if webhook.path == path]


def answer_with(status: int, **headers: str) -> RequestHandler:
    """Builds a request handler that responds with this status and headers (`_` for `-` in their names)."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


def answer_in_turn(*statuses: int) -> RequestHandler:
    """Builds a request handler that responds with these statuses in turn, then always with the last one."""
    remaining = list(statuses)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=remaining.pop(0) if len(remaining) > 1 else remaining[0])

    return answer


class HeldAnswers:
    """A request handler that holds requests until `opened` is set, then responds with `status`.

    `waiting` counts the requests.
    """

    def __init__(self, status: int = 200) -> None:
        self.waiting = 0
        self.opened = asyncio.Event()
        self.status = status

    async def __call__(self, _: web.Request) -> web.Response:
        self.waiting += 1
        await self.opened.wait()
        return web.Response(status=self.status)
