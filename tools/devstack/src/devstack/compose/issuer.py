"""The token issuer of the compose stack, for trying out only: `python -m devstack.compose.issuer`.

An installation has an identity provider of its own, which the services are pointed at by CALLOFF_TOKEN_ISSUER and
CALLOFF_TOKEN_JWKS_URL.
"""

import asyncio
import os
import sys

from aiohttp import web

from devstack.compose.folders import ANY_HOST, HTTP_PORT, ISSUER, ISSUER_KEYS, ISSUER_VARIABLE, find_volumes
from devstack.compose.program import answer_ready, wait_for_end
from devstack.compose.secrets import load_keys
from devstack.issuer.server import build_issuer_app, serve_app
from devstack.issuer.tokens import TokenIssuer


async def serve() -> None:
    keys = load_keys(find_volumes() / ISSUER / ISSUER_KEYS)
    address = os.environ.get(ISSUER_VARIABLE)
    if not address:
        sys.exit(f"the token issuer needs {ISSUER_VARIABLE}, the issuer that its tokens name, such as https://id.test")
    app = build_issuer_app(TokenIssuer(address, keys), keys)
    app.add_routes([web.get("/readyz", answer_ready)])
    async with serve_app(app, HTTP_PORT, host=ANY_HOST):
        await wait_for_end()


if __name__ == "__main__":
    asyncio.run(serve())
