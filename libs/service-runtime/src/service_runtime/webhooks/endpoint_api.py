"""HTTP API of webhook endpoints: bodies and responses, the same in every service.

Each service declares the routes itself, because paths, scopes and the consequences of a change differ. A secret is in
the response of the command that creates it and nowhere else: what is stored for a repeated request has null instead.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from fastapi import Response
from pydantic import BaseModel, Field

from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus, json_response
from service_runtime.http.text_fields import RequestBody, WebAddress
from service_runtime.idempotency import StoredResponse
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.endpoint_commands import (
    DeletePreviousSecrets,
    DisableEndpoint,
    PutEndpoint,
    RotateSecret,
    delete_previous_secrets,
    disable_endpoint,
    put_endpoint,
    rotate_secret,
)
from service_runtime.webhooks.endpoint_queries import EndpointState

CommandT = TypeVar("CommandT")

NO_CONTENT: Final = StoredResponse(204, b"")


class EndpointIn(RequestBody):
    url: WebAddress = Field(
        description="https, on the public internet; any 2xx answer accepts a webhook",
    )


class EndpointOut(BaseModel):
    url: str
    enabled: bool
    disabled_because: str | None
    failing_since: datetime | None = Field(
        description="first failure, if the owner has been notified that nothing is accepted any more"
    )
    failing_notice_at: datetime | None = Field(
        description="when the owner was notified; some days later the endpoint is disabled, unless it accepts a webhook"
    )

    @classmethod
    def from_state(cls, state: EndpointState) -> "EndpointOut":
        because = state.disabled_because
        return cls(
            url=state.url,
            enabled=because is None,
            disabled_because=because,
            failing_since=state.failing_since,
            failing_notice_at=state.failing_notice_at,
        )


class SecretOut(BaseModel):
    """The secret that signs webhooks (Standard Webhooks 1.0); keep it, it is not shown again."""

    secret: str | None = Field(
        description="`whsec_…`; null where the endpoint has one already, and in the answer to a repeated request"
    )


@dataclass(frozen=True)
class EndpointCommands:
    """Executes a caller's commands on the endpoint of `owner`, one after the other on `stream`.

    `handler` replaces the runtime's handler of a command. The methods raise what the handler raises.
    """

    owner: str
    stream: StreamKey
    caller: Caller
    bus: CommandBus

    async def put(
        self, body: EndpointIn, handler: Callable[[PutEndpoint, Any], Awaitable[str | None]] = put_endpoint
    ) -> Response:
        """Sets the URL; responds with SecretOut."""
        return await self._execute_with_secret(PutEndpoint(self.owner, body.url), handler)

    async def rotate_secret(self, handler: Callable[[RotateSecret, Any], Awaitable[str]] = rotate_secret) -> Response:
        """Creates a new secret; responds with SecretOut."""
        return await self._execute_with_secret(RotateSecret(self.owner), handler)

    async def delete_previous_secrets(
        self,
        handler: Callable[[DeletePreviousSecrets, Any], Awaitable[None]] = delete_previous_secrets,
    ) -> Response:
        """Ends the overlap of a rotation at once; responds with 204."""
        command = DeletePreviousSecrets(self.owner)
        return await self.bus.execute(command, handler, on=self.stream, by=self.caller, respond=respond_no_content)

    async def disable(
        self, *, because: str, handler: Callable[[DisableEndpoint, Any], Awaitable[bool]] = disable_endpoint
    ) -> Response:
        """Disables the endpoint; responds with 204, also if there is none."""
        command = DisableEndpoint(self.owner, because)
        return await self.bus.execute(command, handler, on=self.stream, by=self.caller, respond=respond_no_content)

    async def _execute_with_secret(
        self, command: CommandT, handler: Callable[[CommandT, Any], Awaitable[str | None]]
    ) -> Response:
        return await self.bus.execute(
            command,
            handler,
            on=self.stream,
            by=self.caller,
            respond=_respond_with_secret,
            stored=_respond_without_secret,
        )


def _respond_with_secret(secret: str | None) -> StoredResponse:
    return json_response(SecretOut(secret=secret), headers=(("cache-control", "no-store"),))


def _respond_without_secret(_: str | None) -> StoredResponse:
    return _respond_with_secret(None)


def respond_no_content(_: object) -> StoredResponse:
    """Responds to a command whose result is not shown."""
    return NO_CONTENT
