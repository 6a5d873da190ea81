"""Commands on webhook endpoints, the same in every service: put the URL, rotate the secret, disable.

An owner is whatever the service sends webhooks to; each owner has at most one endpoint. A service in which a change of
an endpoint has consequences of its own wraps these handlers.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from service_runtime.webhooks.endpoints import Endpoint


@dataclass(frozen=True)
class PutEndpoint:
    owner: str
    url: str


@dataclass(frozen=True)
class RotateSecret:
    owner: str


@dataclass(frozen=True)
class DeletePreviousSecrets:
    owner: str


@dataclass(frozen=True)
class DisableEndpoint:
    """`because` is shown to the owner as the reason."""

    owner: str
    because: str


class EndpointRepository(Protocol):
    """Webhook endpoints by owner; see `service_runtime.webhooks.endpoints`."""

    async def put(self, owner: str, url: str) -> str | None: ...
    async def get(self, owner: str) -> Endpoint | None: ...
    async def rotate_secret(self, owner: str, *, overlap: timedelta) -> str: ...
    async def delete_previous_secrets(self, owner: str) -> None: ...
    async def disable(self, owner: str, *, because: str) -> bool: ...


class EndpointWork(Protocol):
    """The part of a unit of work that commands on endpoints use."""

    @property
    def endpoints(self) -> EndpointRepository: ...
    @property
    def secret_overlap(self) -> timedelta:
        """How long the previous secret still signs webhooks after a rotation."""
        ...


async def put_endpoint(command: PutEndpoint, work: EndpointWork) -> str | None:
    """Sets the URL and enables the endpoint. Returns the secret of a new endpoint, None for an existing one.

    Raises InvalidInput (`#/url`) for a URL to which webhooks are not sent.
    """
    return await work.endpoints.put(command.owner, command.url)


async def rotate_secret(command: RotateSecret, work: EndpointWork) -> str:
    """Returns a new secret; the old one signs webhooks too during the overlap. Raises EndpointNotFound."""
    return await work.endpoints.rotate_secret(command.owner, overlap=work.secret_overlap)


async def delete_previous_secrets(command: DeletePreviousSecrets, work: EndpointWork) -> None:
    """Ends the overlap at once, because an old secret is known to others. Raises EndpointNotFound."""
    await work.endpoints.delete_previous_secrets(command.owner)


async def disable_endpoint(command: DisableEndpoint, work: EndpointWork) -> bool:
    """Disables the endpoint. Returns False if there is none or it was disabled before."""
    return await work.endpoints.disable(command.owner, because=command.because)
