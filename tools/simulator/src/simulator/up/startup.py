"""Starts the parts of the stack in the order of their dependencies."""

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
from devstack.balancer import serve_balancers
from devstack.config import OTLP_ENDPOINT_VARIABLE, ROLES, SERVICES, Addresses, StackConfig
from devstack.councils import COUNCILS
from devstack.databases import read_cluster_id
from devstack.disk_space import require_room_to_start
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.home import EXAMPLE_REFERRAL, KAFKA_JARS, Home
from devstack.issuer.identities import find_identity, make_client_id
from devstack.issuer.server import build_issuer_app, serve_app
from devstack.issuer.tokens import TokenIssuer
from devstack.json_lines import JsonLinesReader, JsonLinesWriter
from devstack.keys import StackKeys
from devstack.names import ISSUER, PRICING, RECEIVERS, REFERRAL, SOURCING
from devstack.processes import Program, Supervisor
from devstack.record import StackRecord
from devstack.replicas import create_replicas
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
from service_runtime.kafka.connection import KafkaConnection
from simulator import SEED, providers
from simulator.council import Council, PostedReferral
from simulator.officer import Officer
from simulator.person_factory import PersonFactory, reserve_person_number
from simulator.postcodes import sample_postcodes_of_council
from simulator.referrals import CouncilReferrals
from simulator.up.seeding import seed_markets
from simulator.up.simulation import RunningSimulation, SimulatedCouncil
from simulator.webhook_receivers import WebhookLogEntry

POSTCODES_PER_DISTRICT: Final = 40
COUNCILS_OF_STACK: Final = tuple(COUNCILS)[:2]
"""The councils that refer; the market of each is registered at the first start."""
SECOND_COUNCIL_ONE_IN: Final = 10
"""One in this number of referrals is the second council's."""
NO_PIDS: Final[Mapping[str, int]] = {}


@dataclass(frozen=True)
class StartedStack:
    """A running stack without participants."""

    config: StackConfig
    programs: tuple[Program | ServiceProcess, ...]
    record: StackRecord
    session: aiohttp.ClientSession
    directory: PostcodeDirectory

    def create_simulation(
        self, *, referrals: int, per_second: float, print_text: Callable[[str], None]
    ) -> RunningSimulation:
        """Create the simulation of councils and officers on this stack.

        Of ten referrals one is the second council's, the others are the first one's.
        """
        first, second = COUNCILS_OF_STACK
        of_second = referrals // SECOND_COUNCIL_ONE_IN
        home = self.config.home
        councils = (
            self._create_council(first, referrals - of_second, per_second * (1 - 1 / SECOND_COUNCIL_ONE_IN)),
            self._create_council(second, of_second, per_second / SECOND_COUNCIL_ONE_IN),
        )
        return RunningSimulation(
            kafka=KafkaConnection(self.config.kafka.bootstrap),
            supervisor=Supervisor(
                print_text, [self.config.postgres, self.config.kafka, *self.programs], self._update_record
            ),
            councils=councils,
            received=JsonLinesReader(home.webhook_log, WebhookLogEntry, from_end=True),
            uses_real_time=self.config.simulated_from is None,
        )

    def _create_council(self, council: str, referrals: int, per_second: float) -> SimulatedCouncil:
        home, urls = self.config.home, self.record.urls
        postcodes = sample_postcodes_of_council(self.directory, council, per_district=POSTCODES_PER_DISTRICT, seed=SEED)
        referred = CouncilReferrals(council, PersonFactory(postcodes, seed=SEED), seed=SEED)
        system = Council(
            self._create_client(make_client_id(council, "council")),
            urls[REFERRAL],
            JsonLinesWriter[PostedReferral](home.council_log),
            seed=SEED,
            today=self._get_start_date,
            build=referred.build_referral,
        )
        officer = Officer(
            self._create_client(make_client_id(council, "officer")),
            self._create_client(make_client_id(council, "second-officer")),
            urls[SOURCING],
            urls[PRICING],
            seed=SEED,
        )
        return SimulatedCouncil(
            key=council,
            system=system,
            officer=officer,
            next_person=lambda: referred.create_person(reserve_person_number(home.person_counter)),
            to_post=referrals,
            per_second=per_second,
        )

    def _get_start_date(self) -> date:
        """Return today's date, or the date at which the simulated clock starts."""
        return (self.config.simulated_from or datetime.now(UTC)).date()

    def format_welcome(self, *, seconds: float) -> str:
        """Format the addresses and an example request for the user."""
        pages = "\n".join(f"  {name:18} {address}" for name, address in self.record.docs.items())
        calloff = _to_relative_path(Path(sys.executable).with_name("calloff"))
        return (
            f"Call-off is up after {seconds:.1f} s. API documentation:\n{pages}\n"
            f"Post a referral and follow it:\n"
            f"  curl -s {self.record.urls[REFERRAL]}/v1/referrals \\\n"
            f'    -H "Authorization: Bearer $({calloff} token --as council)" \\\n'
            f"    -H 'Content-Type: application/json' -d @{_to_relative_path(EXAMPLE_REFERRAL)}\n"
            f"  {calloff} referral show <referral_id>\n"
            f"  {calloff} trace <package_id>\n"
            f"Logs: {_to_relative_path(self.record.logs)}"
        )

    def _update_record(self) -> None:
        """Write the current process ids to the stack's record; addresses do not change."""
        pids = _collect_pids(self.config, self.programs)
        self.record.model_copy(update={"pids": pids}).write(self.config.home)

    def _create_client(self, name: str) -> ApiClient:
        tokens = IssuerTokenSource(self.session, self.record.issuer, self.config.keys)
        return ApiClient(self.session, tokens, find_identity(name))


