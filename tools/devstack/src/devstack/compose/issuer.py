"""The token issuer of the compose stack, for trying out only: `python -m devstack.compose.issuer [token CLIENT]`.

With `token` it prints a token for a client such as `council` and ends.

An installation has an identity provider of its own, which the services are pointed at by CALLOFF_TOKEN_ISSUER and
CALLOFF_TOKEN_JWKS_URL.
"""

import asyncio
import os
import sys
from collections.abc import Sequence

from aiohttp import web

from devstack.compose.folders import ANY_HOST, HTTP_PORT, ISSUER, ISSUER_KEYS, ISSUER_VARIABLE, find_volumes
from devstack.compose.program import answer_ready, wait_for_end
from devstack.compose.secrets import load_keys
from devstack.errors import UnknownIdentity
from devstack.issuer.identities import find_identity
from devstack.issuer.server import build_issuer_app, serve_app
from devstack.issuer.tokens import TokenIssuer
from devstack.keys import StackKeys


def create_issuer(keys: StackKeys) -> TokenIssuer:
    """An issuer whose tokens name the address in CALLOFF_TOKEN_ISSUER."""
    address = os.environ.get(ISSUER_VARIABLE)
    if not address:
        sys.exit(f"the token issuer needs {ISSUER_VARIABLE}, the issuer that its tokens name: http://127.0.0.1:8100")
    return TokenIssuer(address, keys)


async def serve(keys: StackKeys) -> None:
    app = build_issuer_app(create_issuer(keys), keys)
    app.add_routes([web.get("/readyz", answer_ready)])
    async with serve_app(app, HTTP_PORT, host=ANY_HOST):
        await wait_for_end()


def main(arguments: Sequence[str]) -> None:
    keys = load_keys(find_volumes() / ISSUER / ISSUER_KEYS)
    if not arguments:
        asyncio.run(serve(keys))
        return
    if len(arguments) != 2 or arguments[0] != "token":
        sys.exit("write `token CLIENT`, such as `token council`, or nothing to serve")
    try:
        identity = find_identity(arguments[1])
    except UnknownIdentity as unknown:
        sys.exit(str(unknown))
    print(create_issuer(keys).issue_token(identity))  # noqa: T201 - what the command is for


if __name__ == "__main__":
    main(sys.argv[1:])
