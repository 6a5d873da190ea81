"""The stack of docker-compose.yml: a referral becomes an offer by webhook, an acceptance and a placement."""

import json
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio

from calloff.client import ApiClient, IssuerTokenSource, Request, RetryingApiClient, open_http_session
from contracts.example_words import Tiers
from devstack.config import SERVICES
from devstack.home import EXAMPLE_REFERRAL, FRAMEWORK_FILES
from devstack.issuer.identities import PROVIDER, find_identity
from devstack.json_lines import JsonLinesReader, JsonLinesWriter
from devstack.names import ISSUER, PRICING, REFERRAL, REGISTRY, SOURCING
from simulator import SEED
from simulator.essex import assemble_essex_market, build_essex_market
from simulator.market import InventedProvider, ProviderCondition
from simulator.providers import EndpointSecret
from simulator.registration import MarketRegistrar
from testkit.container_stack import ContainerStack
from testkit.waiting import wait_until

pytestmark = [
    pytest.mark.servers,
    pytest.mark.slow,
    pytest.mark.timeout(2400),
    pytest.mark.xdist_group("containers"),
]

DISTRICT: Final = "E07000070"
"""Chelmsford, where the example's person lives."""
WORK_TIMEOUT: Final = 600
"""Seconds for conditions that take a few seconds on a machine at rest."""

Json = dict[str, Any]  # JSON is compared as it came


@pytest_asyncio.fixture(scope="session")
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    async with open_http_session() as session:
        yield session


@pytest.fixture(scope="session")
def tokens(container_stack: ContainerStack, session: aiohttp.ClientSession) -> IssuerTokenSource:
    return IssuerTokenSource(session, container_stack.get_url(ISSUER), container_stack.load_keys())


def choose_provider() -> InventedProvider:
    """A provider of the market's that has a system and works in the district of the example, with room."""
    providers = build_essex_market(seed=SEED).providers
    provider = next(each for each in providers if each.tier == Tiers.ONE and DISTRICT in each.areas)
    places = tuple(place for place in provider.places if place.area == DISTRICT)
    rates = {DISTRICT: provider.rates[DISTRICT]}
    return replace(provider, places=places, rates=rates, condition=ProviderCondition.ORDINARY, free_hours=900)


async def register_provider(
    stack: ContainerStack, admin: ApiClient, second_admin: ApiClient, folder: Path
) -> EndpointSecret:
    provider, secrets_file = choose_provider(), folder / "endpoint-secrets.jsonl"
    log = JsonLinesWriter[EndpointSecret](secrets_file, private=True)
    registrar = MarketRegistrar(
        admin,
        stack.get_url(REGISTRY),
        stack.get_url(PRICING),
        second_client=second_admin,
        receivers_url="http://demo:8080",
        secrets=log,
        is_known=lambda _: False,
        progress=lambda _: None,
    )
    market = assemble_essex_market((provider,), seed="")
    definitions = [file.read_bytes() for file in FRAMEWORK_FILES]
    await registrar.register_market(market, definitions, today=datetime.now(UTC).date())
    log.close()
    return next(iter(JsonLinesReader(secrets_file, EndpointSecret).read_new()))


async def test_a_referral_is_offered_by_webhook_accepted_and_placed(
    container_stack: ContainerStack, session: aiohttp.ClientSession, tokens: IssuerTokenSource, tmp_path: Path
) -> None:
    admin = RetryingApiClient(session, tokens, find_identity("admin"))
    second_admin = RetryingApiClient(session, tokens, find_identity("second-admin"))
    registered = await register_provider(container_stack, admin, second_admin, tmp_path)
    token = await tokens.fetch_token(find_identity(f"{PROVIDER}{registered.provider_id}"))
    provider = container_stack.get_url("provider")
    credentials = {"secret": registered.secret, "token": token}
    async with session.post(f"{provider}/credentials", json=credentials) as stored:
        assert stored.status == 204
    council = RetryingApiClient(session, tokens, find_identity("council"))
    url = f"{container_stack.get_url(REFERRAL)}/v1/referrals"
    body = EXAMPLE_REFERRAL.read_bytes()
    posted = json.loads((await council.send(Request("POST", url, body=body, idempotency_key="container-test"))).body)
    decision_url = f"{container_stack.get_url(SOURCING)}/v1/packages/{posted['package_id']}/decision"
    officer = RetryingApiClient(session, tokens, find_identity("officer"))

    async def is_placed() -> bool:
        return json.loads((await officer.get(decision_url)).body)["status"] == "placed"

    async def fetch_received() -> Json | None:
        async with session.get(f"{provider}/received") as answer:
            shown: Json = await answer.json()
        return shown if "package.placed" in shown["received"] else None

    await wait_until(is_placed, within=WORK_TIMEOUT)
    shown = await wait_until(fetch_received, within=WORK_TIMEOUT)
    assert shown["received"][0] == "offer.made"
    assert all(status < 300 for status in shown["answers"])
    assert shown["answers"]


def test_no_secret_is_in_the_environment_of_a_container(container_stack: ContainerStack) -> None:
    for service in SERVICES:
        shown = json.dumps(container_stack.inspect(service.name))
        files = container_stack.execute(service.name, "ls", "/run/secrets").split()
        assert "CALLOFF_DATABASE_URL" in files
        for file in files:
            secret = container_stack.execute(service.name, "cat", f"/run/secrets/{file}").strip()
            assert secret not in shown, f"{file} of {service.name} is in what `docker inspect` shows"


def test_a_service_sees_its_own_secrets_only(container_stack: ContainerStack) -> None:
    urls = {
        service.name: container_stack.execute(service.name, "cat", "/run/secrets/CALLOFF_DATABASE_URL")
        for service in SERVICES
    }
    for service in SERVICES:
        mine = container_stack.execute(service.name, "sh", "-c", "cat /run/secrets/*; env")
        assert [name for name, url in urls.items() if url in mine] == [service.name]


def test_every_container_of_ours_is_hardened(container_stack: ContainerStack) -> None:
    for name in (*[service.name for service in SERVICES], ISSUER, "mail"):
        shown: Json = dict(container_stack.inspect(name))
        host = shown["HostConfig"]
        assert shown["Config"]["User"] == "10001:10001"
        assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"])
        assert host["SecurityOpt"] == ["no-new-privileges:true"]


def test_sigterm_ends_a_service_in_time_with_status_0(container_stack: ContainerStack) -> None:
    began = time.monotonic()
    container_stack.run_compose("stop", "audit")
    state: Json = dict(container_stack.inspect("audit"))["State"]  # pyright: ignore[reportAssignmentType]
    assert state["ExitCode"] == 0
    assert time.monotonic() - began < 60
    container_stack.run_compose("up", "--wait", "audit")
