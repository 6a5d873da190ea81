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

from calloff.client import ApiClient, IssuerTokenSource, RetryingApiClient, open_http_session
from devstack.config import OTLP_ENDPOINT_VARIABLE, ROLES, Addresses, StackConfig
from devstack.databases import read_cluster_id
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.home import EXAMPLE_REFERRAL, KAFKA_JARS, Home
from devstack.issuer.identities import find_identity
from devstack.issuer.server import build_issuer_app, serve_app
from devstack.issuer.tokens import TokenIssuer
from devstack.json_lines import JsonLinesReader, JsonLinesWriter
from devstack.keys import StackKeys
from devstack.names import ISSUER, PRICING, RECEIVERS, REFERRAL, SOURCING
from devstack.processes import Program, Supervisor
from devstack.record import StackRecord
from devstack.screen import Screen
from devstack.service_processes import ServiceProcess
from devstack.steps import (
    build_postcode_index,
    build_service_processes,
    build_telemetry_receiver,
    migrate_databases,
    run_concurrently,
    start_kafka,
    start_postgres,
    start_programs,
    stop_all,
)
from geography import PostcodeDirectory
from simulator import SEED, providers
from simulator.council import Council, Posted
from simulator.officer import Officer
from simulator.people import People, next_number
from simulator.postcodes import sample
from simulator.up.seeding import seed_market
from simulator.up.simulation import Running
from simulator.webhook_receivers import Received

POSTCODES_EACH: Final = 40
NO_PIDS: Final[Mapping[str, int]] = {}


@dataclass(frozen=True)
class Stack:
    """A stack that is up; nobody acts on it yet."""

    config: StackConfig
    programs: tuple[Program | ServiceProcess, ...]
    record: StackRecord
    session: aiohttp.ClientSession
    people: People

    def running(self, *, referrals: int, a_second: float, say: Callable[[str], None]) -> Running:
        """Everybody who will act on it."""
        home, urls = self.config.home, self.record.urls
        council = Council(
            self._caller("council"),
            urls[REFERRAL],
            JsonLinesWriter[Posted](home.council_log),
            seed=SEED,
            today=self._today,
        )
        return Running(
            kafka_bootstrap=self.config.kafka.bootstrap,
            supervisor=Supervisor(say, [self.config.postgres, self.config.kafka, *self.programs], self._record_anew),
            council=council,
            officer=Officer(
                self._caller("officer"), self._caller("second-officer"), urls[SOURCING], urls[PRICING], seed=SEED
            ),
            next_person=lambda: self.people.person(next_number(home.person_counter)),
            received=JsonLinesReader(home.webhook_log, Received, from_end=True),
            to_post=referrals,
            a_second=a_second,
            on_real_time=self.config.simulated_from is None,
        )

    def _today(self) -> date:
        """The day on which the council begins; on a simulated clock the first one."""
        return (self.config.simulated_from or datetime.now(UTC)).date()

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
        pids = _pids(self.config, self.programs)
        self.record.model_copy(update={"pids": pids}).write(self.config.home)

    def _caller(self, name: str) -> ApiClient:
        tokens = IssuerTokenSource(self.session, self.record.issuer, self.config.keys)
        return ApiClient(self.session, tokens, find_identity(name))


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
    config = replace(_build_config(home, addresses), simulated_from=simulated_from)
    session = await held.enter_async_context(open_http_session())
    issuer = TokenIssuer(config.addresses.get_url(ISSUER), config.keys)
    await held.enter_async_context(serve_app(build_issuer_app(issuer, config.keys), config.addresses.ports[ISSUER]))
    told = build_telemetry_receiver(config)
    programs = {
        **build_service_processes(config),
        config.addresses.get_url(RECEIVERS): _providers_systems(config),
        **told,
    }
    others = [program for address, program in programs.items() if address not in told]
    held.push_async_callback(stop_all, others, config.postgres, config.kafka, receivers=tuple(told.values()))
    _record(config).write(home)

    async def start_all() -> None:
        """Services come up beside Kafka and wait for it: importing them takes longer than it does."""
        await _prepare_databases(config, screen)
        await start_programs("Services", programs, screen, session)

    await run_concurrently(start_all(), start_kafka(config.kafka, screen))
    record = _record(config, pids=_pids(config, programs.values()))
    record.write(home)
    admin = RetryingApiClient(session, IssuerTokenSource(session, record.issuer, config.keys), find_identity("admin"))
    await seed_market(config, admin, screen)
    directory = PostcodeDirectory.open(home.postcodes)
    people = People(sample(directory, each=POSTCODES_EACH, seed=SEED), seed=SEED)
    return Stack(config, tuple(programs.values()), record, session, people)


def _build_config(home: Home, addresses: Addresses) -> StackConfig:
    return StackConfig(
        home=home,
        keys=StackKeys.load(home, roles=ROLES),
        addresses=addresses,
        postgres=EmbeddedPostgres(home.postgres),
        kafka=EmbeddedKafka(home.kafka, KAFKA_JARS),
        receives_telemetry=OTLP_ENDPOINT_VARIABLE not in os.environ,
    )


async def _prepare_databases(config: StackConfig, screen: Screen) -> None:
    await run_concurrently(
        start_postgres(config.postgres, config.keys, screen), build_postcode_index(config.home, screen)
    )
    await migrate_databases(config, screen, cluster_id=await read_cluster_id(config.postgres))


def _providers_systems(config: StackConfig) -> Program:
    home = config.home
    command: list[str | Path] = [sys.executable, "-m", providers.__name__, home.folder]
    return Program(
        "providers", command, {**os.environ, **config.build_clock_environment()}, home.logs / "providers.log"
    )


def _record(config: StackConfig, pids: Mapping[str, int] = NO_PIDS) -> StackRecord:
    urls = config.addresses.service_urls
    return StackRecord(
        pid=os.getpid(),
        issuer=config.addresses.get_url(ISSUER),
        urls=urls,
        docs={name: f"{url}/docs" for name, url in urls.items()},
        kafka_bootstrap=config.kafka.bootstrap,
        postgres_port=config.postgres.port,
        receivers=config.addresses.get_url(RECEIVERS),
        pids=dict(pids),
        logs=config.home.logs,
        secrets=config.home.secrets_file,
        simulated=config.simulated_from is not None,
    )


def _pids(config: StackConfig, programs: Iterable[Program | ServiceProcess]) -> dict[str, int]:
    servers = {"postgres": config.postgres.pid, "kafka": config.kafka.pid}
    return servers | {program.name: program.pid for program in programs if program.pid is not None}


def _from_here(path: Path) -> Path:
    """As a person types it where they stand."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
