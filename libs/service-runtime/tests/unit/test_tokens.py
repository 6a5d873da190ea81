"""Tokens: the usual forms of claims are accepted, anything else is refused in words that never repeat the token."""

import base64
import json
import time

import pytest
from joserfc import jws, jwt

from service_runtime.http.auth import Authenticator, Caller, InvalidToken
from service_runtime.http.jwks import VerificationKeys
from service_runtime.http.tokens import MAX_TOKEN
from testkit.tokens import TokenIssuer, generate_key

KEY = generate_key("test-1")
ISSUER = TokenIssuer()
NOW = 1_800_000_000


class FixedKeys:
    """A source that has one key."""

    async def get(self) -> VerificationKeys:
        return KEYS

    def refresh_for(self, key_id: str) -> bool:
        return False


KEYS = VerificationKeys((("test-1", KEY),))


async def authenticate(token: str) -> Caller:
    authenticator = Authenticator(FixedKeys(), issuer=ISSUER.issuer, audience="calloff", now=lambda: NOW)
    return await authenticator.authenticate(token)


def issue(**claims: object) -> str:
    return ISSUER.issue_token("a", "b", signed_with=KEY, **{"exp": NOW + 60, **claims})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": "a b"},
        {"scope": ["a", "b"]},
        {"scope": ["a b", 7, None]},
        {"scope": None, "scp": "a b"},
        {"scope": None, "scp": ["a", "b"]},
        {"scope": "a", "scp": ["b"]},
        {"aud": ["another", "calloff"]},
        {"aud": ["calloff"]},
        {"azp": "abc", "client_id": "abc", "appid": ["abc"], "jti": 7, "value": 1},
        {"exp": NOW + 60.5, "nbf": NOW - 0.5, "iat": NOW - 0.5},
        {"exp": 10**300, "nbf": NOW + 20, "iat": NOW + 20},
        {"exp": 1e308, "iat": 0, "nbf": -1},
        {"exp": NOW - 20},
    ],
)
async def test_the_usual_forms_of_claims_are_accepted(claims: dict[str, object]) -> None:
    assert (await authenticate(issue(**claims))).scopes == {"a", "b"}


@pytest.mark.parametrize(
    "subject", ["abc@clients", "auth0|5f7c8ec7c33c6c004bbafe82", "00u1a2b3c4D5e6F7G8h9", "urn:system:7", "a.b-c_d"]
)
async def test_an_opaque_subject_is_accepted_and_recorded_as_the_actor(subject: str) -> None:
    assert (await authenticate(issue(sub=subject))).actor == f"system:{subject}"


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"sub": "jane.testperson@example.org"}, "must not be an e-mail address"),
        ({"sub": "jane@clients.example.org"}, "must not be an e-mail address"),
        ({"sub": "jane@clients@clients"}, "sub must be an opaque identifier"),
        ({"sub": "@clients"}, "sub must be an opaque identifier"),
        ({"sub": "Jane Testperson"}, "sub must be an opaque identifier"),
        ({"sub": "jane\n"}, "sub must be an opaque identifier"),
        ({"sub": "x" * 65}, "at most 64"),
        ({"sub": ["a"]}, "sub must be text"),
        ({"sub": None}, "lacks the claim sub"),
        ({"sub": ""}, "sub"),
        ({"council": None}, "lacks the claim council"),
        ({"council": ["amberside"]}, "council must be at most 64"),
        ({"council": "amberside@clients"}, "council must be at most 64"),
        ({"provider_id": "seventeen"}, "provider_id must be a UUID"),
        ({"provider_id": []}, "provider_id must be a UUID"),
        ({"aud": ["another"]}, "aud does not name this installation"),
        ({"aud": {"calloff": 1}}, "aud does not name this installation"),
        ({"aud": []}, "aud does not name this installation"),
        ({"iss": ["https://identity.example"]}, "iss is not the identity provider"),
        ({"iss": "https://else.example"}, "iss is not the identity provider"),
        ({"exp": None}, "lacks the claim exp"),
        ({"exp": NOW - 31}, "has expired"),
        ({"exp": "soon"}, "exp must be a number of seconds"),
        ({"exp": True}, "exp must be a number of seconds"),
        ({"exp": float("nan")}, "exp must be a number of seconds"),
        ({"exp": float("inf")}, "exp must be a number of seconds"),
        ({"nbf": NOW + 31}, "nbf is in the future"),
        ({"iat": NOW + 31}, "iat is in the future"),
        ({"iat": "now"}, "iat is in the future or not a number"),
    ],
)
async def test_a_claim_that_is_not_accepted_is_named(claims: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidToken) as refused:
        await authenticate(issue(**claims))
    assert words in str(refused.value)
    assert "testperson" not in str(refused.value).lower()
    assert "else.example" not in str(refused.value)
    assert refused.value.challenge.isprintable()
    assert refused.value.challenge.count('"') == 4


