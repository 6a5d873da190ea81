"""A stack for a purpose: servers and services that nobody acts on yet, and a market in its register."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import aiohttp

from calloff.client import ApiClient, IssuerTokenSource, RetryingApiClient, open_http_session
from devstack.config import ROLES, Addresses, StackConfig
from devstack.databases import read_cluster_id
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.home import KAFKA_JARS, Home
from devstack.issuer.identities import PROVIDER, find_identity
from devstack.issuer.server import build_issuer_app, serve_app
from devstack.issuer.tokens import TokenIssuer
from devstack.json_lines import JsonLinesWriter
from devstack.keys import StackKeys
from devstack.names import ISSUER, PRICING, RECEIVERS, REGISTRY
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
from simulator.market import Market
from simulator.providers import EndpointSecret
from simulator.registration import Register
from simulator.simulated_clock.service_client import OverHttp


@dataclass(frozen=True)
class Stage:
    """Everything that runs, and how to reach it."""

    config: StackConfig
    session: aiohttp.ClientSession
    key: str
    tokens: IssuerTokenSource
    programs: Mapping[str, ServiceProcess]
    """The services, by name."""

    @property
    def urls(self) -> Mapping[str, str]:
        return self.config.addresses.service_urls

    @property
    def kafka(self) -> str:
        return self.config.kafka.bootstrap

    @property
    def services(self) -> list[OverHttp]:
        return [OverHttp(name, url, key=self.key, session=self.session) for name, url in self.urls.items()]

    def caller(self, name: str) -> ApiClient:
        return ApiClient(self.session, self.tokens, find_identity(name))

    def provider(self, provider_id: UUID) -> ApiClient:
        return self.caller(f"{PROVIDER}{provider_id}")


async def set_the_stage(
    home: Home,
    screen: Screen,
    held: AsyncExitStack,
    *,
    simulated_from: datetime | None = None,
    also: Mapping[str, str] = NO_EXTRA_ENVIRONMENT,
) -> Stage:
    """`held` ends everything that was started, however far this got; `also` goes into the services' environment."""
    home.logs.mkdir(parents=True, exist_ok=True)
    config = StackConfig(
        home=home,
        keys=StackKeys.load(home, roles=ROLES),
        addresses=Addresses.from_free_ports(),
        postgres=EmbeddedPostgres(home.postgres),
        kafka=EmbeddedKafka(home.kafka, KAFKA_JARS),
    )
    session = await held.enter_async_context(open_http_session())
    issuer = TokenIssuer(config.addresses.get_url(ISSUER), config.keys)
    await held.enter_async_context(serve_app(build_issuer_app(issuer, config.keys), config.addresses.ports[ISSUER]))
    tokens = IssuerTokenSource(session, config.addresses.get_url(ISSUER), config.keys)
    key = secrets.token_urlsafe(24)
    programs = build_service_processes(config, extra_environment={**also, **_standing_clock(simulated_from, key)})
    held.push_async_callback(stop_all, tuple(programs.values()), config.postgres, config.kafka)

    async def start_services() -> None:
        """They come up beside Kafka and wait for it: importing them takes longer than it does."""
        await run_concurrently(start_postgres(config.postgres, config.keys, screen), build_postcode_index(home, screen))
        await migrate_databases(config, screen, cluster_id=await read_cluster_id(config.postgres))
        await start_programs("Services", programs, screen, session)

    await run_concurrently(start_services(), start_kafka(config.kafka, screen))
    return Stage(config, session, key, tokens, {each.name: each for each in programs.values()})


def _standing_clock(at: datetime | None, key: str) -> dict[str, str]:
    """What makes a service's clock stand; nothing where time passes by itself."""
    if at is None:
        return {}
    return {"CALLOFF_SIMULATED_CLOCK": at.isoformat(), "CALLOFF_SIMULATION_KEY": key}


async def open_the_market(
    stage: Stage, market: Market, definitions: Sequence[bytes], screen: Screen, *, today: date
) -> None:
    """Framework, providers, lists, rates: as the council's market team tells them to the register."""
    addresses, home = stage.config.addresses, stage.config.home
    with screen.show_step(f"Register of {len(market.providers)} invented providers") as step:
        secrets_log = JsonLinesWriter[EndpointSecret](home.endpoint_secrets, private=True)
        register = Register(
            RetryingApiClient(stage.session, stage.tokens, find_identity("admin")),
            addresses.get_url(REGISTRY),
            addresses.get_url(PRICING),
            receivers=addresses.get_url(RECEIVERS),
            secrets=secrets_log,
            is_known=lambda _: False,
            progress=step.set_progress,
        )
        await register.register(market, definitions, today=today)
        secrets_log.close()
