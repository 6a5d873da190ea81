"""The connection of one command to the stack that runs on this machine."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp

from calloff.client import ApiClient, LocalTokenSource, open_http_session
from devstack.home import Home, find_home
from devstack.issuer.identities import find_identity
from devstack.issuer.tokens import TokenIssuer
from devstack.keys import StackKeys
from devstack.record import StackRecord


class StackConnection:
    """The addresses of a running stack, and clients for its services."""

    def __init__(self, home: Home, record: StackRecord, session: aiohttp.ClientSession) -> None:
        self.home = home
        self.record = record
        self._session = session

    def create_client(self, name: str) -> ApiClient:
        """A client with the token of `council`, `officer`, `provider:<id>` and so on. Raises UnknownIdentity."""
        issuer = TokenIssuer(self.record.issuer, StackKeys.load(self.home))
        return ApiClient(self._session, LocalTokenSource(issuer), find_identity(name))

    def get_url(self, service: str, path: str) -> str:
        return f"{self.record.urls[service]}{path}"


@asynccontextmanager
async def connect_to_stack() -> AsyncGenerator[StackConnection]:
    """Raises NotRunning."""
    home = find_home()
    record = StackRecord.load(home)
    async with open_http_session() as session:
        yield StackConnection(home, record, session)
