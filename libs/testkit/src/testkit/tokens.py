"""A token issuer for tests: signs JWTs and serves its public keys as a JWKS on the loopback address."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, TypedDict, Unpack

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters, KeySet, OKPKey, RSAKey

from contracts.examples import COUNCIL

AUDIENCE: Final = "calloff"
LOOPBACK: Final = "127.0.0.1"


class Claims(TypedDict, total=False):
    """Claims of a token; a claim that is not set has the default of `issue_token`."""

    subject: str
    council: str
    provider_id: str


class TokenIssuer:
    """Signs tokens with its own key. `serve` serves the public keys at `jwks_url`.

    `request_count` counts the requests for the keys; while `is_unavailable` is set, they get status 503.
    """

    def __init__(self, *, issuer: str = "https://identity.example", key_id: str = "test-1") -> None:
        self.issuer = issuer
        self.jwks_url = ""
        self._keys: list[RSAKey | ECKey | OKPKey] = [generate_key(key_id)]
        self.request_count = 0
        self.is_unavailable = False

    def issue_token(
        self,
        *scopes: str,
        subject: str = "system-1",
        council: str = COUNCIL,
        signed_with: RSAKey | ECKey | OKPKey | None = None,
        **changed: object,
    ) -> str:
        """Issues a token for `scopes` that is valid for ten minutes. `changed` sets claims; None removes one."""
        defaults: dict[str, object] = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "exp": int(time.time()) + 600,
            "scope": " ".join(scopes),
            "council": council,
        }
        claims = {name: value for name, value in {**defaults, **changed}.items() if value is not None}
        key = signed_with or self._keys[-1]
        return jwt.encode(
            {"alg": choose_algorithm(key), "kid": key.kid}, claims, key, algorithms=[choose_algorithm(key)]
        )

    def build_bearer_header(self, *scopes: str, **claims: Unpack[Claims]) -> dict[str, str]:
        """Builds the Authorization header with a new token for `scopes`."""
        return {"Authorization": f"Bearer {self.issue_token(*scopes, **claims)}"}

    def rotate_key(self, key: RSAKey | ECKey | OKPKey) -> None:
        """Signs further tokens with `key`. Earlier keys are still served, so earlier tokens stay valid."""
        self._keys.append(key)

    def build_key_set(self) -> dict[str, object]:
        """Builds the JWKS of the key that signs now."""
        return {**KeySet([self._keys[-1]]).as_dict(private=False)}

    @asynccontextmanager
    async def serve(self) -> AsyncGenerator["TokenIssuer"]:
        """Serves the public keys at `jwks_url`."""
        runner = web.AppRunner(self._build_app(), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, LOOPBACK, 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            self.jwks_url = f"http://{host}:{port}/jwks"
            yield self
        finally:
            await runner.cleanup()

    def _build_app(self) -> web.Application:
        async def serve_keys(_: web.Request) -> web.Response:
            self.request_count += 1
            if self.is_unavailable:
                raise web.HTTPServiceUnavailable
            return web.json_response(KeySet([*self._keys]).as_dict(private=False))

        app = web.Application()
        app.router.add_get("/jwks", serve_keys)
        return app


def generate_key(key_id: str, *, key_type: str = "Ed25519") -> RSAKey | ECKey | OKPKey:
    """Generates a private key. `key_type` is `Ed25519`, `P-256` or `RSA`."""
    parameters: KeyParameters = {"kid": key_id}
    if key_type == "RSA":
        return RSAKey.generate_key(2048, parameters)
    if key_type == "P-256":
        return ECKey.generate_key("P-256", parameters)
    return OKPKey.generate_key("Ed25519", parameters)


def choose_algorithm(key: RSAKey | ECKey | OKPKey) -> str:
    """Returns the JWS algorithm for the type of `key`."""
    if isinstance(key, RSAKey):
        return "RS256"
    return "ES256" if isinstance(key, ECKey) else "Ed25519"
