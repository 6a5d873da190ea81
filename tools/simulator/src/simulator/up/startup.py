"""From nothing to a stack that works: the order in which its parts are started, each finding what it stands on."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import aiohttp

from calloff.client import Caller, FromIssuer, PatientCaller, http_session
from devstack.config import OTLP, ROLES, Addresses, Surroundings
from devstack.databases import identity_of
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.home import EXAMPLE_REFERRAL, KAFKA_JARS, Home
from devstack.issuer.identities import identity_named
from devstack.issuer.server import issuer_app, serving
from devstack.issuer.tokens import TokenIssuer
from devstack.json_lines import LineReader, LineWriter
from devstack.keys import Keys
from devstack.names import ISSUER, PRICING, RECEIVERS, REFERRAL, SOURCING
from devstack.processes import Program, Supervisor
from devstack.record import StackRecord
from devstack.screen import Screen
from devstack.service_processes import Sibling
from devstack.steps import (
    build_postcodes,
    migrate,
    siblings,
    start_kafka,
    start_postgres,
    start_programs,
    stop_all,
    telemetry,
    together,
)
from geography import PostcodeDirectory
from simulator import SEED, providers
from simulator.council import Council, Posted
from simulator.officer import Officer
from simulator.people import People, next_number
from simulator.postcodes import sample
from simulator.receivers import Received
from simulator.up.running import Running
from simulator.up.seeding import seed_market

POSTCODES_EACH: Final = 40
NO_PIDS: Final[Mapping[str, int]] = {}


@dataclass(frozen=True)
class Stack:
    """A stack that is up; nobody acts on it yet."""

    around: Surroundings
    programs: tuple[Program | Sibling, ...]
    record: StackRecord
    session: aiohttp.ClientSession
    people: People

    def running(self, *, referrals: int, a_second: float, say: Callable[[str], None]) -> Running:
        """Everybody who will act on it."""
        home, urls = self.around.home, self.record.urls
        council = Council(
            self._caller("council"), urls[REFERRAL], LineWriter[Posted](home.posted), seed=SEED, today=self._today
        )
        return Running(
            kafka_bootstrap=self.around.kafka.bootstrap,
            supervisor=Supervisor(say, [self.around.postgres, self.around.kafka, *self.programs], self._record_anew),
            council=council,
            officer=Officer(
                self._caller("officer"), self._caller("second-officer"), urls[SOURCING], urls[PRICING], seed=SEED
            ),
            next_person=lambda: self.people.person(next_number(home.people)),
            received=LineReader(home.received, Received, from_end=True),
            to_post=referrals,
            a_second=a_second,
            on_real_time=self.around.simulated_from is None,
        )

    def _today(self) -> date:
        """The day on which the council begins; on a simulated clock the first one."""
        return (self.around.simulated_from or datetime.now(UTC)).date()

    def welcome(self, *, seconds: float) -> str:
        """What a person wants to know now: where everything is, and one line to try."""
        pages = "\n".join(f"  {name:18} {address}" for name, address in self.record.docs.items())
        command = _from_here(Path(sys.executable).with_name("calloff"))
        return (
            f"Call-off is up after {seconds:.1f} s. How to call it, and try it:\n{pages}\n"
            f"Post a referral yourself, and follow it:\n"
            f"  curl -s {self.record.urls[REFERRAL]}/v1/referrals \\\n"
            f'    -H "Authorization: Bearer $({command} token --as council)" \\\n'
            f"    -H 'Content-Type: application/json' -d @{_from_here(EXAMPLE_REFERRAL)}\n"
            f"  {command} referral show <referral_id>\n"
            f"  {command} trace <package_id>\n"
            f"Logs: {_from_here(self.record.logs)}"
        )

    def _record_anew(self) -> None:
        """Process ids change; addresses do not."""
        pids = _pids(self.around, self.programs)
        self.record.model_copy(update={"pids": pids}).write(self.around.home)

    def _caller(self, name: str) -> Caller:
        tokens = FromIssuer(self.session, self.record.issuer, self.around.keys)
        return Caller(self.session, tokens, identity_named(name))


async def bring_up(
    home: Home,
    addresses: Addresses,
    screen: Screen,
    held: AsyncExitStack,
    *,
    simulated_from: datetime | None = None,
) -> Stack:
    """`held` ends everything that was started, however far this got."""
    home.logs.mkdir(parents=True, exist_ok=True)
    around = replace(_surroundings(home, addresses), simulated_from=simulated_from)
    session = await held.enter_async_context(http_session())
    issuer = TokenIssuer(around.addresses.url(ISSUER), around.keys)
    await held.enter_async_context(serving(issuer_app(issuer, around.keys), around.addresses.ports[ISSUER]))
    told = telemetry(around)
    programs = {**siblings(around), around.addresses.url(RECEIVERS): _providers_systems(around), **told}
    others = [program for address, program in programs.items() if address not in told]
    held.push_async_callback(stop_all, others, around.postgres, around.kafka, told=tuple(told.values()))
    _record(around).write(home)

    async def start_all() -> None:
        """Services come up beside Kafka and wait for it: importing them takes longer than it does."""
        await _prepare_databases(around, screen)
        await start_programs("Services", programs, screen, session)

    await together(start_all(), start_kafka(around.kafka, screen))
    record = _record(around, pids=_pids(around, programs.values()))
    record.write(home)
    admin = PatientCaller(session, FromIssuer(session, record.issuer, around.keys), identity_named("admin"))
    await seed_market(around, admin, screen)
    directory = PostcodeDirectory.open(home.postcodes)
    people = People(sample(directory, each=POSTCODES_EACH, seed=SEED), seed=SEED)
    return Stack(around, tuple(programs.values()), record, session, people)


def _surroundings(home: Home, addresses: Addresses) -> Surroundings:
    return Surroundings(
        home=home,
        keys=Keys.of(home, roles=ROLES),
        addresses=addresses,
        postgres=EmbeddedPostgres(home.postgres),
        kafka=EmbeddedKafka(home.kafka, KAFKA_JARS),
        receives_telemetry=OTLP not in os.environ,
    )


async def _prepare_databases(around: Surroundings, screen: Screen) -> None:
    await together(start_postgres(around.postgres, around.keys, screen), build_postcodes(around.home, screen))
    await migrate(around, screen, identity=await identity_of(around.postgres))


def _providers_systems(around: Surroundings) -> Program:
    home = around.home
    command: list[str | Path] = [sys.executable, "-m", providers.__name__, home.folder]
    return Program("providers", command, {**os.environ, **around.clock()}, home.logs / "providers.log")


def _record(around: Surroundings, pids: Mapping[str, int] = NO_PIDS) -> StackRecord:
    urls = around.addresses.services
    return StackRecord(
        pid=os.getpid(),
        issuer=around.addresses.url(ISSUER),
        urls=urls,
        docs={name: f"{url}/docs" for name, url in urls.items()},
        kafka_bootstrap=around.kafka.bootstrap,
        postgres_port=around.postgres.port,
        receivers=around.addresses.url(RECEIVERS),
        pids=dict(pids),
        logs=around.home.logs,
        secrets=around.home.secrets,
        simulated=around.simulated_from is not None,
    )


def _pids(around: Surroundings, programs: Iterable[Program | Sibling]) -> dict[str, int]:
    servers = {"postgres": around.postgres.pid, "kafka": around.kafka.pid}
    return servers | {program.name: program.pid for program in programs if program.pid is not None}


def _from_here(path: Path) -> Path:
    """As a person types it where they stand."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
