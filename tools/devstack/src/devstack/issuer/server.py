"""The identity provider over HTTP: its keys at `/.well-known/jwks.json`, tokens by client credentials at `/token`."""

import hmac
from base64 import b64decode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import unquote_plus

from aiohttp import web

from devstack.embedded.ports import LOOPBACK
from devstack.errors import UnknownIdentity
from devstack.issuer.identities import Identity, check_council, find_identity
from devstack.issuer.tokens import JWKS_PATH, TOKEN_LIFETIME, TOKEN_PATH, TokenIssuer
from devstack.keys import StackKeys


def build_issuer_app(issuer: TokenIssuer, keys: StackKeys) -> web.Application:
    """OAuth2's client-credentials grant (RFC 6749, section 4.4) and the JWKS endpoint; no other part of OAuth2."""

    async def show_keys(_: web.Request) -> web.Response:
        return web.json_response(issuer.build_jwks())

    async def issue_token(request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        if form.get("grant_type") != "client_credentials":
            return _build_error_response("unsupported_grant_type", "send grant_type=client_credentials")
        client = _authenticate_client(*_read_credentials(request, form), keys)
        if client is None:
            return _build_error_response("invalid_client", "unknown client or wrong secret", status=401)
        body = {"access_token": issuer.issue_token(client), "token_type": "Bearer", "expires_in": TOKEN_LIFETIME}
        return web.json_response(body, headers={"Cache-Control": "no-store"})

    app = web.Application()
    app.add_routes([web.get(JWKS_PATH, show_keys), web.post(TOKEN_PATH, issue_token)])
    return app


def _read_credentials(request: web.Request, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret from the Authorization header (HTTP Basic), else from the form."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        # A provider's client id contains a colon; secrets do not.
        client_id, _, secret = b64decode(credentials, validate=True).decode().rpartition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client_id), secret


def _authenticate_client(client_id: str, secret: str, keys: StackKeys) -> Identity | None:
    try:
        identity = find_identity(client_id)
        check_council(identity)
    except UnknownIdentity:
        return None
    known = hmac.compare_digest(keys.derive_client_secret(identity.client_id).encode(), secret.encode())
    return identity if known else None


def _build_error_response(error: str, description: str, *, status: int = 400) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)


@asynccontextmanager
async def serve_app(app: web.Application, port: int, *, host: str = LOOPBACK) -> AsyncGenerator[None]:
    """Serves an application within the context, on the loopback address unless a host is given."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
