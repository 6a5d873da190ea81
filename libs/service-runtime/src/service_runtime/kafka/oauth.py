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

from service_runtime.tls import explain_tls_error

FETCH_TIMEOUT: Final = 10.0
"""Seconds."""
LARGEST_ANSWER: Final = 65_536
"""Bytes of an answer of the token endpoint that are read at most."""
MARGIN: Final = 60.0
"""Seconds before its expiry at which a token is replaced, at most LARGEST_SHARE of its life."""
LARGEST_SHARE: Final = 0.2
_USUAL_LIFE: Final = 300.0
"""Seconds, for an answer that does not say how long its token is valid."""
_URL: Final = "CALLOFF_KAFKA_OAUTH_TOKEN_URL"
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}
_CLIENT_REFUSED: Final = frozenset({400, 401, 403})
_TRANSIENT: Final = frozenset({408, 425, 429})
"""Status codes that pass, besides those from 500 on."""


class TokenRefused(AuthenticationFailedError):
    """The token endpoint gives no token whenever it is asked; `reason` names the setting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenUnavailable(KafkaConnectionError):
    """The token endpoint gives no token now."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{_URL} gives no token: {reason}")


class _TokenResponse(BaseModel):
    access_token: str = Field(min_length=1)
    expires_in: float | None = None

    @property
    def life(self) -> float:
        """Seconds for which the token is valid."""
        return self.expires_in if self.expires_in is not None and self.expires_in > 0 else _USUAL_LIFE


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
        self._expires_at = 0.0
        self._renewing: asyncio.Task[None] | None = None

    async def token(self) -> str:
        """Returns a token. Raises TokenRefused, TokenUnavailable, and OSError if the authority's file cannot be read.

        A caller that is cancelled leaves the request to the others: the caller after it gets the answer.
        """
        if time.monotonic() >= self._renew_at:
            if self._renewing is None or self._renewing.done():
                self._renewing = asyncio.create_task(self._renew())
                self._renewing.add_done_callback(lambda task: task.cancelled() or task.exception())
            await asyncio.shield(self._renewing)
        return self._token

    def forget(self) -> None:
        """Makes the next caller fetch a token anew, because Kafka has refused this one."""
        self._renew_at = self._expires_at = 0.0

    async def _renew(self) -> None:
        """Replaces the token; one that is still valid outlasts a token endpoint that does not answer."""
        asked_at = time.monotonic()
        try:
            response = await self._fetch()
        except TokenUnavailable:
            if asked_at >= self._expires_at:
                raise
            return
        self._token = response.access_token
        self._expires_at = asked_at + response.life
        self._renew_at = self._expires_at - min(MARGIN, response.life * LARGEST_SHARE)

    async def _fetch(self) -> _TokenResponse:
        form = {"grant_type": "client_credentials", "client_id": self._client.client_id}
        form["client_secret"] = self._client.client_secret.get_secret_value()
        if self._client.scope is not None:
            form["scope"] = self._client.scope
        timeout, tls = aiohttp.ClientTimeout(total=FETCH_TIMEOUT), self._build_context()
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False, auto_decompress=False) as session,
                session.post(
                    self._client.token_url, data=form, headers=_HEADERS, ssl=tls, allow_redirects=False
                ) as response,
            ):
                return _read_response(response.status, await _read_body(response))
        except aiohttp.ClientSSLError as error:
            raise _build_tls_refusal(error.__cause__) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TokenUnavailable(type(error).__name__) from error

    def _build_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._client.ca_file is not None:
            context.load_verify_locations(cafile=self._client.ca_file)
        return context


def _build_tls_refusal(error: BaseException | None) -> TokenRefused:
    problem = explain_tls_error(error) if isinstance(error, ssl.SSLError) else type(error).__name__
    return TokenRefused(f"TLS with {_URL} fails: {problem}; check the URL and CALLOFF_KAFKA_SSL_CAFILE")


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise TokenRefused(
                f"{_URL} answers with more than {LARGEST_ANSWER} bytes, which is no token; check the URL"
            )
    return bytes(body)


def _read_response(status: int, body: bytes) -> _TokenResponse:
    """Returns the token. The errors name the status only: an answer may repeat the secret."""
    if status in _CLIENT_REFUSED:
        raise TokenRefused(
            f"the identity provider refuses the client of CALLOFF_KAFKA_OAUTH_CLIENT_ID with {status}; check its id,"
            " secret and scope"
        )
    if status >= 500 or status in _TRANSIENT:
        raise TokenUnavailable(f"the identity provider answers {status}")
    if status != 200:
        raise TokenRefused(f"{_URL} answers {status}, as no token endpoint does; check the URL")
    try:
        return _TokenResponse.model_validate_json(body)
    except ValidationError:
        raise TokenRefused(f"{_URL} answers without an access_token in JSON; check the URL") from None
