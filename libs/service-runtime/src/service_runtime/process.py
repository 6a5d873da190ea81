"""Process: the entry point of a service. It serves until SIGTERM, migrates the database, or re-encrypts secrets."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

import uvloop

from contracts.errors import CallOffError
from service_runtime.http.server import raise_descriptor_limit
from service_runtime.observability.export import TelemetryEndpoint
from service_runtime.observability.logs import build_logger
from service_runtime.postgres.migrations import migrate_when_available
from service_runtime.runner import Runner
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from service_runtime.simulated_clock.simulation import Simulation
from service_runtime.startup.checks import check_login, list_checks
from service_runtime.startup.errors import StartRefused
from service_runtime.startup.reading import find_typos, read_settings
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
    name = settings_type.__module__.partition(".")[0].replace("_", "-")
    try:
        sys.exit(_run_command(settings_type, build, sys.argv[1:]))
    except StartRefused as refused:
        for line in refused.lines:
            print(f"calloff {name}: {line}", file=sys.stderr)  # noqa: T201  for a person, before there is a log
        sys.exit(refused.exit_status)


def _run_command(
    settings_type: type[SettingsT], build: Callable[[SettingsT], Service[Any]], arguments: Sequence[str]
) -> int:
    """Returns the exit status. Raises StartRefused."""
    if arguments and arguments[0] not in {MIGRATE, REENCRYPT}:
        raise StartRefused(f"a command must be {MIGRATE} or {REENCRYPT} [--dry-run]; without one the service serves")
    settings = read_settings(settings_type)
    service = _build(settings, build)
    if not arguments:
        raise_descriptor_limit()
        gc.set_threshold(*COLLECTION_THRESHOLDS)
        uvloop.run(_serve(service, find_typos(settings_type)))
        return 0
    if arguments[0] == MIGRATE:
        asyncio.run(_migrate(service))
        return 0
    return asyncio.run(_reencrypt_and_close(service, dry_run="--dry-run" in arguments))


def _build(settings: SettingsT, build: Callable[[SettingsT], Service[Any]]) -> Service[Any]:
    try:
        return build(settings)
    except StartRefused:
        raise
    except CallOffError as error:
        raise StartRefused(str(error)) from error


async def _reencrypt_and_close(service: Service[Any], *, dry_run: bool) -> int:
    """Logs the counts; returns the status of the process, 1 if there is something that cannot be decrypted."""
    log = build_logger(service.name, level=service.settings.log_level)
    try:
        await check_login(service.database)
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
    role = unquote(urlsplit(settings.database_url.get_secret_value()).username or "")  # may name several hosts
    database = settings.open_migration_database(service.name)
    await migrate_when_available(database, service.migrations, service_role=role, append_only=service.append_only)


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
    checks = list_checks(service, log)
    runner = Runner(service, log=log, simulation=simulation, checks=checks)
    async with runner.export_telemetry(_build_telemetry_endpoint(settings)):
        await runner.run(stop)
    log.info("service ended")


def _build_telemetry_endpoint(settings: RuntimeSettings) -> TelemetryEndpoint | None:
    if settings.otlp_endpoint is None:
        return None
    return TelemetryEndpoint(settings.otlp_endpoint, settings.trace_sample_ratio, settings.metrics_every_ms / 1000)
