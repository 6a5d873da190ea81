"""Signing keys over HTTP: an identity provider that hangs, answers oddly or rotates its keys stops nobody."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import aiohttp
import pytest
import pytest_asyncio
from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry

from service_runtime.http import signing_keys
from service_runtime.http.app import create_app
from service_runtime.http.auth import Authenticator, InvalidToken, require_scopes
from service_runtime.http.signing_keys import MAX_ANSWER, MAX_LOOKED_UP, JwksOverHttp, KeysUnavailable
from service_runtime.observability.metrics import SigningKeyMetrics
from testkit.captured_logs import CapturedLogs
from testkit.http_server import serve_app
from testkit.identity_provider import IdentityProvider
from testkit.tokens import TokenIssuer, generate_key
from testkit.waiting import wait_until

KEY: Final = generate_key("current")
ISSUER: Final = TokenIssuer()


class Seconds:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Case:
    """An identity provider, the keys fetched from it, and an authenticator that uses them."""

    def __init__(self, provider: IdentityProvider) -> None:
        self.provider, self.seconds, self.log = provider, Seconds(), CapturedLogs()
        self.registry = CollectorRegistry()
        metrics = SigningKeyMetrics(self.registry, monotonic=self.seconds)
        self.keys = JwksOverHttp(provider.url, log=self.log, metrics=metrics, monotonic=self.seconds)
        self.authenticator = Authenticator(self.keys, issuer=ISSUER.issuer, audience="calloff")

    async def call(self, key_id: str = "current", *, new: bool = False) -> str:
        key = generate_key(key_id) if new else KEY
        return (await self.authenticator.authenticate(ISSUER.issue_token(signed_with=key))).subject

    def read(self, name: str) -> float | None:
        return self.registry.get_sample_value(name)

    async def wait_until_fetched(self) -> None:
        async def is_fetched() -> bool:
            return vars(self.keys)["_fetching"] is None

        await wait_until(is_fetched)


@pytest_asyncio.fixture
async def case() -> AsyncGenerator[Case]:
    async with IdentityProvider(KEY).serve() as provider:
        yield Case(provider)


def build_app(case: Case) -> FastAPI:
    app = create_app(name="sample", description="", routes=(), ports={}, log=case.log)
    app.state.authenticator = case.authenticator

    @app.get("/v1/known", dependencies=[Depends(require_scopes("a"))])
    async def answer_known() -> str:
        return "known"

    return app


async def test_unknown_key_ids_do_not_slow_a_good_caller_while_the_identity_provider_hangs(case: Case) -> None:
    await case.call()
    case.seconds.now += 10
    case.provider.answers.clear()
    async with serve_app(build_app(case)) as url, aiohttp.ClientSession() as session:

        async def get(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(f"{url}/v1/known", headers=headers) as answer:
                assert answer.status != 503 or answer.headers["Retry-After"] == "1"
                return answer.status

        foreign = [ISSUER.issue_token("a", signed_with=generate_key(f"foreign-{number}")) for number in range(200)]
        good = ISSUER.issue_token("a", signed_with=KEY)
        statuses = await asyncio.gather(*map(get, foreign), *(get(good) for _ in range(20)))
        # The identity provider still hangs: nobody has waited for it.
        assert vars(case.keys)["_fetching"] is not None
        assert statuses == [503] * 200 + [200] * 20
        assert case.provider.request_count == 2


async def test_all_requests_wait_for_the_same_first_fetch(case: Case) -> None:
    assert await asyncio.gather(*(case.call() for _ in range(20))) == ["system-1"] * 20
    assert case.provider.request_count == 1


async def test_the_first_fetch_is_waited_for_within_a_limit(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_keys, "FIRST_WAIT", 0.05)
    case.provider.answers.clear()
    with pytest.raises(KeysUnavailable) as refused:
        await case.call()
    assert refused.value.retry_after == 2
    case.provider.answers.set()
    await case.wait_until_fetched()
    assert await case.call() == "system-1"
    assert case.provider.request_count == 1


async def test_a_key_that_is_not_known_is_unavailable_until_it_was_looked_up(case: Case) -> None:
    await case.call()
    case.seconds.now += 10
    with pytest.raises(KeysUnavailable):
        await case.call("foreign", new=True)
    await case.wait_until_fetched()
    case.seconds.now += 10
    for _ in range(5):
        with pytest.raises(InvalidToken):
            await case.call("foreign", new=True)
    assert case.provider.request_count == 2
    case.seconds.now += signing_keys.LOOKED_UP_FOR
    with pytest.raises(KeysUnavailable):
        await case.call("foreign", new=True)


async def test_a_rotated_key_is_accepted_after_one_refusal(case: Case) -> None:
    await case.call()
    case.seconds.now += 10
    rotated = generate_key("next")
    case.provider.serve_keys([KEY, rotated])
    token = ISSUER.issue_token(signed_with=rotated)
    with pytest.raises(KeysUnavailable):
        await case.authenticator.authenticate(token)
    await case.wait_until_fetched()
    assert (await case.authenticator.authenticate(token)).subject == "system-1"
    assert await case.call() == "system-1"


async def test_a_new_key_under_the_same_id_is_accepted_after_one_refusal(case: Case) -> None:
    await case.call()
    case.seconds.now += 10
    rotated = generate_key("current")
    case.provider.serve_keys([rotated])
    token = ISSUER.issue_token(signed_with=rotated)
    with pytest.raises(InvalidToken):
        await case.authenticator.authenticate(token)
    await case.wait_until_fetched()
    assert (await case.authenticator.authenticate(token)).subject == "system-1"


async def test_a_token_whose_key_was_withdrawn_is_refused_after_the_next_fetch(case: Case) -> None:
    await case.call()
    case.provider.serve_keys([generate_key("next")])
    case.seconds.now += 601
    assert await case.call() == "system-1"
    await case.wait_until_fetched()
    with pytest.raises(InvalidToken):
        await case.call()


async def test_remembered_key_ids_are_bounded(case: Case) -> None:
    await case.call()
    case.seconds.now += 10
    for number in range(MAX_LOOKED_UP + 200):
        case.keys.refresh_for(f"foreign-{number}")
    assert not case.keys.refresh_for("x" * 300)
    await case.wait_until_fetched()
    assert 1 <= len(vars(case.keys)["_looked_up"]) <= MAX_LOOKED_UP
    assert not vars(case.keys)["_wanted"]
    assert case.provider.request_count == 2


ODD: dict[str, dict[str, object]] = {
    "no keys": {"content": b'{"keys": []}'},
    "a page of a proxy": {"content": b"<html>log in</html>"},
    "an error": {"status": 500},
    "not modified": {"status": 304},
    "too much": {"content": b" " * (MAX_ANSWER + 1)},
    "a redirect": {"status": 302, "headers": {"Location": "/elsewhere"}},
    "gzip that is none": {"headers": {"Content-Encoding": "gzip"}},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
async def test_the_last_good_keys_are_kept_when_the_answer_is_odd(case: Case, odd: dict[str, object]) -> None:
    await case.call()
    vars(case.provider).update(odd)
    case.seconds.now += 601
    assert await case.call() == "system-1"
    await case.wait_until_fetched()
    assert await case.call() == "system-1"
    assert case.read("calloff_signing_key_failures_total") == 1
    assert case.read("calloff_signing_keys_age_seconds") == 601
    assert len(case.log.find_entries("signing keys not fetched")) == 1
    assert case.provider.request_count == 2


async def test_ignored_keys_are_counted_and_logged_once_without_their_ids(case: Case) -> None:
    case.provider.serve_keys([KEY, {"kty": "AKP", "kid": "jane.testperson"}, 7])
    await case.call()
    case.seconds.now += 601
    await case.call()
    await case.wait_until_fetched()
    assert case.read("calloff_signing_keys_ignored") == 2
    (entry,) = case.log.find_entries("signing keys ignored")
    assert entry.fields == {"ignored": 2, "used": 1}
