"""HTTP client of Call-off's services: bearer tokens, problem details, retries."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from ssl import SSLContext
from typing import Final, Protocol, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

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
    expires_in: int = 0
    """Optional in RFC 6749; a token without it is used once."""


@dataclass(frozen=True)
class ClientCredentials:
    """What an OAuth 2 client shows to the identity provider. `scope` is sent where it is given."""

    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None

    def build_form(self) -> dict[str, str]:
        """The request for a token (RFC 6749, section 4.4.2), with the credentials in the body."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        return form if self.scope is None else {**form, "scope": self.scope}


class OAuthTokenSource(TokenSource):
    """Requests tokens by OAuth 2 client credentials, and caches them while they are valid."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        token_url: str,
        find_credentials: Callable[[Identity], ClientCredentials],
    ) -> None:
        """`find_credentials` gives the client of an identity, or raises a CallOffError."""
        self._session = session
        self._token_url = token_url
        self._find_credentials = find_credentials
        self._cache: dict[str, tuple[str, float]] = {}

    async def fetch_token(self, identity: Identity) -> str:
        token, valid_until = self._cache.get(identity.client_id, ("", 0.0))
        if time.monotonic() > valid_until - _EXPIRY_MARGIN:
            granted = await self._request_token(self._find_credentials(identity))
            token, valid_until = granted.access_token, time.monotonic() + granted.expires_in
            self._cache[identity.client_id] = token, valid_until
        return token

    async def _request_token(self, credentials: ClientCredentials) -> _TokenResponse:
        """Raises ServiceRefused and ServiceUnreachable."""
        with _explain_failures(self._token_url):
            proxy = find_proxy(self._token_url)
            async with self._session.post(self._token_url, data=credentials.build_form(), proxy=proxy) as answer:
                body = await answer.read()
        if answer.status != 200:
            message = f"the identity provider refused a token for {credentials.client_id} ({_read_oauth_error(body)})"
            raise ServiceRefused(answer.status, message)
        try:
            return _TokenResponse.model_validate_json(body)
        except ValidationError:
            message = f"{self._token_url} answered without access_token; is it the address of the token endpoint?"
            raise ServiceRefused(answer.status, message) from None


class IssuerTokenSource(OAuthTokenSource):
    """Requests tokens from the issuer of the embedded stack, whose clients' secrets are derived from its keys."""

    def __init__(self, session: aiohttp.ClientSession, issuer: str, keys: StackKeys) -> None:
        def find_credentials(identity: Identity) -> ClientCredentials:
            return ClientCredentials(identity.client_id, keys.derive_client_secret(identity.client_id))

        super().__init__(session, issuer + TOKEN_PATH, find_credentials)


class GivenTokenSource(TokenSource):
    """The same token for every identity: that of the person who runs the command."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def fetch_token(self, identity: Identity) -> str:  # noqa: ARG002 - one token for all
        return self._token


@dataclass(frozen=True)
class ApiResponse:
    """A response with a status below 400."""

    status: int
    body: bytes

    def parse(self, model: type[ModelT]) -> ModelT:
        return model.model_validate_json(self.body)


class _OAuthError(ResponseModel):
    error: str


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
    accept: str | None = None


class ApiClient:
    """Sends requests to the services with the token of one identity."""

    def __init__(
        self, session: aiohttp.ClientSession, tokens: TokenSource | None, identity: Identity | None = None
    ) -> None:
        """Without tokens or identity, requests carry no token."""
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
        headers: dict[str, str] = {}
        if self._tokens is not None and self._identity is not None:
            headers["Authorization"] = f"Bearer {await self._tokens.fetch_token(self._identity)}"
        if request.idempotency_key is not None:
            headers["Idempotency-Key"] = request.idempotency_key
        if request.if_match is not None:
            headers["If-Match"] = request.if_match
        if request.accept is not None:
            headers["Accept"] = request.accept
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        with _explain_failures(request.url):
            async with self._session.request(
                request.method,
                request.url,
                params=request.parameters,
                data=_encode_body(request.body),
                headers=headers,
                proxy=find_proxy(request.url),
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
        if answer.status in range(300, 400):
            target = answer.headers.get("Location", "another address")
            raise ServiceRefused(answer.status, f"{request.url} redirects to {target}; use that address")
        if answer.status >= 400:
            raise _to_error(answer.status, body, answer.headers.get("Retry-After"))
        return ApiResponse(answer.status, body)


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


def _read_oauth_error(body: bytes) -> str:
    """The error of RFC 6749, section 5.2."""
    try:
        return _OAuthError.model_validate_json(body).error
    except ValidationError:
        return "without a reason"


@contextmanager
def _explain_failures(url: str) -> Generator[None]:
    """A request without a response raises ServiceUnreachable with the address and the reason."""
    try:
        yield
    except aiohttp.ClientConnectorCertificateError as error:
        reason = getattr(error.certificate_error, "verify_message", "") or type(error.certificate_error).__name__
        message = f"the certificate of {url} is not trusted ({reason}); name the authority's certificate as ca_file"
        raise ServiceUnreachable(message) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ServiceUnreachable(f"{url} does not answer ({type(error).__name__})") from error


def find_proxy(url: str) -> str | None:
    """The proxy that the environment names for an address (`https_proxy`, `no_proxy`); None for this machine."""
    address = urlsplit(url)
    return _find_host_proxy(address.scheme, address.hostname or "")


@lru_cache(maxsize=100)
def _find_host_proxy(scheme: str, host: str) -> str | None:
    return None if _is_loopback(host) or proxy_bypass(host) else getproxies().get(scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@asynccontextmanager
async def open_http_session(*, trusted: SSLContext | None = None) -> AsyncGenerator[aiohttp.ClientSession]:
    """A session for any number of connections; `trusted` replaces the certificates that the system trusts."""
    # netrc is not read: trust_env would take a password from it. Proxies are chosen for each request.
    async with aiohttp.ClientSession(
        timeout=REQUEST_TIMEOUT, trust_env=False, connector=aiohttp.TCPConnector(limit=0, ssl=trusted or True)
    ) as session:
        yield session
