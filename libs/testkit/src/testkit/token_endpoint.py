"""A token endpoint of an identity provider for tests: client credentials in, a signed token out, over TLS."""

import secrets
import ssl
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web

from testkit.certificates import Authority
from testkit.tokens import LOOPBACK, TokenIssuer


class TokenEndpoint:
    """Answers at `url` while `serve` runs; `request_count` counts the requests."""

    def __init__(self, issuer: TokenIssuer, *, audience: str, life: int = 600) -> None:
        self._issuer = issuer
        self._audience = audience
        self._life = life
        self.client_id = "calloff-sourcing"
        self.client_secret = secrets.token_urlsafe(16)
        self.request_count = 0
        self.url = ""

    @asynccontextmanager
    async def serve(self, authority: Authority) -> AsyncGenerator["TokenEndpoint"]:
        app = web.Application()
        app.router.add_post("/token", self._respond)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(authority.issue(LOOPBACK))
        try:
            await web.TCPSite(runner, LOOPBACK, 0, ssl_context=tls).start()
            host, port = runner.addresses[0][:2]
            self.url = f"https://{host}:{port}/token"
            yield self
        finally:
            await runner.cleanup()

    async def _respond(self, request: web.Request) -> web.Response:
        self.request_count += 1
        form = await request.post()
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return web.json_response({"error": "invalid_client"}, status=401)
        now = int(time.time())
        token = self._issuer.issue_token("kafka", subject="sourcing", aud=self._audience, iat=now, exp=now + self._life)
        return web.json_response({"access_token": token, "expires_in": self._life, "token_type": "Bearer"})
