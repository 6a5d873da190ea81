"""Process: the entry point of a service. It serves until SIGTERM, migrates the database, or re-encrypts secrets."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

import uvloop

from service_runtime.http.server import raise_descriptor_limit
from service_runtime.observability.export import TelemetryEndpoint
from service_runtime.observability.logs import Logger, build_logger
from service_runtime.postgres.database import Database
from service_runtime.postgres.migrations import migrate_when_available
from service_runtime.runner import Runner
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from service_runtime.simulated_clock.simulation import Simulation
from service_runtime.startup.errors import EXIT_CONFIG, StartRefused
from service_runtime.startup.kafka import check_kafka
from service_runtime.webhooks.reencryption import reencrypt_secrets

SettingsT = TypeVar("SettingsT", bound=RuntimeSettings)

MIGRATE: Final = "migrate"
REENCRYPT: Final = "reencrypt-secrets"
COLLECTION_THRESHOLDS: Final = (50_000, 20, 10)
"""Thresholds of Python's garbage collector, in new objects and in collections of the generation before.

Decisions in progress hold thousands of objects that reference counting frees a moment later. With Python's 700 they
were searched for cycles again and again, which took 7 to 15% of a service's processor time (decision 0024).
"""


def run(settings_type: type[SettingsT], build: Callable[[SettingsT], Service[Any]]) -> None:
    """Runs `python -m <service>`: serves until SIGTERM; with an argument does that and ends.

    `migrate` upgrades the database; `reencrypt-secrets [--dry-run]` encrypts stored secrets with the first key.
    """
    # The environment provides what the constructor's signature asks for.
    settings = settings_type()  # pyright: ignore[reportCallIssue]
    service = build(settings)
    if sys.argv[1:] == [MIGRATE]:
        asyncio.run(_migrate(service))
        return
    if sys.argv[1:2] == [REENCRYPT]:
        sys.exit(asyncio.run(_reencrypt_and_close(service, dry_run="--dry-run" in sys.argv[2:])))
    raise_descriptor_limit()
    gc.set_threshold(*COLLECTION_THRESHOLDS)
    try:
        uvloop.run(_serve(service))
    except StartRefused as refusal:
        sys.stderr.writelines(f"calloff {service.name}: {line}\n" for line in refusal.lines)
        sys.exit(EXIT_CONFIG)


async def _reencrypt_and_close(service: Service[Any], *, dry_run: bool) -> int:
    """Logs the counts; returns the status of the process, 1 if there is something that cannot be decrypted."""
    log = build_logger(service.name, level=service.settings.log_level)
    try:
        if service.webhooks is None:
            log.info("this service stores no secrets of endpoints")
            return 0
        done = await reencrypt_secrets(service.database, service.webhooks.secret_box, dry_run=dry_run)
        log.info("secrets counted" if dry_run else "secrets re-encrypted", **asdict(done))
        return 1 if done.unreadable else 0
    finally:
        await service.database.close()


async def _migrate(service: Service[Any]) -> None:
    """Migrates as the owner of the tables, if the settings name one, and gives the service's role its privileges."""
    settings = service.settings
    url = (settings.migration_database_url or settings.database_url).get_secret_value()
    role = unquote(urlsplit(settings.database_url.get_secret_value()).username or "")  # may name several hosts
    database = Database(url, name=f"{service.name}-migrate")
    await migrate_when_available(database, service.migrations, service_role=role, append_only=service.append_only)


async def _serve(service: Service[Any]) -> None:
    settings = service.settings
    log = build_logger(service.name, level=settings.log_level)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulation = Simulation.from_settings(settings)
    if simulation is not None:
        service = replace(service, clock=simulation.clock)
    if not await _check_start(service, log, stop):
        return
    runner = Runner(service, log=log, simulation=simulation)
    async with runner.export_telemetry(_build_telemetry_endpoint(settings)):
        await runner.run(stop)
    log.info("service ended")


async def _check_start(service: Service[Any], log: Logger, stop: asyncio.Event) -> bool:
    """Waits for the checks; returns False if `stop` is set meanwhile. Raises StartRefused."""
    checking = asyncio.create_task(check_kafka(service, log=log))
    stopping = asyncio.create_task(stop.wait())
    try:
        ended, _ = await asyncio.wait({checking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if checking in ended and checking.exception() is None:
            return True
    finally:
        for task in (checking, stopping):
            task.cancel()
        await asyncio.gather(checking, stopping, return_exceptions=True)
    await service.database.close()
    if checking in ended:
        checking.result()
    return False


def _build_telemetry_endpoint(settings: RuntimeSettings) -> TelemetryEndpoint | None:
    if settings.otlp_endpoint is None:
        return None
    return TelemetryEndpoint(settings.otlp_endpoint, settings.trace_sample_ratio, settings.metrics_every_ms / 1000)
