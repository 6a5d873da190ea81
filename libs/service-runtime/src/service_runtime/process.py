"""Process: the entry point of a service. It serves until SIGTERM, or migrates the database and ends."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

import uvloop

from service_runtime.http.server import raise_descriptor_limit
from service_runtime.observability.export import TelemetryEndpoint
from service_runtime.observability.logs import build_logger
from service_runtime.postgres.migrations import migrate_and_close
from service_runtime.runner import Runner
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from service_runtime.simulated_clock.simulation import Simulation

SettingsT = TypeVar("SettingsT", bound=RuntimeSettings)

MIGRATE: Final = "migrate"
COLLECTION_THRESHOLDS: Final = (50_000, 20, 10)
"""Thresholds of Python's garbage collector, in new objects and in collections of the generation before.

Decisions in progress hold thousands of objects that reference counting frees a moment later. With Python's 700 they
were searched for cycles again and again, which took 7 to 15% of a service's processor time (decision 0024).
"""


def run(settings_type: type[SettingsT], build: Callable[[SettingsT], Service[Any]]) -> None:
    """Runs `python -m <service>`: serves until SIGTERM; with the argument `migrate` upgrades the database and ends."""
    # The environment provides what the constructor's signature asks for.
    settings = settings_type()  # pyright: ignore[reportCallIssue]
    service = build(settings)
    if sys.argv[1:] == [MIGRATE]:
        asyncio.run(migrate_and_close(service.database, service.migrations))
        return
    raise_descriptor_limit()
    gc.set_threshold(*COLLECTION_THRESHOLDS)
    uvloop.run(_serve(service))


async def _serve(service: Service[Any]) -> None:
    settings = service.settings
    log = build_logger(service.name, level=settings.log_level)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulation = Simulation.from_settings(settings)
    if simulation is not None:
        service = replace(service, clock=simulation.clock)
    runner = Runner(service, log=log, simulation=simulation)
    async with runner.export_telemetry(_build_telemetry_endpoint(settings)):
        await runner.run(stop)
    log.info("service ended")


def _build_telemetry_endpoint(settings: RuntimeSettings) -> TelemetryEndpoint | None:
    if settings.otlp_endpoint is None:
        return None
    return TelemetryEndpoint(settings.otlp_endpoint, settings.trace_sample_ratio, settings.metrics_every_ms / 1000)
