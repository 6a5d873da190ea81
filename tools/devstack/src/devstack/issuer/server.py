"""The identity provider over HTTP: its keys at `/.well-known/jwks.json`, tokens by client credentials at `/token`."""

import hmac
from base64 import b64decode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import unquote_plus

from aiohttp import web

from devstack.embedded.ports import LOOPBACK
from devstack.errors import UnknownIdentity
from devstack.issuer.identities import Identity, identity_named
from devstack.issuer.tokens import JWKS_PATH, TOKEN_PATH, VALID_FOR, TokenIssuer
from devstack.keys import Keys


def issuer_app(issuer: TokenIssuer, keys: Keys) -> web.Application:
    """OAuth2's client-credentials grant (RFC 6749, 4.4), and nothing else of OAuth2."""

    async def show_keys(_: web.Request) -> web.Response:
        return web.json_response(issuer.jwks())

    async def give_token(request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        if form.get("grant_type") != "client_credentials":
            return _refusal("unsupported_grant_type", "send grant_type=client_credentials")
        client = _client(*_credentials(request, form), keys)
        if client is None:
            return _refusal("invalid_client", "no such client, or not its secret", status=401)
        body = {"access_token": issuer.token(client), "token_type": "Bearer", "expires_in": VALID_FOR}
        return web.json_response(body, headers={"Cache-Control": "no-store"})

    app = web.Application()
    app.add_routes([web.get(JWKS_PATH, show_keys), web.post(TOKEN_PATH, give_token)])
    return app


def _credentials(request: web.Request, form: dict[str, str]) -> tuple[str, str]:
    """From the Authorization header (HTTP Basic), else from the form."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        # A provider's client id has a colon in it, its secret has none.
        client_id, _, secret = b64decode(given, validate=True).decode().rpartition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client_id), secret


def _client(client_id: str, secret: str, keys: Keys) -> Identity | None:
    try:
        identity = identity_named(client_id)
    except UnknownIdentity:
        return None
    known = hmac.compare_digest(keys.client_secret(identity.client_id).encode(), secret.encode())
    return identity if known else None


def _refusal(error: str, description: str, *, status: int = 400) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)


@asynccontextmanager
async def serving(app: web.Application, port: int) -> AsyncGenerator[None]:
    """Serve an application on the loopback address while the context lasts."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
        yield
    finally:
        await runner.cleanup()