async def bring_up(
    home: Home,
    addresses: Addresses,
    screen: Screen,
    exit_stack: AsyncExitStack,
    *,
    simulated_from: datetime | None = None,
    replicas: int = 1,
) -> StartedStack:
    """Start the stack. `exit_stack` stops what was started, also after a failure."""
    require_room_to_start(home)
    home.logs.mkdir(parents=True, exist_ok=True)
    config = replace(
        _build_config(home, addresses),
        simulated_from=simulated_from,
        replicas=create_replicas([service.name for service in SERVICES], replicas),
    )
    session = await exit_stack.enter_async_context(open_http_session())
    issuer = TokenIssuer(config.addresses.get_url(ISSUER), config.keys)
    await exit_stack.enter_async_context(
        serve_app(build_issuer_app(issuer, config.keys), config.addresses.ports[ISSUER])
    )
    await exit_stack.enter_async_context(serve_balancers(config.replicas, config.addresses.ports, session))
    telemetry = build_telemetry_receiver(config)
    programs = {
        **build_service_processes(config),
        config.addresses.get_url(RECEIVERS): _build_provider_program(config),
        **telemetry,
    }
    others = [program for address, program in programs.items() if address not in telemetry]
    exit_stack.push_async_callback(stop_all, others, config.postgres, config.kafka, receivers=tuple(telemetry.values()))
    _build_record(config).write(home)

    async def start_all() -> None:
        """Start the services while Kafka starts; they wait for Kafka."""
        await _prepare_databases(config, screen)
        await start_programs("Services", programs, screen, session)

    await run_concurrently(start_all(), start_kafka(config.kafka, screen))
    record = _build_record(config, pids=_collect_pids(config, programs.values()))
    record.write(home)
    tokens = IssuerTokenSource(session, record.issuer, config.keys)
    await seed_markets(
        config, COUNCILS_OF_STACK, lambda name: RetryingApiClient(session, tokens, find_identity(name)), screen
    )
    directory = PostcodeDirectory.open(home.postcodes)
    return StartedStack(config, tuple(programs.values()), record, session, directory)


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


def _build_provider_program(config: StackConfig) -> Program:
    home = config.home
    command: list[str | Path] = [sys.executable, "-m", providers.__name__, home.folder]
    return Program(
        "providers", command, {**os.environ, **config.build_clock_environment()}, home.logs / "providers.log"
    )


def _build_record(config: StackConfig, pids: Mapping[str, int] = NO_PIDS) -> StackRecord:
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
        replicas={each.name: each.readiness_url for each in config.replicas},
        logs=config.home.logs,
        secrets=config.home.secrets_file,
        simulated=config.simulated_from is not None,
    )


def _collect_pids(config: StackConfig, programs: Iterable[Program | ServiceProcess]) -> dict[str, int]:
    servers = {"postgres": config.postgres.pid, "kafka": config.kafka.pid}
    return servers | {program.name: program.pid for program in programs if program.pid is not None}


def _to_relative_path(path: Path) -> Path:
    """Return the path relative to the current folder if it is inside."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
