"""Process: the entry point of a service. It serves until SIGTERM, or runs one of the `process_commands`."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

import uvloop

from contracts.errors import CallOffError
from service_runtime.http.server import raise_descriptor_limit
from service_runtime.observability.export import TelemetryEndpoint
from service_runtime.observability.logs import build_logger
from service_runtime.process_commands import check_command, run_command
from service_runtime.runner import Runner
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from service_runtime.simulated_clock.simulation import Simulation
from service_runtime.startup.checks import list_checks
from service_runtime.startup.errors import StartRefused
from service_runtime.startup.listeners import check_listeners
from service_runtime.startup.reading import find_typos, read_settings

SettingsT = TypeVar("SettingsT", bound=RuntimeSettings)

COLLECTION_THRESHOLDS: Final = (50_000, 20, 10)
"""Thresholds of Python's garbage collector, in new objects and in collections of the generation before.

Decisions in progress hold thousands of objects that reference counting frees a moment later. With Python's 700 they
were searched for cycles again and again, which took 7 to 15% of a service's processor time (decision 0024).
"""


def run(settings_type: type[SettingsT], build: Callable[[SettingsT], Service[Any]]) -> None:
    """Runs `python -m <service>`: serves until SIGTERM; with a command of `process_commands` does that and ends."""
    name = settings_type.__module__.partition(".")[0].replace("_", "-")
    try:
        sys.exit(_run(settings_type, build, sys.argv[1:]))
    except StartRefused as refused:
        for line in refused.lines:
            print(f"calloff {name}: {line}", file=sys.stderr)  # noqa: T201  for a person, before there is a log
        sys.exit(refused.exit_status)


def _run(settings_type: type[SettingsT], build: Callable[[SettingsT], Service[Any]], arguments: Sequence[str]) -> int:
    """Returns the exit status. Raises StartRefused."""
    check_command(arguments)
    service = _build(read_settings(settings_type), build)
    if arguments:
        return run_command(service, arguments)
    check_listeners(service.settings)
    raise_descriptor_limit()
    gc.set_threshold(*COLLECTION_THRESHOLDS)
    uvloop.run(_serve(service, find_typos(settings_type)))
    return 0


def _build(settings: SettingsT, build: Callable[[SettingsT], Service[Any]]) -> Service[Any]:
    try:
        return build(settings)
    except StartRefused:
        raise
    except CallOffError as error:
        raise StartRefused(str(error)) from error


async def _serve(service: Service[Any], typos: Sequence[str]) -> None:
    settings = service.settings
    log = build_logger(service.name, level=settings.log_level)
    for typo in typos:
        log.warning("unknown setting", reason=typo)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulation = Simulation.from_settings(settings)
    if simulation is not None:
        service = replace(service, clock=simulation.clock)
    runner = Runner(service, log=log, simulation=simulation, checks=list_checks(service, log))
    async with runner.export_telemetry(_build_telemetry_endpoint(settings)):
        await runner.run(stop)
    log.info("service ended")


def _build_telemetry_endpoint(settings: RuntimeSettings) -> TelemetryEndpoint | None:
    if settings.otlp_endpoint is None:
        return None
    return TelemetryEndpoint(settings.otlp_endpoint, settings.trace_sample_ratio, settings.metrics_every_ms / 1000)
