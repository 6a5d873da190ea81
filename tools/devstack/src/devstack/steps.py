"""The steps of starting a stack; each shows its progress and raises StackFailed with the reason."""

import asyncio
import importlib.util
import os
import shutil
import sys
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

import devstack.postcode_index
import devstack.telemetry
from contracts.catalogue import TOPICS
from devstack.config import PACKAGES, SERVICES, ServiceDefinition, StackConfig
from devstack.databases import create_databases
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres, Process, fetch_kafka_jars
from devstack.embedded.processes import read_last_lines
from devstack.errors import StackFailed
from devstack.home import KAFKA_JARS, KAFKA_POM, Home
from devstack.keys import StackKeys
from devstack.names import TELEMETRY
from devstack.processes import ManagedProcess, run_in_thread
from devstack.screen import Screen
from devstack.service_processes import ServiceProcess, preload_packages, stop_fork_server
from devstack.telemetry.receiver import READY_PATH
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.topic_admin import create_topics

READY_TIMEOUT: Final = 120.0
_POLL_INTERVAL: Final = 0.1
PRIVILEGES_VERSION: Final = "privileges 1"
"""Changed with `service_runtime.postgres.grants`, so that a stack of an older version gets the new privileges."""
NO_EXTRA_ENVIRONMENT: Final[Mapping[str, str]] = {}


