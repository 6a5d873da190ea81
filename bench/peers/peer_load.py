"""The council and the providers of a compared system: posts referrals, declines two offers and accepts the third."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import aiohttp
import asyncpg
from aiohttp import web

from bench.chains import CONCURRENCY
from bench.figures import NotMeasured
from bench.percentiles import Percentiles
from devstack.embedded.ports import LOOPBACK

_CHANNEL: Final = "ordered"
_NOTIFY: Final = f"""
    CREATE FUNCTION notify_ordered() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('{_CHANNEL}', NEW.package_id::text); RETURN NULL; END $$;
    CREATE TRIGGER ordered AFTER INSERT ON purchase_orders FOR EACH ROW EXECUTE FUNCTION notify_ordered()
"""
_TIMEOUT: Final = 60.0


async def create_order_trigger(connection: asyncpg.Connection) -> None:
    """Let PostgreSQL report each purchase order; the cost is the same for every compared system."""
    await connection.execute(_NOTIFY)


@dataclass
class PeerLoad:
    """Times are from `time.perf_counter`, by package."""

    session: aiohttp.ClientSession
    url: str
    first_offer_at: dict[str, float] = field(default_factory=dict[str, float])
    declines: int = 2
    """Offers of each package that are declined before one is accepted."""
    _ordered: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    _offer_counts: Counter[str] = field(default_factory=Counter[str])
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def create_app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/webhooks/{provider}", self._receive)
        return app

    async def is_ready(self) -> bool:
        """Return whether the system answers requests."""
        try:
            async with self.session.get(f"{self.url}/health") as response:
                return response.ok
        except aiohttp.ClientError:
            return False

    @asynccontextmanager
    async def follow_orders(self, connection: asyncpg.Connection) -> AsyncGenerator[None]:
        """Learn of purchase orders for the duration of the context."""
        # The stubs of asyncpg in `typings` leave listeners out.
        await connection.add_listener(_CHANNEL, self._take_notification)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        try:
            yield
        finally:
            await connection.remove_listener(_CHANNEL, self._take_notification)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    async def run_chains(self, number: int) -> float:
        """Run chains, `CONCURRENCY` at a time, and return the chains per second."""
        self.declines = 2
        remaining = list(range(number))

        async def run_remaining() -> None:
            while remaining:
                remaining.pop()
                package, _ = await self._post()
                await self._wait_for_order(package)

        begun = time.perf_counter()
        await asyncio.gather(*(run_remaining() for _ in range(CONCURRENCY)))
        return round(number / (time.perf_counter() - begun), 1)

    async def measure_latency(self, number: int, rate: float) -> Percentiles:
        """Post at a steady rate with providers that accept immediately; return the latency to the first webhook."""
        self.declines = 0
        begun, tasks = time.perf_counter(), list[asyncio.Task[tuple[str, float]]]()
        for position in range(number):
            await asyncio.sleep(max(0.0, begun + position / rate - time.perf_counter()))
            tasks.append(asyncio.ensure_future(self._post()))
        posted: Sequence[tuple[str, float]] = await asyncio.gather(*tasks)
        for package, _ in posted:
            await self._wait_for_order(package)
        return Percentiles.from_samples([1000 * (self.first_offer_at[package] - at) for package, at in posted])

    async def _post(self) -> tuple[str, float]:
        """Post a referral; return its package and the time of the post."""
        body = {
            "reference": f"referral-{next(self._numbers)}",
            "district": "basildon",
            "service": "home-care",
            "weekly_hours": 14,
        }
        at = time.perf_counter()
        answer = await self._request(f"{self.url}/referrals", body)
        return str(answer["package_id"]), at

    async def _request(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self.session.post(url, json=body) as response:
            response.raise_for_status()
            return await response.json()

    async def _wait_for_order(self, package: str) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._get_order(package).wait()
        except TimeoutError:
            message = f"package {package} was not ordered within a minute"
            raise NotMeasured(message) from None

    def _get_order(self, package: str) -> asyncio.Event:
        return self._ordered.setdefault(package, asyncio.Event())

    def _take_notification(self, _connection: object, _pid: int, _channel: str, package: object) -> None:
        self._get_order(str(package)).set()

    async def _receive(self, request: web.Request) -> web.Response:
        at, body = time.perf_counter(), await request.json()
        task = asyncio.ensure_future(self._answer(str(body["offer_id"]), str(body["package_id"]), at))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return web.Response(status=204)

    async def _answer(self, offer: str, package: str, at: float) -> None:
        self._offer_counts[package] += 1
        self.first_offer_at.setdefault(package, at)
        answer = "accept" if self._offer_counts[package] > self.declines else "decline"
        await self._request(f"{self.url}/offers/{offer}/{answer}", {})


def get_webhooks_url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}/webhooks"
