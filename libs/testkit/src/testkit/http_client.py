"""An HTTP client of one service for tests. Each request has a new token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import IO
from uuid import UUID

import aiohttp

from testkit.http_response import HttpResponse, read_response
from testkit.tokens import TokenIssuer


@dataclass(frozen=True)
class ServiceClient:
    """Sends requests to the service at `url` with tokens for a council, some scopes and, optionally, a provider."""

    session: aiohttp.ClientSession
    url: str
    issuer: TokenIssuer
    council: str
    scopes: tuple[str, ...] = ()
    provider_id: UUID | None = None

    def with_council(self, council: str) -> "ServiceClient":
        """Returns a client for another council."""
        return replace(self, council=council)

    def with_scopes(self, *scopes: str) -> "ServiceClient":
        """Returns a client with these scopes instead."""
        return replace(self, scopes=scopes)

    def with_provider(self, provider_id: UUID) -> "ServiceClient":
        """Returns a client with the provider's id in its tokens and the scope `offers:answer`."""
        return replace(self, provider_id=provider_id, scopes=("offers:answer",))

    async def get(self, path: str, **headers: str) -> HttpResponse:
        return await self.request("GET", path, headers=headers)

    async def post(self, path: str, body: object, *, key: str | None = None) -> HttpResponse:
        """Posts `body` as JSON; `key` is the Idempotency-Key."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.request("POST", path, data=json.dumps(body), headers=headers)

    async def request(
        self,
        method: str,
        path: str,
        *,
        data: str | bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        all_headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.issue_token()}",
            **(headers or {}),
        }
        async with self.session.request(method, f"{self.url}{path}", data=data, headers=all_headers) as answer:
            return await read_response(answer)

    def issue_token(self) -> str:
        provider = None if self.provider_id is None else str(self.provider_id)
        return self.issuer.issue_token(*self.scopes, council=self.council, provider_id=provider)
