"""Tokens of the stack's own issuer are what the services' own check accepts, and say no more than they may."""

import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from urllib.parse import quote_plus
from uuid import UUID

import aiohttp
import pytest

from calloff.client import IssuerTokenSource
from calloff.connection import find_identity_of_council
from devstack.councils import COUNCILS
from devstack.errors import ServiceRefused, UnknownIdentity
from devstack.issuer.identities import KNOWN_IDENTITIES, find_identity, make_client_id
from devstack.issuer.server import build_issuer_app, serve_app
from devstack.issuer.tokens import AUDIENCE, JWKS_PATH, TokenIssuer
from devstack.keys import StackKeys
from devstack.names import COUNCIL_VARIABLE
from service_runtime.http.auth import Authenticator, InvalidToken
from service_runtime.http.signing_keys import JwksOverHttp

PROVIDER = UUID("0197a3c0-0000-7000-8000-000000000001")


@pytest.fixture
async def issuer_url() -> AsyncIterator[tuple[str, StackKeys]]:
    """An issuer that runs, with the keys it signs with."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    keys, url = StackKeys(), f"http://127.0.0.1:{port}"
    async with serve_app(build_issuer_app(TokenIssuer(url, keys), keys), port):
        yield url, keys


def authenticator(url: str) -> Authenticator:
    return Authenticator(JwksOverHttp(url + JWKS_PATH), issuer=url, audience=AUDIENCE)


@pytest.mark.parametrize("council", COUNCILS)
@pytest.mark.parametrize("client", [*KNOWN_IDENTITIES, f"provider:{PROVIDER}"])
async def test_a_token_by_client_credentials_is_accepted_with_its_council_and_its_scopes(
    council: str, client: str, issuer_url: tuple[str, StackKeys]
) -> None:
    url, keys = issuer_url
    name = make_client_id(council, client)
    async with aiohttp.ClientSession() as session:
        token = await IssuerTokenSource(session, url, keys).fetch_token(find_identity(name))

    caller = await authenticator(url).authenticate(token)

    assert caller.scopes == set(find_identity(client).scopes)
    assert (caller.council, caller.provider_id) == (council, find_identity(client).provider_id)


async def test_a_wrong_secret_gets_no_token(issuer_url: tuple[str, StackKeys]) -> None:
    url, _ = issuer_url
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ServiceRefused, match="refused a token"):
            await IssuerTokenSource(session, url, StackKeys()).fetch_token(find_identity("council"))


async def test_a_client_may_show_its_secret_by_http_basic(issuer_url: tuple[str, StackKeys]) -> None:
    url, keys = issuer_url
    name = f"provider:{PROVIDER}"
    form = {"grant_type": "client_credentials"}
    basic = b64encode(f"{quote_plus(name)}:{keys.derive_client_secret(name)}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    async with aiohttp.ClientSession() as session, session.post(url + "/token", data=form, headers=headers) as answer:
        assert answer.status == 200


async def test_another_grant_is_refused(issuer_url: tuple[str, StackKeys]) -> None:
    url, _ = issuer_url
    async with aiohttp.ClientSession() as session, session.post(url + "/token", data={"grant_type": "x"}) as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, "unsupported_grant_type")


async def test_a_token_ends_after_an_hour(issuer_url: tuple[str, StackKeys]) -> None:
    url, keys = issuer_url
    old = TokenIssuer(url, keys, clock=lambda: 1_700_000_000).issue_token(find_identity("council"))
    with pytest.raises(InvalidToken, match="has expired"):
        await authenticator(url).authenticate(old)


async def test_a_token_of_another_stack_is_refused(issuer_url: tuple[str, StackKeys]) -> None:
    url, _ = issuer_url
    foreign = TokenIssuer(url, StackKeys()).issue_token(find_identity("council"))
    with pytest.raises(InvalidToken):
        await authenticator(url).authenticate(foreign)


def test_an_unknown_name_is_refused_and_the_known_names_are_listed() -> None:
    with pytest.raises(
        UnknownIdentity, match=r"council, officer, second-officer, admin, second-admin, operator, provider:<id>"
    ):
        find_identity("provider:17")


def test_officers_of_two_councils_are_two_people() -> None:
    officers = [find_identity(make_client_id(council, "officer")) for council in COUNCILS]
    assert [each.client_id for each in officers] == ["officer", "oxfordshire/officer", "leicestershire/officer"]
    assert len({each.subject for each in officers}) == len(officers)


async def test_a_council_that_is_not_in_the_stack_gets_no_token(issuer_url: tuple[str, StackKeys]) -> None:
    url, keys = issuer_url
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ServiceRefused, match="refused a token"):
            await IssuerTokenSource(session, url, keys).fetch_token(find_identity("elsewhere/officer"))
    with pytest.raises(UnknownIdentity, match="choose one of essex, oxfordshire, leicestershire"):
        TokenIssuer(url, keys).issue_token(find_identity("elsewhere/officer"))


@pytest.mark.parametrize(
    ("council", "name", "client_id"),
    [
        (None, "officer", "officer"),
        ("oxfordshire", "officer", "oxfordshire/officer"),
        ("oxfordshire", "leicestershire/officer", "leicestershire/officer"),
    ],
)
def test_the_chosen_council_holds_for_names_without_one(
    council: str | None, name: str, client_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(COUNCIL_VARIABLE, raising=False)
    if council is not None:
        monkeypatch.setenv(COUNCIL_VARIABLE, council)
    assert find_identity_of_council(name).client_id == client_id
