"""`calloff up`: starts the whole stack on this machine, runs the simulation and stops everything."""

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
from simulator.up.simulation import RunningSimulation
from simulator.up.startup import bring_up

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class UpOptions:
    """The command's options. `stay_seconds` is None to run until Ctrl-C."""

    stay_seconds: float | None = None
    referrals: int = 120
    per_second: float = 2.0
    fresh: bool = False
    free_ports: bool = False
    simulated_from: datetime | None = None
    replicas: int = 1
    """Processes of each service."""


class Summary(BaseModel):
    """The result of a run, printed at the end."""

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


async def run_stack(home: Home, options: UpOptions, screen: Screen, *, stop: asyncio.Event) -> Summary:
    """Start the stack, run until `stop` is set or the time is over, and stop every process."""
    started_at = time.monotonic()
    with lock_home(home):
        if options.fresh:
            delete_data(home)
        addresses = Addresses.from_free_ports() if options.free_ports else Addresses.from_default_ports()
        async with AsyncExitStack() as exit_stack:
            exit_stack.callback(screen.close)
            startup = bring_up(
                home,
                addresses,
                screen,
                exit_stack,
                simulated_from=options.simulated_from,
                replicas=options.replicas,
            )
            stack = await _run_unless_stopped(stop, startup, screen)
            startup_seconds = time.monotonic() - started_at
            screen.end_startup(stack.format_welcome(seconds=startup_seconds))
            simulation = stack.create_simulation(
                referrals=options.referrals, per_second=options.per_second, print_text=screen.print_text
            )
            await _run_for(simulation, screen, stop=stop, seconds=options.stay_seconds)
            screen.close()
            screen.print_text("Stopping everything")
        return _build_summary(simulation, stack.record, seconds=startup_seconds)


async def _run_unless_stopped(stop: asyncio.Event, startup: Coroutine[Any, Any, ResultT], screen: Screen) -> ResultT:
    """Return the result of `startup`. Raises Interrupted if `stop` is set first."""
    startup_task, stop_task = asyncio.ensure_future(startup), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({startup_task, stop_task}, return_when=asyncio.FIRST_COMPLETED)
        if not startup_task.done():
            screen.print_text("Stopping everything as soon as the parts that are starting have started")
            raise Interrupted("interrupted before the stack was up; everything that was started has been stopped")
        return startup_task.result()
    finally:
        for task in (startup_task, stop_task):
            task.cancel()
        await asyncio.gather(startup_task, stop_task, return_exceptions=True)


async def _run_for(
    simulation: RunningSimulation, screen: Screen, *, stop: asyncio.Event, seconds: float | None
) -> None:
    timer = asyncio.get_running_loop().call_later(seconds, stop.set) if seconds is not None else None
    try:
        await simulation.run(screen, stop=stop)
    finally:
        if timer is not None:
            timer.cancel()


def _build_summary(simulation: RunningSimulation, record: StackRecord, *, seconds: float) -> Summary:
    overview = simulation.build_overview()
    return Summary(
        seconds_until_up=round(seconds, 1),
        posted=overview.posted,
        refused=simulation.refused,
        placed=overview.statuses[PackageStatus.PLACED],
        packages={place.value: count for place, count in overview.statuses.items()},
        declines=overview.declines,
        calls=overview.calls,
        webhooks=overview.webhooks,
        webhooks_unverified=overview.unverified,
        referral_to_webhook_ms_p50=overview.latency_p50,
        referral_to_webhook_ms_p95=overview.latency_p95,
        restarts=simulation.supervisor.restarts,
        urls=record.urls,
        docs=record.docs,
    )
