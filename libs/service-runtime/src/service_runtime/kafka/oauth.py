"""OAuth tokens for Kafka: fetched with the client credentials of the service, and kept until shortly before expiry."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import AuthenticationFailedError, KafkaConnectionError
from pydantic import BaseModel, Field, SecretStr, ValidationError

FETCH_TIMEOUT: Final = 10.0
"""Seconds."""
MARGIN: Final = 60.0
"""Seconds before its expiry at which a token is replaced; at most a fifth of its life."""
_USUAL_LIFE: Final = 300.0
"""Seconds, for an answer that does not say how long its token is valid."""


class _TokenResponse(BaseModel):
    access_token: str = Field(min_length=1)
    expires_in: float = Field(default=_USUAL_LIFE, gt=0)


@dataclass(frozen=True)
class OAuthClient:
    """The service as a client of the identity provider. `ca_file` is trusted beside the machine's trust store."""

    token_url: str
    client_id: str
    client_secret: SecretStr
    scope: str | None = None
    ca_file: Path | None = None


class OAuthTokens(AbstractTokenProvider):
    """Provides aiokafka with a valid token; one request serves all connections of the process."""

    def __init__(self, client: OAuthClient) -> None:
        self._client = client
        self._token = ""
        self._renew_at = 0.0
        self._fetching = asyncio.Lock()

    async def token(self) -> str:
        """Returns a token. Raises AuthenticationFailedError if the client is refused, else KafkaConnectionError."""
        async with self._fetching:
            if time.monotonic() >= self._renew_at:
                asked_at = time.monotonic()
                response = await self._fetch()
                self._token = response.access_token
                self._renew_at = asked_at + response.expires_in - min(MARGIN, response.expires_in / 5)
            return self._token

    async def _fetch(self) -> _TokenResponse:
        form = {"grant_type": "client_credentials", "client_id": self._client.client_id}
        form["client_secret"] = self._client.client_secret.get_secret_value()
        if self._client.scope is not None:
            form["scope"] = self._client.scope
        timeout, tls = aiohttp.ClientTimeout(total=FETCH_TIMEOUT), self._build_context()
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.post(self._client.token_url, data=form, ssl=tls, allow_redirects=False) as response,
            ):
                return _read_response(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise KafkaConnectionError(f"no token: {type(error).__name__}") from error

    def _build_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._client.ca_file is not None:
            context.load_verify_locations(cafile=self._client.ca_file)
        return context


def _read_response(status: int, body: bytes) -> _TokenResponse:
    """Returns the token. The errors name the status only: an answer may repeat the secret."""
    if status in {400, 401, 403}:
        raise AuthenticationFailedError(f"the identity provider refuses the client with {status}")
    if status != 200:
        raise KafkaConnectionError(f"the identity provider answers {status}")
    try:
        return _TokenResponse.model_validate_json(body)
    except ValidationError as invalid:
        raise AuthenticationFailedError("the identity provider's answer holds no access_token") from invalid
