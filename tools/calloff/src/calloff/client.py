"""HTTP client of Call-off's services: bearer tokens, problem details, retries."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

import aiohttp
from pydantic import BaseModel, ConfigDict, ValidationError

from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.issuer.identities import Identity
from devstack.issuer.tokens import TOKEN_PATH, TokenIssuer
from devstack.keys import StackKeys

ModelT = TypeVar("ModelT", bound=BaseModel)

REQUEST_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
_EXPIRY_MARGIN: Final = 60
"""Seconds that a cached token must still be valid for."""
_RETRY_TIMEOUT: Final = 60.0
_RETRY_PAUSE: Final = 1.0
"""Seconds until a retry where the response has no Retry-After header."""


class ResponseModel(BaseModel):
    """The fields of a response that a client reads; other fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TokenSource(Protocol):
    """Supplies bearer tokens."""

    async def fetch_token(self, identity: Identity) -> str: ...


class LocalTokenSource(TokenSource):
    """Signs tokens itself, with the keys of the stack on this machine."""

    def __init__(self, issuer: TokenIssuer) -> None:
        self._issuer = issuer

    async def fetch_token(self, identity: Identity) -> str:
        return self._issuer.issue_token(identity)


class _TokenResponse(ResponseModel):
    access_token: str
    expires_in: int


class IssuerTokenSource(TokenSource):
    """Requests tokens from the issuer by OAuth2 client credentials, and caches them while they are valid."""

    def __init__(self, session: aiohttp.ClientSession, issuer: str, keys: StackKeys) -> None:
        self._session = session
        self._address = issuer + TOKEN_PATH
        self._keys = keys
        self._cache: dict[str, tuple[str, float]] = {}

    async def fetch_token(self, identity: Identity) -> str:
        token, valid_until = self._cache.get(identity.client_id, ("", 0.0))
        if time.monotonic() > valid_until - _EXPIRY_MARGIN:
            granted = await self._request_token(identity.client_id)
            token, valid_until = granted.access_token, time.monotonic() + granted.expires_in
            self._cache[identity.client_id] = token, valid_until
        return token

    async def _request_token(self, client_id: str) -> _TokenResponse:
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": self._keys.derive_client_secret(client_id),
        }
        async with self._session.post(self._address, data=form) as answer:
            if answer.status != 200:
                raise ServiceRefused(answer.status, f"the identity provider refused a token for {client_id}")
            return _TokenResponse.model_validate_json(await answer.read())


@dataclass(frozen=True)
class ApiResponse:
    """A response with a status below 400."""

    status: int
    body: bytes

    def parse(self, model: type[ModelT]) -> ModelT:
        return model.model_validate_json(self.body)


class _FieldError(ResponseModel):
    pointer: str
    detail: str


class _Problem(ResponseModel):
    title: str = ""
    detail: str = ""
    errors: tuple[_FieldError, ...] = ()


@dataclass(frozen=True)
class Request:
    """One HTTP request."""

    method: str
    url: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    body: BaseModel | bytes | None = None
    content_type: str = "application/json"
    idempotency_key: str | None = None
    if_match: str | None = None


class ApiClient:
    """Sends requests to the services with the token of one identity."""

    def __init__(self, session: aiohttp.ClientSession, tokens: TokenSource, identity: Identity) -> None:
        self._session = session
        self._tokens = tokens
        self._identity = identity

    async def get(self, url: str, **parameters: str) -> ApiResponse:
        return await self.send(Request("GET", url, parameters))

    async def post(self, url: str, body: BaseModel | None = None, *, idempotency_key: str | None = None) -> ApiResponse:
        return await self.send(Request("POST", url, body=body, idempotency_key=idempotency_key))

    async def put(self, url: str, body: BaseModel) -> ApiResponse:
        return await self.send(Request("PUT", url, body=body))

    async def send(self, request: Request) -> ApiResponse:
        """Raises ServiceRefused, with the problem details of the service, and ServiceUnreachable."""
        headers = {"Authorization": f"Bearer {await self._tokens.fetch_token(self._identity)}"}
        if request.idempotency_key is not None:
            headers["Idempotency-Key"] = request.idempotency_key
        if request.if_match is not None:
            headers["If-Match"] = request.if_match
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        try:
            async with self._session.request(
                request.method,
                request.url,
                params=request.parameters,
                data=_encode_body(request.body),
                headers=headers,
            ) as answer:
                body = await answer.read()
                if answer.status >= 400:
                    raise _to_error(answer.status, body, answer.headers.get("Retry-After"))
                return ApiResponse(answer.status, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServiceUnreachable(f"{request.url} does not answer ({type(error).__name__})") from error


class RetryingApiClient(ApiClient):
    """Retries requests that a service refuses for the moment, for a minute; only for requests that may be repeated."""

    async def send(self, request: Request) -> ApiResponse:
        deadline = time.monotonic() + _RETRY_TIMEOUT
        while True:
            try:
                return await super().send(request)
            except ServiceRefused as refused:
                if not refused.is_transient or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(refused.retry_after or _RETRY_PAUSE)


def _encode_body(body: BaseModel | bytes | None) -> bytes | None:
    return body.model_dump_json(exclude_none=True).encode() if isinstance(body, BaseModel) else body


def _to_error(status: int, body: bytes, retry_after: str | None) -> ServiceRefused:
    try:
        problem = _Problem.model_validate_json(body)
    except ValidationError:
        problem = _Problem(detail="the response is not application/problem+json")
    return ServiceRefused(
        status,
        problem.detail or problem.title,
        fields=[f"{each.pointer}: {each.detail}" for each in problem.errors],
        retry_after=float(retry_after) if retry_after and retry_after.isdigit() else None,
    )


@asynccontextmanager
async def open_http_session() -> AsyncGenerator[aiohttp.ClientSession]:
    """A session that ignores proxy settings, because all addresses are on this machine."""
    async with aiohttp.ClientSession(
        timeout=REQUEST_TIMEOUT, trust_env=False, connector=aiohttp.TCPConnector(limit=0)
    ) as session:
        yield session
