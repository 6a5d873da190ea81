"""An identity provider for tests that answers with any bytes, redirects, or does not answer at all."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from joserfc.jwk import ECKey, OKPKey, RSAKey

from testkit.tokens import LOOPBACK

SigningKey = RSAKey | ECKey | OKPKey


def build_key_set(*entries: SigningKey | object) -> bytes:
    """Builds a JWKS of the public parts of keys, and of any other entries as they are."""
    return json.dumps(
        {
            "keys": [
                each.as_dict(private=False) if isinstance(each, RSAKey | ECKey | OKPKey) else each for each in entries
            ]
        }
    ).encode()


class IdentityProvider:
    """Serves `content` at `url`. While `answers` is cleared, requests hang."""

    def __init__(self, *entries: SigningKey | object) -> None:
        self.content = build_key_set(*entries)
        self.status = 200
        self.headers: dict[str, str] = {}
        self.answers = asyncio.Event()
        self.answers.set()
        self.request_count = 0
        self.url = ""

    def serve_keys(self, keys: Sequence[SigningKey | object]) -> None:
        """Serves another set from now on."""
        self.content = build_key_set(*keys)

    @asynccontextmanager
    async def serve(self) -> AsyncGenerator["IdentityProvider"]:
        async def respond(_: web.Request) -> web.Response:
            self.request_count += 1
            await self.answers.wait()
            return web.Response(body=self.content, status=self.status, headers=self.headers)

        app = web.Application()
        app.router.add_get("/{name:.*}", respond)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, 0).start()
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}/jwks"
            yield self
        finally:
            self.answers.set()
            await runner.cleanup()
