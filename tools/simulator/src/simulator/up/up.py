"""`calloff up`: everything on this machine, from nothing to referrals being placed, and all of it ended again."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from devstack.config import Addresses
from devstack.errors import Interrupted
from devstack.home import Home
from devstack.package_status import PackageStatus
from devstack.record import StackRecord, lock_home
from devstack.screen import Screen
from devstack.steps import delete_data
from simulator.up.simulation import Running
from simulator.up.startup import bring_up

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line; `stay` in seconds, None until Ctrl-C."""

    stay: float | None = None
    referrals: int = 120
    a_second: float = 2.0
    fresh: bool = False
    free_ports: bool = False
    simulated_from: datetime | None = None


class Summary(BaseModel):
    """What there is to say at the end."""

    model_config = ConfigDict(frozen=True)

    seconds_until_up: float
    posted: int
    refused: int
    placed: int
    packages: dict[str, int]
    declines: int
    calls: int
    webhooks: int
    webhooks_unverified: int
    referral_to_webhook_ms_p50: float | None
    referral_to_webhook_ms_p95: float | None
    restarts: int
    urls: dict[str, str]
    docs: dict[str, str]


async def up(home: Home, wish: Wish, screen: Screen, *, stop: asyncio.Event) -> Summary:
    """Bring the stack up, let it work until `stop` is set or its time is over, and end every process of it."""
    begun = time.monotonic()
    with lock_home(home):
        if wish.fresh:
            delete_data(home)
        addresses = Addresses.from_free_ports() if wish.free_ports else Addresses.from_default_ports()
        async with AsyncExitStack() as held:
            held.callback(screen.close)
            bringing = bring_up(home, addresses, screen, held, simulated_from=wish.simulated_from)
            stack = await _unless(stop, bringing, screen)
            until_up = time.monotonic() - begun
            screen.end_startup(stack.welcome(seconds=until_up))
            running = stack.running(referrals=wish.referrals, a_second=wish.a_second, say=screen.print_text)
            await _stay(running, screen, stop=stop, seconds=wish.stay)
            screen.close()
            screen.print_text("Ending everything")
        return _summary(running, stack.record, seconds=until_up)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, ResultT], screen: Screen) -> ResultT:
    """What the work gives. Raises Interrupted, when the work has been given up, if `stop` is set first."""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            screen.print_text("Ending everything, as soon as what is starting has started")
            raise Interrupted("it was not up yet; everything that was started is ended")
        return doing.result()
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


async def _stay(running: Running, screen: Screen, *, stop: asyncio.Event, seconds: float | None) -> None:
    clock = asyncio.get_running_loop().call_later(seconds, stop.set) if seconds is not None else None
    try:
        await running.go_on(screen, until=stop)
    finally:
        if clock is not None:
            clock.cancel()


def _summary(running: Running, record: StackRecord, *, seconds: float) -> Summary:
    seen = running.overview()
    return Summary(
        seconds_until_up=round(seconds, 1),
        posted=seen.posted,
        refused=running.council.refused,
        placed=seen.statuses[PackageStatus.PLACED],
        packages={place.value: count for place, count in seen.statuses.items()},
        declines=seen.declines,
        calls=seen.calls,
        webhooks=seen.webhooks,
        webhooks_unverified=seen.unverified,
        referral_to_webhook_ms_p50=seen.latency_p50,
        referral_to_webhook_ms_p95=seen.latency_p95,
        restarts=running.supervisor.restarts,
        urls=record.urls,
        docs=record.docs,
    )
