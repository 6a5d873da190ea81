"""A stack for the demonstration and the benchmarks: servers, services and a registered market, without participants."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import aiohttp

from calloff.client import ApiClient, IssuerTokenSource, RetryingApiClient, open_http_session
from devstack.balancer import serve_balancers
from devstack.config import ROLES, SERVICES, Addresses, StackConfig
from devstack.databases import read_cluster_id
from devstack.disk_space import require_room_to_start
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.home import KAFKA_JARS, Home
from devstack.issuer.identities import PROVIDER, find_identity, make_client_id
from devstack.issuer.server import build_issuer_app, serve_app
from devstack.issuer.tokens import TokenIssuer
from devstack.json_lines import JsonLinesWriter
from devstack.keys import StackKeys
from devstack.names import ISSUER, PRICING, RECEIVERS, REGISTRY
from devstack.replicas import create_replicas
from devstack.screen import Screen
from devstack.service_processes import ServiceProcess
from devstack.steps import (
    NO_EXTRA_ENVIRONMENT,
    build_postcode_index,
    build_service_processes,
    migrate_databases,
    run_concurrently,
    start_kafka,
    start_postgres,
    start_programs,
    stop_all,
)
from service_runtime.kafka.connection import KafkaConnection
from simulator.market import InventedMarket
from simulator.providers import EndpointSecret
from simulator.registration import MarketRegistrar
from simulator.simulated_clock.service_client import SimulatedProcessClient


@dataclass(frozen=True)
class ServiceStack:
    """The running servers and services and their addresses."""

    config: StackConfig
    session: aiohttp.ClientSession
    key: str
    tokens: IssuerTokenSource
    programs: Mapping[str, ServiceProcess]
    """The processes of the services, by name: `sourcing`, or `sourcing 1/2` where each has several."""

    @property
    def urls(self) -> Mapping[str, str]:
        return self.config.addresses.service_urls

    @property
    def kafka(self) -> KafkaConnection:
        return KafkaConnection(self.config.kafka.bootstrap)

    @property
    def services(self) -> list[SimulatedProcessClient]:
        return [
            SimulatedProcessClient(name, url, key=self.key, session=self.session) for name, url in self.urls.items()
        ]

    def create_client(self, name: str) -> ApiClient:
        return ApiClient(self.session, self.tokens, find_identity(name))

    def create_provider_client(self, provider_id: UUID) -> ApiClient:
        """Create a client for a provider of the default council."""
        return self.create_client(f"{PROVIDER}{provider_id}")


async def start_stack(
    home: Home,
    screen: Screen,
    exit_stack: AsyncExitStack,
    *,
    simulated_from: datetime | None = None,
    extra_environment: Mapping[str, str] = NO_EXTRA_ENVIRONMENT,
    replicas: int = 1,
) -> ServiceStack:
    """Start a stack. `exit_stack` stops what was started, also after a failure.

    `extra_environment` is added to the services' environment; each service has `replicas` processes.
    """
    require_room_to_start(home)
    home.logs.mkdir(parents=True, exist_ok=True)
    config = StackConfig(
        home=home,
        keys=StackKeys.load(home, roles=ROLES),
        addresses=Addresses.from_free_ports(),
        postgres=EmbeddedPostgres(home.postgres),
        kafka=EmbeddedKafka(home.kafka, KAFKA_JARS),
        replicas=create_replicas([service.name for service in SERVICES], replicas),
    )
    session = await exit_stack.enter_async_context(open_http_session())
    issuer = TokenIssuer(config.addresses.get_url(ISSUER), config.keys)
    await exit_stack.enter_async_context(
        serve_app(build_issuer_app(issuer, config.keys), config.addresses.ports[ISSUER])
    )
    await exit_stack.enter_async_context(serve_balancers(config.replicas, config.addresses.ports, session))
    tokens = IssuerTokenSource(session, config.addresses.get_url(ISSUER), config.keys)
    key = secrets.token_urlsafe(24)
    programs = build_service_processes(
        config, extra_environment={**extra_environment, **_build_clock_environment(simulated_from, key)}
    )
    exit_stack.push_async_callback(stop_all, tuple(programs.values()), config.postgres, config.kafka)

    async def start_services() -> None:
        """Start the services while Kafka starts; they wait for Kafka."""
        await run_concurrently(start_postgres(config.postgres, config.keys, screen), build_postcode_index(home, screen))
        await migrate_databases(config, screen, cluster_id=await read_cluster_id(config.postgres))
        await start_programs("Services", programs, screen, session)

    await run_concurrently(start_services(), start_kafka(config.kafka, screen))
    return ServiceStack(config, session, key, tokens, {each.name: each for each in programs.values()})


def _build_clock_environment(start: datetime | None, key: str) -> dict[str, str]:
    """Return the variables that select the simulated clock; none for real time."""
    if start is None:
        return {}
    return {"CALLOFF_SIMULATED_CLOCK": start.isoformat(), "CALLOFF_SIMULATION_KEY": key}


async def register_market(
    stack: ServiceStack, market: InventedMarket, definitions: Sequence[bytes], screen: Screen, *, today: date
) -> None:
    """Register framework, providers, lists and rates as the market team of the market's council does."""
    addresses, home = stack.config.addresses, stack.config.home
    with screen.show_step(f"Register of {len(market.providers)} invented providers") as step:
        secrets_log = JsonLinesWriter[EndpointSecret](home.endpoint_secrets, private=True)
        register = MarketRegistrar(
            RetryingApiClient(stack.session, stack.tokens, find_identity(make_client_id(market.council, "admin"))),
            addresses.get_url(REGISTRY),
            addresses.get_url(PRICING),
            second_client=RetryingApiClient(
                stack.session, stack.tokens, find_identity(make_client_id(market.council, "second-admin"))
            ),
            receivers_url=addresses.get_url(RECEIVERS),
            secrets=secrets_log,
            is_known=lambda _: False,
            progress=step.set_progress,
        )
        await register.register_market(market, definitions, today=today)
        secrets_log.close()
