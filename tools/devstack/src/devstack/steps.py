"""The steps by which a stack comes up; each shows how far it is, and says in one line what went wrong."""

import asyncio
import importlib.util
import os
import shutil
import sys
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

import devstack.telemetry
from contracts.catalogue import TOPICS
from devstack.config import ROLES, SERVICES, ServiceKind, Surroundings
from devstack.databases import create_databases
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres, Process, fetch_kafka_jars
from devstack.embedded.processes import last_lines
from devstack.errors import StackFailed
from devstack.home import KAFKA_JARS, KAFKA_POM, Home
from devstack.keys import Keys
from devstack.names import TELEMETRY
from devstack.processes import Watched, in_thread
from devstack.screen import Screen
from devstack.service_processes import Sibling, share_imports, stop_sharing
from devstack.telemetry.receiver import READY
from service_runtime.kafka.client import create_topics
from simulator import postcodes

READY_WITHIN: Final = 120.0
_LOOKS_EVERY: Final = 0.1
NOTHING_MORE: Final[Mapping[str, str]] = {}


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Side by side; the first that fails ends the others, and is what is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


async def start_postgres(server: EmbeddedPostgres, keys: Keys, screen: Screen) -> None:
    with screen.step("PostgreSQL"):
        await in_thread(server.start)
        await create_databases(server, {role: keys.databases[role] for role in ROLES})


async def start_kafka(server: EmbeddedKafka, screen: Screen) -> None:
    with screen.step("Kafka") as step:
        await in_thread(fetch_kafka_jars, KAFKA_POM, KAFKA_JARS, progress=step.note)
        step.note("starting")
        await in_thread(server.start)
        await create_topics(server.bootstrap, TOPICS)


async def build_postcodes(home: Home, screen: Screen) -> None:
    """In a process of its own: building takes memory that is given back only by ending."""
    if any(home.postcodes.glob("*.index")):
        return
    home.postcodes.mkdir(parents=True, exist_ok=True)
    progress = home.logs / "postcodes.log"
    progress.unlink(missing_ok=True)
    with screen.step("Postcode directory") as step:
        building = Process.start([sys.executable, "-m", postcodes.__name__, home.postcodes], log=progress)
        ended = asyncio.ensure_future(in_thread(building.wait))
        while not ended.done():
            await asyncio.wait({ended}, timeout=_LOOKS_EVERY)
            step.at(_share_in(progress))
        if await ended != 0:
            raise StackFailed(f"the index of postcodes cannot be built:\n{last_lines(progress)}")


def _share_in(log: Path) -> float:
    try:
        return float(last_lines(log, 1))
    except ValueError:
        return 0.0


async def migrate(around: Surroundings, screen: Screen, *, identity: str) -> None:
    """Every service's own `migrate`, unless this very database has had these very scripts: asking takes seconds."""
    done = around.home.migrated
    scripts = "\n".join([identity, *[name for service in SERVICES for name in _scripts_of(service)]])
    if done.exists() and done.read_text() == scripts:
        return
    with screen.step("Migrations"):
        await together(*[_migrate(service, around) for service in SERVICES])
    done.write_text(scripts)


def _scripts_of(service: ServiceKind) -> list[str]:
    """Their names tell; a script that was run is never changed."""
    package = importlib.util.find_spec(service.package)  # found, not imported
    folders = package.submodule_search_locations or [] if package else []
    return sorted(str(script) for folder in folders for script in Path(folder).glob("migrations/versions/*.py"))


async def _migrate(service: ServiceKind, around: Surroundings) -> None:
    log = around.home.logs / f"{service.name}-migrate.log"
    migrating = Sibling(service.name, service.package, around.environment(service), log, ["migrate"])
    await in_thread(migrating.start)
    if await in_thread(migrating.wait) != 0:
        raise StackFailed(f"the database of {service.name} cannot be migrated; {log} says:\n{last_lines(log)}")


def siblings(around: Surroundings, also: Mapping[str, str] = NOTHING_MORE) -> dict[str, Sibling]:
    """Every service, by the address that tells when it is ready; `also` is added to its environment."""
    share_imports(ROLES)
    return {f"{around.addresses.url(service.name)}/readyz": _sibling(service, around, also) for service in SERVICES}


def _sibling(service: ServiceKind, around: Surroundings, also: Mapping[str, str]) -> Sibling:
    log = around.home.logs / f"{service.name}.log"
    return Sibling(service.name, service.package, {**around.environment(service), **also}, log)


def telemetry(around: Surroundings) -> dict[str, Sibling]:
    """Whom the services tell what they do, by the address that tells when it is ready; none where another is named."""
    if not around.receives_telemetry:
        return {}
    given = [str(around.home.telemetry), str(around.addresses.ports[TELEMETRY])]
    log = around.home.logs / f"{TELEMETRY}.log"
    receiver = Sibling(TELEMETRY, devstack.telemetry.__name__, os.environ, log, given)
    return {around.addresses.url(TELEMETRY) + READY: receiver}


async def start_programs(
    title: str, programs: Mapping[str, Watched], screen: Screen, session: aiohttp.ClientSession
) -> None:
    """Start programs by the address that tells when each is ready, and wait until all are."""
    with screen.step(title) as step:
        waiting = set(programs)

        async def start(address: str, program: Watched) -> None:
            await in_thread(program.start)
            await _until_ready(address, program, session)
            waiting.discard(address)
            step.at(1 - len(waiting) / len(programs))

        await together(*[start(address, program) for address, program in programs.items()])


async def _until_ready(address: str, program: Watched, session: aiohttp.ClientSession) -> None:
    try:
        async with asyncio.timeout(READY_WITHIN):
            while not await _is_ready(address, session):
                if not program.running:
                    raise StackFailed(f"{program.name} ended; {program.log} says:\n{last_lines(program.log)}")
                await asyncio.sleep(_LOOKS_EVERY)
    except TimeoutError:
        message = f"{program.name} is not ready after {READY_WITHIN:.0f} s; {program.log} says:"
        advice = "Where the databases are an older version's, `calloff up --fresh` begins with empty ones."
        raise StackFailed(f"{message}\n{last_lines(program.log)}\n{advice}") from None


async def _is_ready(address: str, session: aiohttp.ClientSession) -> bool:
    try:
        async with session.get(address) as answer:
            return answer.status < 500
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


async def stop_all(
    programs: Sequence[Watched], *servers: EmbeddedPostgres | EmbeddedKafka, told: Sequence[Watched] = ()
) -> None:
    """Services first, so that they can finish what they have in hand; then whom they told, and what they stand on."""
    await asyncio.gather(*[in_thread(program.stop) for program in programs])
    await asyncio.gather(*[in_thread(program.stop) for program in told])
    await in_thread(stop_sharing)
    await asyncio.gather(*[in_thread(server.stop) for server in servers])


def forget(home: Home) -> None:
    """Delete what a stack has been told; what was downloaded or computed from it stays."""
    if home.postgres.exists():
        server = EmbeddedPostgres(home.postgres)
        server.prepare()  # as root its data may lie elsewhere, and only a prepared server knows where
        server.discard()
    for folder in (home.kafka, home.logs, home.telemetry.parent):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (home.seeded, home.migrated, home.endpoint_secrets, home.people, home.stack):
        file.unlink(missing_ok=True)
