"""The simulator of the compose stack: `python -m simulator.compose`.

Registers the invented market, runs the systems of all providers and the officers, and posts referrals of invented
people. The services are reached inside the network; links in webhooks name the host's addresses and are translated.
"""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from calloff.client import ApiClient, ApiResponse, IssuerTokenSource, Request, RetryingApiClient, open_http_session
from contracts.errors import CallOffError
from devstack.compose.folders import ANY_HOST, HTTP_PORT, ISSUER, ISSUER_KEYS, find_volumes
from devstack.compose.installation_files import build_url
from devstack.compose.program import wait_for_end
from devstack.compose.secrets import load_keys
from devstack.config import SERVICES
from devstack.home import FRAMEWORK_FILES, Home
from devstack.issuer.identities import PROVIDER, find_identity
from devstack.issuer.server import serve_app
from devstack.json_lines import JsonLinesWriter
from devstack.names import PRICING, REFERRAL, REGISTRY, SOURCING
from geography import PostcodeDirectory
from simulator import SEED
from simulator.council import Council, PostedReferral
from simulator.essex import build_essex_market
from simulator.officer import Officer
from simulator.person_factory import PersonFactory, reserve_person_number
from simulator.postcodes import sample_postcodes
from simulator.provider_systems import AnswerLogEntry, ProviderSystems
from simulator.providers import EndpointSecret, EndpointSecrets
from simulator.registration import MarketRegistrar
from simulator.webhook_receivers import WebhookLogEntry, WebhookReceivers

DEMO: Final = "demo"
POSTCODES_VARIABLE: Final = "CALLOFF_POSTCODE_DIRECTORY"
REFERRALS_VARIABLE: Final = "CALLOFF_DEMO_REFERRALS"
POSTCODES_PER_DISTRICT: Final = 40
REFERRALS_PER_SECOND: Final = 0.5
RETRY_DELAY: Final = 3.0
"""Seconds."""
URLS: Final = {service.name: build_url(service.name, outside=False) for service in SERVICES}
LINKS: Final = {build_url(service.name, outside=True): URLS[service.name] for service in SERVICES}
"""The services' addresses inside the network, by those that the host has for them."""


class TranslatingApiClient(ApiClient):
    """A client inside the network that follows links made for clients outside of it."""

    async def send(self, request: Request) -> ApiResponse:
        return await super().send(replace(request, url=translate_link(request.url, LINKS)))


def translate_link(url: str, addresses: Mapping[str, str]) -> str:
    """Replaces the address at the beginning of `url` by the one that is given for it."""
    for outside, inside in addresses.items():
        if url == outside or url.startswith(f"{outside}/"):
            return inside + url.removeprefix(outside)
    return url


class ComposeSimulation:
    """The participants of one compose stack. `registered` is set when the market is in place."""

    def __init__(self, home: Home, session: aiohttp.ClientSession, tokens: IssuerTokenSource) -> None:
        self._home = home
        self._session = session
        self._tokens = tokens
        self.registered = asyncio.Event()

    def build_app(self) -> web.Application:
        """The providers' endpoints, and a probe that is ready when the market is registered."""
        systems = ProviderSystems(
            sourcing_url=URLS[SOURCING],
            create_client=lambda provider_id: self._create_client(f"{PROVIDER}{provider_id}"),
            log=JsonLinesWriter[AnswerLogEntry](self._home.answer_log),
            seed=SEED,
        )
        receivers = WebhookReceivers(
            EndpointSecrets(self._home).get_secret,
            JsonLinesWriter[WebhookLogEntry](self._home.webhook_log),
            choose_reaction=systems.choose_reaction,
            handle_webhook=systems.handle_webhook,
        )
        app = receivers.build_app()
        app.add_routes([web.get("/readyz", self._answer_ready)])
        return app

    async def run(self, referrals: int) -> None:
        """Registers the market once, then posts and works until it is cancelled."""
        await self._register_until_done()
        self.registered.set()
        officer = Officer(
            self._create_client("officer"),
            self._create_client("second-officer"),
            URLS[SOURCING],
            URLS[PRICING],
            seed=SEED,
        )
        await asyncio.gather(self._post_referrals(referrals), officer.run())

    async def _register_until_done(self) -> None:
        while True:
            try:
                return await self._register_market()
            except CallOffError as error:  # a service that is slow or down; what is registered already stays so
                _report(f"the market cannot be registered yet: {error}")
                await asyncio.sleep(RETRY_DELAY)

    async def _register_market(self) -> None:
        if self._home.seed_marker.exists():
            return
        market, log = (
            build_essex_market(seed=SEED),
            JsonLinesWriter[EndpointSecret](self._home.endpoint_secrets, private=True),
        )
        secrets = EndpointSecrets(self._home)
        registrar = MarketRegistrar(
            RetryingApiClient(self._session, self._tokens, find_identity("admin")),
            URLS[REGISTRY],
            URLS[PRICING],
            second_client=RetryingApiClient(self._session, self._tokens, find_identity("second-admin")),
            receivers_url=build_url(DEMO, outside=False),
            secrets=log,
            is_known=lambda provider_id: secrets.get_secret(provider_id) is not None,
            progress=lambda _: None,
        )
        definitions = [file.read_bytes() for file in FRAMEWORK_FILES]
        await registrar.register_market(market, definitions, today=datetime.now(UTC).date())
        log.close()
        self._home.seed_marker.touch()
        _report(f"{len(market.providers)} invented providers are registered")

    async def _post_referrals(self, count: int) -> None:
        directory = PostcodeDirectory.open(Path(os.environ[POSTCODES_VARIABLE]))
        people = PersonFactory(sample_postcodes(directory, per_district=POSTCODES_PER_DISTRICT, seed=SEED), seed=SEED)
        log = JsonLinesWriter[PostedReferral](self._home.council_log)
        await Council(self._create_client("council"), URLS[REFERRAL], log, seed=SEED).post_steadily(
            lambda: people.create_person(reserve_person_number(self._home.person_counter)),
            count=count,
            per_second=REFERRALS_PER_SECOND,
            on_posted=lambda posted: _report(f"posted referral {posted.referral_id}, package {posted.package_id}"),
        )

    def _create_client(self, name: str) -> ApiClient:
        return TranslatingApiClient(self._session, self._tokens, find_identity(name))

    async def _answer_ready(self, _: web.Request) -> web.Response:
        if self.registered.is_set():
            return web.Response(text="ready")
        return web.Response(status=503, text="the market is being registered")


async def simulate() -> None:
    volumes = find_volumes()
    home, keys = Home(volumes / DEMO), load_keys(volumes / ISSUER / ISSUER_KEYS)
    home.logs.mkdir(parents=True, exist_ok=True)
    async with open_http_session() as session:
        simulation = ComposeSimulation(
            home, session, IssuerTokenSource(session, build_url(ISSUER, outside=False), keys)
        )
        async with serve_app(simulation.build_app(), HTTP_PORT, host=ANY_HOST), asyncio.TaskGroup() as group:
            running = group.create_task(simulation.run(int(os.environ.get(REFERRALS_VARIABLE) or 20)))
            await wait_for_end()
            running.cancel()


def _report(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the log of the container


if __name__ == "__main__":
    asyncio.run(simulate())