@pytest.mark.parametrize(
    "header",
    [{"typ": "at+jwt"}, {"typ": "application/at+jwt"}, {"nonce": "n", "rh": 7}, {"x5t": "abc"}, {"pad": "x" * 2_000}],
)
async def test_header_parameters_of_identity_providers_are_accepted(header: dict[str, object]) -> None:
    assert (await authenticate(sign(json.dumps(build_claims()), header))).subject == "system-1"


def build_claims(**changed: object) -> dict[str, object]:
    return {
        "iss": ISSUER.issuer,
        "aud": "calloff",
        "sub": "system-1",
        "exp": NOW + 60,
        "council": "amberside",
        **changed,
    }


def sign(payload: str, header: dict[str, object]) -> str:
    """Signs any payload under any header; `jwt.encode` refuses odd ones."""
    encoded = ".".join(encode(each) for each in ({"alg": "Ed25519", "kid": "test-1", **header}, payload))
    algorithm = jws.JWSRegistry.algorithms["Ed25519"]
    return f"{encoded}.{encode(algorithm.sign(encoded.encode(), KEY))}"


def encode(part: object) -> str:
    content = part if isinstance(part, bytes) else (part if isinstance(part, str) else json.dumps(part)).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


HMAC_WITH_PUBLIC_KEY = {"alg": "HS256", "kid": "test-1"}
ODD_TOKENS = {
    "none": (f"{encode({'alg': 'none'})}.{encode(build_claims())}.", "must be signed with one of RS256, ES256"),
    "no algorithm": (f"{encode({})}.{encode(build_claims())}.AA", "must be signed with one of"),
    "an algorithm that is no text": (f"{encode({'alg': ['RS256']})}.{encode({})}.AA", "must be signed with one of"),
    "hmac": (f"{encode(HMAC_WITH_PUBLIC_KEY)}.{encode(build_claims())}.AAAA", "must be signed with one of"),
    "critical parameters": (sign("{}", {"crit": ["exp"]}), "crit"),
    "unencoded payload": (sign("{}", {"crit": ["b64"], "b64": False}), "crit"),
    "critical parameters of another type": (sign("{}", {"crit": 7}), "crit"),
    "another key type": (f"{encode({'alg': 'RS256', 'kid': 'test-1'})}.{encode({})}.AA", "no valid signature"),
    "another key": (ISSUER.issue_token(signed_with=generate_key("test-1")), "no valid signature"),
    "an unknown key": (ISSUER.issue_token(signed_with=generate_key("unknown")), "no valid signature"),
    "a key id that is no text": (sign("{}", {"kid": ["test-1"]}), "no valid signature"),
    "a changed payload": (
        f"{issue().split('.')[0]}.{encode(build_claims())}.{issue().split('.')[2]}",
        "no valid signature",
    ),
    "a payload that is no JSON": (sign("claims", {}), "payload that is not a JSON object"),
    "a payload that is a list": (sign("[]", {}), "payload that is not a JSON object"),
    "a deep payload": (sign("[" * 5_000, {}), "payload that is not a JSON object"),
    "a deep header": (f"{encode('[' * 5_000)}.e30.AA", "header that is not base64url"),
    "a header that is a list": (f"{encode([])}.e30.AA", "header that is not a JSON object"),
    "a header that is no base64": ("*.e30.AA", "header that is not base64url"),
    "a megabyte": ("a" * 1_000_000, f"longer than {MAX_TOKEN}"),
    "a megabyte of dots": ("." * 1_000_000, f"longer than {MAX_TOKEN}"),
    "other letters": ("é.ü.ß", "three parts with dots"),
    "an encrypted token": ("a.b.c.d.e", "three parts with dots"),
    "nothing": ("", "three parts with dots"),
}


@pytest.mark.parametrize(("token", "words"), ODD_TOKENS.values(), ids=ODD_TOKENS.keys())
async def test_an_odd_token_is_refused_in_words(token: str, words: str) -> None:
    with pytest.raises(InvalidToken) as refused:
        await authenticate(token)
    assert words in str(refused.value)
    assert not token or token not in str(refused.value)
    assert refused.value.challenge.startswith('Bearer error="invalid_token", error_description="the bearer token ')


async def test_a_token_without_a_key_id_is_verified_with_all_fitting_keys() -> None:
    token = jwt.encode({"alg": "Ed25519"}, build_claims(exp=int(time.time()) + 10**9), KEY, algorithms=["Ed25519"])
    assert (await authenticate(token)).council == "amberside"
