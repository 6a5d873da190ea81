"""A stack for a purpose: servers and services that nobody acts on yet, and a market in its register."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import aiohttp

from calloff.client import Caller, FromIssuer, PatientCaller, http_session
from devstack.config import ROLES, Addresses, Surroundings
from devstack.databases import identity_of
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.home import KAFKA_JARS, Home
from devstack.issuer.identities import PROVIDER, identity_named
from devstack.issuer.server import issuer_app, serving
from devstack.issuer.tokens import TokenIssuer
from devstack.json_lines import LineWriter
from devstack.keys import Keys
from devstack.names import ISSUER, PRICING, RECEIVERS, REGISTRY
from devstack.screen import Screen
from devstack.service_processes import Sibling
from devstack.steps import (
    NOTHING_MORE,
    build_postcodes,
    migrate,
    siblings,
    start_kafka,
    start_postgres,
    start_programs,
    stop_all,
    together,
)
from simulator.market import Market
from simulator.providers import EndpointSecret
from simulator.registering import Register
from simulator.simulated_clock.services import OverHttp


@dataclass(frozen=True)
class Stage:
    """Everything that runs, and how to reach it."""

    around: Surroundings
    session: aiohttp.ClientSession
    key: str
    tokens: FromIssuer
    programs: Mapping[str, Sibling]
    """The services, by name."""

    @property
    def urls(self) -> Mapping[str, str]:
        return self.around.addresses.services

    @property
    def kafka(self) -> str:
        return self.around.kafka.bootstrap

    @property
    def services(self) -> list[OverHttp]:
        return [OverHttp(name, url, key=self.key, session=self.session) for name, url in self.urls.items()]

    def caller(self, name: str) -> Caller:
        return Caller(self.session, self.tokens, identity_named(name))

    def provider(self, provider_id: UUID) -> Caller:
        return self.caller(f"{PROVIDER}{provider_id}")


async def set_the_stage(
    home: Home,
    screen: Screen,
    held: AsyncExitStack,
    *,
    simulated_from: datetime | None = None,
    also: Mapping[str, str] = NOTHING_MORE,
) -> Stage:
    """`held` ends everything that was started, however far this got; `also` goes into the services' environment."""
    home.logs.mkdir(parents=True, exist_ok=True)
    around = Surroundings(
        home=home,
        keys=Keys.of(home, roles=ROLES),
        addresses=Addresses.unusual(),
        postgres=EmbeddedPostgres(home.postgres),
        kafka=EmbeddedKafka(home.kafka, KAFKA_JARS),
    )
    session = await held.enter_async_context(http_session())
    issuer = TokenIssuer(around.addresses.url(ISSUER), around.keys)
    await held.enter_async_context(serving(issuer_app(issuer, around.keys), around.addresses.ports[ISSUER]))
    tokens = FromIssuer(session, around.addresses.url(ISSUER), around.keys)
    key = secrets.token_urlsafe(24)
    programs = siblings(around, also={**also, **_standing_clock(simulated_from, key)})
    held.push_async_callback(stop_all, tuple(programs.values()), around.postgres, around.kafka)

    async def start_services() -> None:
        """They come up beside Kafka and wait for it: importing them takes longer than it does."""
        await together(start_postgres(around.postgres, around.keys, screen), build_postcodes(home, screen))
        await migrate(around, screen, identity=await identity_of(around.postgres))
        await start_programs("Services", programs, screen, session)

    await together(start_services(), start_kafka(around.kafka, screen))
    return Stage(around, session, key, tokens, {each.name: each for each in programs.values()})


def _standing_clock(at: datetime | None, key: str) -> dict[str, str]:
    """What makes a service's clock stand; nothing where time passes by itself."""
    if at is None:
        return {}
    return {"CALLOFF_SIMULATED_CLOCK": at.isoformat(), "CALLOFF_SIMULATION_KEY": key}


async def open_the_market(
    stage: Stage, market: Market, definitions: Sequence[bytes], screen: Screen, *, today: date
) -> None:
    """Framework, providers, lists, rates: as the council's market team tells them to the register."""
    addresses, home = stage.around.addresses, stage.around.home
    with screen.step(f"Register of {len(market.providers)} invented providers") as step:
        secrets_log = LineWriter[EndpointSecret](home.endpoint_secrets, private=True)
        register = Register(
            PatientCaller(stage.session, stage.tokens, identity_named("admin")),
            addresses.url(REGISTRY),
            addresses.url(PRICING),
            receivers=addresses.url(RECEIVERS),
            secrets=secrets_log,
            is_known=lambda _: False,
            progress=step.at,
        )
        await register.register(market, definitions, today=today)
        secrets_log.close()
