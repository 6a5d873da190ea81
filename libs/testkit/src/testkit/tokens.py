"""An identity provider for tests: signs tokens, and serves its keys on the loopback address."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, TypedDict, Unpack

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters, KeySet, OKPKey, RSAKey

AUDIENCE: Final = "calloff"
LOOPBACK: Final = "127.0.0.1"


class Claims(TypedDict, total=False):
    """Who the bearer of a token is; what is left out is as usual."""

    subject: str
    council: str
    provider_id: str


class TokenIssuer:
    """Signs tokens with a key of its own; `serving` makes it reachable."""

    def __init__(self, *, issuer: str = "https://identity.example", key_id: str = "test-1") -> None:
        self.issuer = issuer
        self.jwks_url = ""
        self._keys: list[RSAKey | ECKey | OKPKey] = [generate_key(key_id)]
        self.asked = 0
        self.away = False

    def issue_token(
        self,
        *scopes: str,
        subject: str = "system-1",
        council: str = "essex",
        signed_with: RSAKey | ECKey | OKPKey | None = None,
        **changed: object,
    ) -> str:
        """A token for `scopes`, good for ten minutes; `changed` sets claims, or takes them out where None."""
        usual: dict[str, object] = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "exp": int(time.time()) + 600,
            "scope": " ".join(scopes),
            "council": council,
        }
        claims = {name: value for name, value in {**usual, **changed}.items() if value is not None}
        key = signed_with or self._keys[-1]
        return jwt.encode(
            {"alg": choose_algorithm(key), "kid": key.kid}, claims, key, algorithms=[choose_algorithm(key)]
        )

    def build_bearer_header(self, *scopes: str, **claims: Unpack[Claims]) -> dict[str, str]:
        """The request header with a token for `scopes`."""
        return {"Authorization": f"Bearer {self.issue_token(*scopes, **claims)}"}

    def rotate(self, key: RSAKey | ECKey | OKPKey) -> None:
        """From now on tokens are signed with `key`; the older ones stay valid."""
        self._keys.append(key)

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
        async def jwks(_: web.Request) -> web.Response:
            self.asked += 1
            if self.away:
                raise web.HTTPServiceUnavailable
            return web.json_response(KeySet([*self._keys]).as_dict(private=False))

        app = web.Application()
        app.router.add_get("/jwks", jwks)
        return app


def generate_key(key_id: str, *, kind: str = "Ed25519") -> RSAKey | ECKey | OKPKey:
    """A new private key: `Ed25519`, `P-256` or `RSA`."""
    parameters: KeyParameters = {"kid": key_id}
    if kind == "RSA":
        return RSAKey.generate_key(2048, parameters)
    if kind == "P-256":
        return ECKey.generate_key("P-256", parameters)
    return OKPKey.generate_key("Ed25519", parameters)


def choose_algorithm(key: RSAKey | ECKey | OKPKey) -> str:
    """With which of the allowed algorithms `key` signs."""
    if isinstance(key, RSAKey):
        return "RS256"
    return "ES256" if isinstance(key, ECKey) else "Ed25519"
