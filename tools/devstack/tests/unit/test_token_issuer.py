"""Tokens of the stack's own issuer are what the services' own check accepts, and say no more than they may."""

import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from urllib.parse import quote_plus
from uuid import UUID

import aiohttp
import pytest

from calloff.client import FromIssuer
from devstack.errors import ServiceRefused, UnknownIdentity
from devstack.issuer.identities import KNOWN, identity_named
from devstack.issuer.server import issuer_app, serving
from devstack.issuer.tokens import AUDIENCE, JWKS_PATH, TokenIssuer
from devstack.keys import Keys
from service_runtime.http.auth import Authenticator, InvalidToken, JwksOverHttp

PROVIDER = UUID("0197a3c0-0000-7000-8000-000000000001")


@pytest.fixture
async def issuer_url() -> AsyncIterator[tuple[str, Keys]]:
    """An issuer that runs, with the keys it signs with."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    keys, url = Keys(), f"http://127.0.0.1:{port}"
    async with serving(issuer_app(TokenIssuer(url, keys), keys), port):
        yield url, keys


def authenticator(url: str) -> Authenticator:
    return Authenticator(JwksOverHttp(url + JWKS_PATH), issuer=url, audience=AUDIENCE)


@pytest.mark.parametrize("name", [*KNOWN, f"provider:{PROVIDER}"])
async def test_a_token_by_client_credentials_is_accepted_with_its_scopes(
    name: str, issuer_url: tuple[str, Keys]
) -> None:
    url, keys = issuer_url
    async with aiohttp.ClientSession() as session:
        token = await FromIssuer(session, url, keys).for_(identity_named(name))

    caller = await authenticator(url).caller(token)

    assert caller.scopes == set(identity_named(name).scopes)
    assert (caller.council, caller.provider_id) == ("essex", identity_named(name).provider_id)


async def test_a_wrong_secret_gets_no_token(issuer_url: tuple[str, Keys]) -> None:
    url, _ = issuer_url
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ServiceRefused, match="no token"):
            await FromIssuer(session, url, Keys()).for_(identity_named("council"))


async def test_a_client_may_show_its_secret_by_http_basic(issuer_url: tuple[str, Keys]) -> None:
    url, keys = issuer_url
    name = f"provider:{PROVIDER}"
    form = {"grant_type": "client_credentials"}
    basic = b64encode(f"{quote_plus(name)}:{keys.client_secret(name)}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    async with aiohttp.ClientSession() as session, session.post(url + "/token", data=form, headers=headers) as answer:
        assert answer.status == 200


async def test_another_grant_is_refused(issuer_url: tuple[str, Keys]) -> None:
    url, _ = issuer_url
    async with aiohttp.ClientSession() as session, session.post(url + "/token", data={"grant_type": "x"}) as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, "unsupported_grant_type")


async def test_a_token_ends_after_an_hour(issuer_url: tuple[str, Keys]) -> None:
    url, keys = issuer_url
    old = TokenIssuer(url, keys, clock=lambda: 1_700_000_000).token(identity_named("council"))
    with pytest.raises(InvalidToken, match="Expired"):
        await authenticator(url).caller(old)


async def test_a_token_of_another_stack_is_refused(issuer_url: tuple[str, Keys]) -> None:
    url, _ = issuer_url
    foreign = TokenIssuer(url, Keys()).token(identity_named("council"))
    with pytest.raises(InvalidToken):
        await authenticator(url).caller(foreign)


def test_a_name_that_nobody_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownIdentity, match=r"council, officer, second-officer, admin, operator, provider:<id>"):
        identity_named("provider:17")
