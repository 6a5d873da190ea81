"""Authentication over HTTP: which tokens are accepted, and where their keys come from."""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt

from service_runtime.http import auth
from service_runtime.http.auth import Authenticator, InvalidToken
from service_runtime.http.jwks import VerificationKey, VerificationKeys
from service_runtime.http.signing_keys import JwksOverHttp, KeysUnavailable
from testkit.http_edge import SCOPE, EdgeClient, build_body
from testkit.tokens import TokenIssuer, generate_key


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://someone-else.example"},
        {"aud": "another-service"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"sub": None},
        {"sub": "test.person@example.org"},
        {"sub": "Test Person"},
        {"council": None},
        {"iss": None},
        {"provider_id": "not-an-id"},
    ],
)
async def test_a_token_with_wrong_claims_is_refused(client: EdgeClient, claims: dict[str, object]) -> None:
    token = client.issuer.issue_token(SCOPE, **claims)  # pyright: ignore[reportArgumentType]
    status, content, headers = await client.request("POST", "/v1/withdrawals", body=build_body(), token=token)
    assert status == 401
    assert headers["WWW-Authenticate"].startswith('Bearer error="invalid_token", error_description="the bearer token ')
    assert token not in str(content)


def build_unsigned_token(issuer: TokenIssuer, algorithm: str) -> str:
    _, claims, _ = issuer.issue_token(SCOPE).split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "test-1"}).encode()).decode().rstrip("=")
    return f"{header}.{claims}."


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256"])
async def test_a_token_without_a_valid_signature_is_refused(client: EdgeClient, algorithm: str) -> None:
    token = build_unsigned_token(client.issuer, algorithm)
    assert (await client.request("POST", "/v1/withdrawals", body=build_body(), token=token))[0] == 401


async def test_a_token_signed_with_an_unknown_key_is_refused(client: EdgeClient) -> None:
    for key_id in ("unknown", "test-1"):
        token = client.issuer.issue_token(SCOPE, signed_with=generate_key(key_id))
        assert (await client.request("POST", "/v1/withdrawals", body=build_body(), token=token))[0] == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "." * 100])
async def test_text_that_is_no_token_is_refused(client: EdgeClient, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    assert (await client.request("POST", "/v1/withdrawals", body=build_body(), headers=headers, anonymous=True))[
        0
    ] == 401


async def test_a_request_without_token_or_scope_is_refused(client: EdgeClient) -> None:
    status, _, headers = await client.request("POST", "/v1/withdrawals", body=build_body(), anonymous=True)
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
    other = client.issuer.issue_token("another:scope")
    status, content, _ = await client.request("POST", "/v1/withdrawals", body=build_body(), token=other)
    assert (status, content["detail"]) == (403, f"this request needs the scope {SCOPE}")
    assert (await client.request("GET", "/v1/parked"))[0] == 403


@pytest.mark.parametrize("kind", ["RSA", "P-256", "Ed25519"])
async def test_tokens_of_every_allowed_key_type_are_accepted(kind: str) -> None:
    async with TokenIssuer().serve() as issuer:
        issuer.rotate_key(generate_key("other", key_type=kind))
        authenticator = Authenticator(JwksOverHttp(issuer.jwks_url), issuer=issuer.issuer, audience="calloff")
        caller = await authenticator.authenticate(issuer.issue_token("a", "b", provider_id=str(uuid4())))
        assert caller.scopes == {"a", "b"}
        assert caller.actor.startswith("provider:")


async def test_without_any_keys_the_caller_is_asked_to_retry_later() -> None:
    authenticator = Authenticator(JwksOverHttp("http://127.0.0.1:1/"), issuer="x", audience="calloff")
    with pytest.raises(KeysUnavailable):
        await authenticator.authenticate(TokenIssuer().issue_token())


@dataclass
class KeySource:
    """A source of keys whose set can be exchanged."""

    keys: VerificationKeys

    async def get(self) -> VerificationKeys:
        return self.keys

    def refresh_for(self, key_id: str) -> bool:
        return False


def build_keys(key_id: str, key: VerificationKey) -> VerificationKeys:
    return VerificationKeys(((key_id, key),))


async def test_a_signature_is_verified_once_with_the_same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    key, verified = generate_key("test-1"), list[str]()
    decode = jwt.decode

    def count_and_decode(token: str, *rest: Any, **named: Any) -> Any:  # Any: passed on
        verified.append(token)
        return decode(token, *rest, **named)

    monkeypatch.setattr(jwt, "decode", count_and_decode)
    issuer = TokenIssuer()
    authenticator = Authenticator(KeySource(build_keys("test-1", key)), issuer=issuer.issuer, audience="calloff")
    first, second = (issuer.issue_token(name, signed_with=key) for name in ("first", "second"))
    for token in (first, first, second, first, second):
        await authenticator.authenticate(token)
    assert verified == [first, second]


async def test_a_token_is_refused_once_its_key_is_no_longer_served() -> None:
    issuer, key = TokenIssuer(), generate_key("test-1")
    source = KeySource(build_keys("test-1", key))
    authenticator = Authenticator(source, issuer=issuer.issuer, audience="calloff")
    token = issuer.issue_token(signed_with=key)
    await authenticator.authenticate(token)
    source.keys = build_keys("test-2", generate_key("test-2"))
    with pytest.raises(InvalidToken):
        await authenticator.authenticate(token)


async def test_a_token_that_was_accepted_before_is_refused_after_its_end() -> None:
    issuer, key, now = TokenIssuer(), generate_key("test-1"), int(time.time())
    authenticator = Authenticator(
        KeySource(build_keys("test-1", key)), issuer=issuer.issuer, audience="calloff", now=lambda: now
    )
    token = issuer.issue_token(signed_with=key, exp=now + 600)
    await authenticator.authenticate(token)
    now += 600 + auth.LEEWAY + 1
    with pytest.raises(InvalidToken):
        await authenticator.authenticate(token)


async def test_the_number_of_tokens_that_are_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "MAX_VERIFIED", 3)
    issuer, key = TokenIssuer(), generate_key("test-1")
    authenticator = Authenticator(KeySource(build_keys("test-1", key)), issuer=issuer.issuer, audience="calloff")
    for name in "abcdefgh":
        await authenticator.authenticate(issuer.issue_token(name, signed_with=key))
        kept = vars(authenticator)["_verified"]
        assert 1 <= len(kept) <= auth.MAX_VERIFIED
