"""The connection of one command: to the installation in `CALLOFF_INSTALLATION`, or to the stack that runs here."""

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from calloff.client import (
    ApiClient,
    ClientCredentials,
    GivenTokenSource,
    LocalTokenSource,
    OAuthTokenSource,
    TokenSource,
    open_http_session,
)
from calloff.installation import Installation, find_installation, is_readable_by_others
from devstack.councils import DEFAULT_COUNCIL
from devstack.errors import NoCredentials
from devstack.home import Home, find_home
from devstack.issuer.identities import Identity, find_identity, has_council, make_client_id
from devstack.issuer.tokens import TokenIssuer
from devstack.keys import StackKeys
from devstack.names import COUNCIL_VARIABLE, TOKEN_VARIABLE
from devstack.record import StackRecord


@dataclass(frozen=True)
class StackConnection:
    """The addresses of the services, and clients for them."""

    urls: Mapping[str, str]
    """By service."""
    session: aiohttp.ClientSession
    tokens: TokenSource
    home: Home
    """The folder of this machine; for another installation it holds only what commands keep between two runs."""
    pids: Mapping[str, int] = field(default_factory=dict[str, int])
    """The processes of the services that run on this machine."""
    replicas: Mapping[str, str] = field(default_factory=dict[str, str])
    """The readiness checks of the processes on this machine, where a service has several."""
    installation: Installation | None = None
    """None for the stack that runs here."""

    def create_client(self, name: str) -> ApiClient:
        """A client with the token of `council`, `officer`, `provider:<id>` and so on of the chosen council.

        Raises UnknownIdentity.
        """
        return ApiClient(self.session, self.tokens, find_identity_of_council(name))

    def create_anonymous_client(self) -> ApiClient:
        """A client without a token, for what everybody may read: readiness and metrics."""
        return ApiClient(self.session, None)

    async def fetch_token(self, name: str) -> str:
        """Raises UnknownIdentity, NoCredentials, and what the identity provider refuses."""
        return await self.tokens.fetch_token(find_identity_of_council(name))

    def get_url(self, service: str, path: str) -> str:
        return f"{self.urls[service]}{path}"


def get_council() -> str:
    """Returns the council that `--council` or `CALLOFF_COUNCIL` names, else the default council."""
    return os.environ.get(COUNCIL_VARIABLE, "").strip() or DEFAULT_COUNCIL


def find_identity_of_council(name: str) -> Identity:
    """Returns the identity of the chosen council, or of the one that `name` begins with. Raises UnknownIdentity."""
    return find_identity(name if has_council(name) else make_client_id(get_council(), name))


@asynccontextmanager
async def connect_to_stack() -> AsyncGenerator[StackConnection]:
    """Raises InvalidInstallation where `CALLOFF_INSTALLATION` is set, else NotRunning."""
    installation = find_installation()
    if installation is not None:
        async with _connect_to_installation(installation) as connection:
            yield connection
        return
    home = find_home()
    record = StackRecord.load(home)
    async with open_http_session() as session:
        yield connect_to_embedded_stack(home, record, session)


def connect_to_embedded_stack(home: Home, record: StackRecord, session: aiohttp.ClientSession) -> StackConnection:
    """The connection to the stack on this machine, with tokens signed by its own keys."""
    tokens = LocalTokenSource(TokenIssuer(record.issuer, StackKeys.load(home)))
    return StackConnection(record.urls, session, tokens, home, record.pids, record.replicas)


@asynccontextmanager
async def _connect_to_installation(installation: Installation) -> AsyncGenerator[StackConnection]:
    async with open_http_session(trusted=installation.load_certificates()) as session:
        tokens = _choose_tokens(installation, session)
        yield StackConnection(installation.urls, session, tokens, find_home(), installation=installation)


def _choose_tokens(installation: Installation, session: aiohttp.ClientSession) -> TokenSource:
    if given := os.environ.get(TOKEN_VARIABLE, "").strip():
        return GivenTokenSource(given)

    def find_credentials(identity: Identity) -> ClientCredentials:
        return _load_credentials(installation, identity)

    return OAuthTokenSource(session, installation.token_url or "", find_credentials)


def _load_credentials(installation: Installation, identity: Identity) -> ClientCredentials:
    client = installation.clients.get(identity.client_id)
    if client is None:
        raise NoCredentials(
            f"{installation.file} names no client for {identity.client_id}; add it under clients, or set "
            f"{TOKEN_VARIABLE} to a token with the scopes {' '.join(identity.scopes)}"
        )
    return ClientCredentials(client.client_id, installation.read_secret(client), client.scope)


def list_exposed_secrets(installation: Installation) -> list[str]:
    """The secret files of the installation that other users of this machine can read."""
    files = {installation.find_secret_file(client) for client in installation.clients.values()}
    return sorted(str(file) for file in files if is_readable_by_others(file))
