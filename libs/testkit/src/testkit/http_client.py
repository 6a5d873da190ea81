"""A caller of a service's API, for tests: each call with a fresh token for the scopes that it names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import IO, Any
from uuid import UUID

import aiohttp

from testkit.tokens import TokenIssuer


@dataclass(frozen=True)
class ServiceResponse:
    """What came back; `body` is what its JSON says, None where there is none."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:  # whatever the service answers
        return json.loads(self.text) if self.text else None


@dataclass(frozen=True)
class Client:
    """Somebody who calls the service at `url`, in the name of a council."""

    session: aiohttp.ClientSession
    url: str
    tokens: TokenIssuer
    council: str
    scopes: tuple[str, ...] = ()
    provider_id: UUID | None = None

    def for_council(self, council: str) -> "Client":
        """The same for another council."""
        return replace(self, council=council)

    def with_scopes(self, *scopes: str) -> "Client":
        """The same with these scopes."""
        return replace(self, scopes=scopes)

    def for_provider(self, provider_id: UUID) -> "Client":
        return replace(self, provider_id=provider_id, scopes=("offers:answer",))

    async def get(self, path: str, **headers: str) -> ServiceResponse:
        return await self.call("GET", path, headers=headers)

    async def post(self, path: str, body: object, *, key: str | None = None) -> ServiceResponse:
        """Posts `body` as JSON; `key` is the Idempotency-Key."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.call("POST", path, data=json.dumps(body), headers=headers)

    async def call(
        self,
        method: str,
        path: str,
        *,
        data: str | bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ServiceResponse:
        all_headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.issue_token()}",
            **(headers or {}),
        }
        async with self.session.request(method, f"{self.url}{path}", data=data, headers=all_headers) as answer:
            return ServiceResponse(answer.status, dict(answer.headers), await answer.text())

    def issue_token(self) -> str:
        provider = None if self.provider_id is None else str(self.provider_id)
        return self.tokens.issue_token(*self.scopes, council=self.council, provider_id=provider)


def list_named_fields(reply: ServiceResponse) -> list[str]:
    """The fields that a refusal names."""
    return [error["pointer"] for error in reply.body["errors"]]
