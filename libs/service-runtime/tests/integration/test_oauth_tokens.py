"""Tokens for Kafka from a real token endpoint over TLS: what it does wrong is named, and no error repeats a secret."""

import asyncio
import ssl
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import SecretStr

from service_runtime.kafka.availability import explain_refusal
from service_runtime.kafka.oauth import OAuthClient, OAuthTokens, TokenRefused, TokenUnavailable
from testkit.certificates import Authority
from testkit.waiting import wait_until

SECRET = "invented-client-secret"
LEAKED = "invented-access-token"
HUGE = 50_000_000
"""Bytes."""

Answer = Callable[[], Awaitable[web.StreamResponse]]


async def answer_token(life: object = 600) -> web.StreamResponse:
    return web.json_response({"access_token": LEAKED, "expires_in": life})


def answer_status(status: int) -> Answer:
    async def answer() -> web.StreamResponse:
        return web.Response(status=status, text=SECRET, headers={"Location": "https://elsewhere.example"})

    return answer


async def answer_page() -> web.StreamResponse:
    return web.Response(text=f"<html>{SECRET}</html>", content_type="text/html")


async def answer_other_field() -> web.StreamResponse:
    return web.json_response({"token": LEAKED})


async def answer_much() -> web.StreamResponse:
    return web.Response(body=b" " * HUGE)


@dataclass
class Endpoint:
    """A token endpoint that answers as `answer` does."""

    authority: Authority
    stranger: Authority
    answer: Answer = answer_token
    secrets: list[object] = field(default_factory=list[object])
    """The clients' secrets of all requests."""
    url: str = ""

    def open(self, url: str | None = None, authority: Authority | None = None) -> OAuthTokens:
        ca_file = (authority or self.authority).ca_file
        return OAuthTokens(OAuthClient(url or self.url, "client", SecretStr(SECRET), None, ca_file))

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.secrets.append((await request.post()).get("client_secret"))
        return await self.answer()


@pytest_asyncio.fixture
async def endpoint(tmp_path: Path) -> AsyncGenerator[Endpoint]:
    authority, stranger = Authority(tmp_path / "authority"), Authority(tmp_path / "stranger", "another authority")
    endpoint = Endpoint(authority, stranger)
    app = web.Application()
    app.router.add_post("/token", endpoint.respond)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority.issue("127.0.0.1"))
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        endpoint.url = f"https://127.0.0.1:{runner.addresses[0][1]}/token"
        yield endpoint
    finally:
        await runner.cleanup()


async def fail(tokens: OAuthTokens) -> tuple[Exception, str]:
    """Returns the error of `token`, and the reason if it is a refusal."""
    with pytest.raises((TokenRefused, TokenUnavailable)) as failed:
        await tokens.token()
    shown = "".join(traceback.format_exception(failed.value))
    assert SECRET not in shown
    assert LEAKED not in shown
    return failed.value, explain_refusal(failed.value) or ""


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        (answer_status(401), "refuses the client of CALLOFF_KAFKA_OAUTH_CLIENT_ID with 401"),
        (answer_status(404), "CALLOFF_KAFKA_OAUTH_TOKEN_URL answers 404"),
        (answer_status(302), "CALLOFF_KAFKA_OAUTH_TOKEN_URL answers 302"),
        (answer_page, "CALLOFF_KAFKA_OAUTH_TOKEN_URL answers without an access_token"),
        (answer_other_field, "CALLOFF_KAFKA_OAUTH_TOKEN_URL answers without an access_token"),
        (answer_much, "CALLOFF_KAFKA_OAUTH_TOKEN_URL answers with more than 65536 bytes"),
    ],
    ids=["401", "404", "redirect", "page", "other field", "much"],
)
async def test_an_answer_that_never_holds_a_token_is_a_refusal(
    answer: Answer, because: str, endpoint: Endpoint
) -> None:
    endpoint.answer = answer
    _, reason = await fail(endpoint.open())
    assert because in reason
    assert endpoint.secrets == [SECRET]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_answer_that_passes_is_no_refusal(status: int, endpoint: Endpoint) -> None:
    endpoint.answer = answer_status(status)
    error, reason = await fail(endpoint.open())
    assert isinstance(error, TokenUnavailable)
    assert f"CALLOFF_KAFKA_OAUTH_TOKEN_URL gives no token: the identity provider answers {status}" in str(error)
    assert reason == ""


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({"authority": "stranger"}, "certificate is not accepted"),
        ({"host": "localhost"}, "not valid for 'localhost'"),
    ],
    ids=["authority", "host"],
)
async def test_a_certificate_that_does_not_fit_is_named_with_its_settings(
    changed: dict[str, str], because: str, endpoint: Endpoint
) -> None:
    url = endpoint.url.replace("127.0.0.1", changed.get("host", "127.0.0.1"))
    _, reason = await fail(endpoint.open(url, endpoint.stranger if "authority" in changed else None))
    assert reason.startswith("TLS with CALLOFF_KAFKA_OAUTH_TOKEN_URL fails: the server's certificate is not accepted")
    assert because in reason
    assert reason.endswith("check the URL and CALLOFF_KAFKA_SSL_CAFILE")


async def test_a_token_endpoint_without_tls_is_named() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"
        _, reason = await fail(OAuthTokens(OAuthClient(url, "client", SecretStr(SECRET))))
    assert "TLS with CALLOFF_KAFKA_OAUTH_TOKEN_URL fails: the server answers without TLS" in reason


@pytest.mark.parametrize("life", [None, 0, "600"])
async def test_a_token_whose_life_is_not_said_is_kept_for_a_while(life: object, endpoint: Endpoint) -> None:
    endpoint.answer = lambda: answer_token(life)
    tokens = endpoint.open()
    assert [await tokens.token(), await tokens.token()] == [LEAKED, LEAKED]
    assert len(endpoint.secrets) == 1


async def test_a_caller_that_gives_up_leaves_the_token_to_the_next(endpoint: Endpoint) -> None:
    """A check gives up after some seconds, and is made again: a slow token endpoint must not hold it up for ever."""
    released = asyncio.Event()

    async def answer_later() -> web.StreamResponse:
        await released.wait()
        return await answer_token()

    endpoint.answer = answer_later
    tokens = endpoint.open()
    first = asyncio.create_task(tokens.token())
    await wait_until(lambda: endpoint.secrets, within=60)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    released.set()
    assert await tokens.token() == LEAKED
    assert len(endpoint.secrets) == 1


async def test_a_valid_token_outlasts_a_token_endpoint_that_is_away_and_not_one_that_refuses(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service_runtime.kafka.oauth.MARGIN", 1e9)
    monkeypatch.setattr("service_runtime.kafka.oauth.LARGEST_SHARE", 1.0)
    tokens = endpoint.open()
    assert await tokens.token() == LEAKED
    endpoint.answer = answer_status(503)
    assert await tokens.token() == LEAKED
    assert len(endpoint.secrets) == 2
    tokens.forget()
    error, _ = await fail(tokens)
    assert isinstance(error, TokenUnavailable)
    endpoint.answer = answer_status(401)
    error, _ = await fail(tokens)
    assert isinstance(error, TokenRefused)