async def run_concurrently(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Runs coroutines concurrently; the first failure cancels the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in coroutines:
                group.create_task(coroutine)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


async def start_postgres(server: EmbeddedPostgres, keys: StackKeys, screen: Screen) -> None:
    with screen.show_step("PostgreSQL"):
        await run_in_thread(server.start)
        await create_databases(server, SERVICES, keys.databases)


async def start_kafka(server: EmbeddedKafka, screen: Screen) -> None:
    with screen.show_step("Kafka") as step:
        await run_in_thread(fetch_kafka_jars, KAFKA_POM, KAFKA_JARS, progress=step.set_detail)
        step.set_detail("starting")
        await run_in_thread(server.start)
        await create_topics(KafkaConnection(server.bootstrap), TOPICS)


async def build_postcode_index(home: Home, screen: Screen) -> None:
    """Builds the index in its own process, because the memory is returned only when that ends."""
    if any(home.postcodes.glob("*.index")):
        return
    home.postcodes.mkdir(parents=True, exist_ok=True)
    progress = home.logs / "postcodes.log"
    progress.unlink(missing_ok=True)
    with screen.show_step("Postcode directory") as step:
        building = Process.start([sys.executable, "-m", devstack.postcode_index.__name__, home.postcodes], log=progress)
        ended = asyncio.ensure_future(run_in_thread(building.wait))
        while not ended.done():
            await asyncio.wait({ended}, timeout=_POLL_INTERVAL)
            step.set_progress(_read_progress(progress))
        if await ended != 0:
            raise StackFailed(f"the postcode index cannot be built:\n{read_last_lines(progress)}")


def _read_progress(log: Path) -> float:
    try:
        return float(read_last_lines(log, 1))
    except ValueError:
        return 0.0


async def migrate_databases(config: StackConfig, screen: Screen, *, cluster_id: str) -> None:
    """Runs `migrate` of every service; skips it where the same scripts have run on this cluster, to save seconds."""
    marker = config.home.migration_marker
    scripts = "\n".join(
        [cluster_id, PRIVILEGES_VERSION, *[name for service in SERVICES for name in _list_migrations(service)]]
    )
    if marker.exists() and marker.read_text() == scripts:
        return
    with screen.show_step("Migrations"):
        await run_concurrently(*[_migrate_service(service, config) for service in SERVICES])
    marker.write_text(scripts)


def _list_migrations(service: ServiceDefinition) -> list[str]:
    """The paths of the migrations; a migration that has run is never changed, so paths are enough to compare."""
    package = importlib.util.find_spec(service.package)  # not imported
    folders = package.submodule_search_locations or [] if package else []
    return sorted(str(script) for folder in folders for script in Path(folder).glob("migrations/versions/*.py"))


async def _migrate_service(service: ServiceDefinition, config: StackConfig) -> None:
    log = config.home.logs / f"{service.name}-migrate.log"
    migrating = ServiceProcess(
        service.name, service.package, config.build_migration_environment(service), log, ["migrate"]
    )
    await run_in_thread(migrating.start)
    if await run_in_thread(migrating.wait) != 0:
        raise StackFailed(
            f"the database of {service.name} cannot be migrated; {log} ends with:\n{read_last_lines(log)}"
        )


def build_service_processes(
    config: StackConfig, extra_environment: Mapping[str, str] = NO_EXTRA_ENVIRONMENT
) -> dict[str, ServiceProcess]:
    """Every process of every service, by the URL of its readiness check; `extra_environment` overrides settings."""
    preload_packages(PACKAGES)
    if config.replicas:
        return {
            each.readiness_url: ServiceProcess(
                each.name,
                next(service.package for service in SERVICES if service.name == each.service),
                {**config.build_replica_environment(each), **extra_environment},
                config.home.logs / each.log_name,
            )
            for each in config.replicas
        }
    return {
        f"{config.addresses.get_url(service.name)}/readyz": _build_service_process(service, config, extra_environment)
        for service in SERVICES
    }


def _build_service_process(
    service: ServiceDefinition, config: StackConfig, extra_environment: Mapping[str, str]
) -> ServiceProcess:
    log = config.home.logs / f"{service.name}.log"
    return ServiceProcess(
        service.name, service.package, {**config.build_environment(service), **extra_environment}, log
    )


def build_telemetry_receiver(config: StackConfig) -> dict[str, ServiceProcess]:
    """The OTLP receiver, by the URL of its readiness check; empty where telemetry goes to another receiver."""
    if not config.receives_telemetry:
        return {}
    arguments = [str(config.home.telemetry_file), str(config.addresses.ports[TELEMETRY])]
    log = config.home.logs / f"{TELEMETRY}.log"
    receiver = ServiceProcess(TELEMETRY, devstack.telemetry.__name__, os.environ, log, arguments)
    return {config.addresses.get_url(TELEMETRY) + READY_PATH: receiver}


async def start_programs(
    title: str, programs: Mapping[str, ManagedProcess], screen: Screen, session: aiohttp.ClientSession
) -> None:
    """Starts programs, by the URL of their readiness checks, and waits until all are ready. Raises StackFailed."""
    with screen.show_step(title) as step:
        waiting = set(programs)

        async def start(address: str, program: ManagedProcess) -> None:
            await run_in_thread(program.start)
            await _wait_until_ready(address, program, session)
            waiting.discard(address)
            step.set_progress(1 - len(waiting) / len(programs))

        await run_concurrently(*[start(address, program) for address, program in programs.items()])


async def _wait_until_ready(address: str, program: ManagedProcess, session: aiohttp.ClientSession) -> None:
    try:
        async with asyncio.timeout(READY_TIMEOUT):
            while not await _is_ready(address, session):
                if not program.is_running:
                    raise StackFailed(f"{program.name} ended; {program.log} ends with:\n{read_last_lines(program.log)}")
                await asyncio.sleep(_POLL_INTERVAL)
    except TimeoutError:
        message = f"{program.name} is not ready after {READY_TIMEOUT:.0f} s; {program.log} ends with:"
        advice = "If the databases are of an older version, start with empty ones: `calloff up --fresh`."
        raise StackFailed(f"{message}\n{read_last_lines(program.log)}\n{advice}") from None


async def _is_ready(address: str, session: aiohttp.ClientSession) -> bool:
    try:
        async with session.get(address) as answer:
            return answer.status < 500
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


async def stop_all(
    programs: Sequence[ManagedProcess],
    *servers: EmbeddedPostgres | EmbeddedKafka,
    receivers: Sequence[ManagedProcess] = (),
) -> None:
    """Stops services first, so that they finish work in progress; then telemetry receivers, then servers."""
    await asyncio.gather(*[run_in_thread(program.stop) for program in programs])
    await asyncio.gather(*[run_in_thread(program.stop) for program in receivers])
    await run_in_thread(stop_fork_server)
    await asyncio.gather(*[run_in_thread(server.stop) for server in servers])


def delete_data(home: Home) -> None:
    """Deletes databases, events, logs and telemetry; downloads and the postcode index stay."""
    if home.postgres.exists():
        server = EmbeddedPostgres(home.postgres)
        server.prepare()  # for root the data can be in another folder, which prepare finds
        server.discard()
    for folder in (home.kafka, home.logs, home.telemetry_file.parent):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (home.seed_marker, home.migration_marker, home.endpoint_secrets, home.person_counter, home.record_file):
        file.unlink(missing_ok=True)
