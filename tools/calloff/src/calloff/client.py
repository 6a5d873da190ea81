"""Call-off's services as their callers see them: HTTP, bearer tokens, problem+json."""

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
from devstack.keys import Keys

ModelT = TypeVar("ModelT", bound=BaseModel)

TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
_FRESH_ENOUGH: Final = 60
"""Seconds that a token must still be valid for when it is used again."""
_PATIENCE: Final = 60.0
_SOON: Final = 1.0
"""Seconds until a request is repeated where the service does not say when."""


class Reading(BaseModel):
    """What a caller takes out of an answer; fields that it does not know are skipped."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Tokens(Protocol):
    """Where a caller gets its bearer token from."""

    async def for_(self, identity: Identity) -> str: ...


class SignedHere(Tokens):
    """Tokens for the operator at this machine, who may read the stack's keys."""

    def __init__(self, issuer: TokenIssuer) -> None:
        self._issuer = issuer

    async def for_(self, identity: Identity) -> str:
        return self._issuer.token(identity)


class _Granted(Reading):
    access_token: str
    expires_in: int


class FromIssuer(Tokens):
    """Tokens by OAuth2 client credentials, as another organisation's system gets them; kept while they are valid."""

    def __init__(self, session: aiohttp.ClientSession, issuer: str, keys: Keys) -> None:
        self._session = session
        self._address = issuer + TOKEN_PATH
        self._keys = keys
        self._kept: dict[str, tuple[str, float]] = {}

    async def for_(self, identity: Identity) -> str:
        token, valid_until = self._kept.get(identity.client_id, ("", 0.0))
        if time.monotonic() > valid_until - _FRESH_ENOUGH:
            granted = await self._ask(identity.client_id)
            token, valid_until = granted.access_token, time.monotonic() + granted.expires_in
            self._kept[identity.client_id] = token, valid_until
        return token

    async def _ask(self, client_id: str) -> _Granted:
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": self._keys.client_secret(client_id),
        }
        async with self._session.post(self._address, data=form) as answer:
            if answer.status != 200:
                raise ServiceRefused(answer.status, f"the identity provider gave no token for {client_id}")
            return _Granted.model_validate_json(await answer.read())


@dataclass(frozen=True)
class Answer:
    """What came back, a success."""

    status: int
    body: bytes

    def as_(self, model: type[ModelT]) -> ModelT:
        return model.model_validate_json(self.body)


class _Field(Reading):
    pointer: str
    detail: str


class _Problem(Reading):
    title: str = ""
    detail: str = ""
    errors: tuple[_Field, ...] = ()


@dataclass(frozen=True)
class Request:
    """One call of one route."""

    method: str
    url: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    body: BaseModel | bytes | None = None
    content_type: str = "application/json"
    idempotency_key: str | None = None
    if_match: str | None = None


class Caller:
    """One identity's connection to the services."""

    def __init__(self, session: aiohttp.ClientSession, tokens: Tokens, identity: Identity) -> None:
        self._session = session
        self._tokens = tokens
        self._identity = identity

    async def get(self, url: str, **parameters: str) -> Answer:
        return await self.send(Request("GET", url, parameters))

    async def post(self, url: str, body: BaseModel | None = None, *, idempotency_key: str | None = None) -> Answer:
        return await self.send(Request("POST", url, body=body, idempotency_key=idempotency_key))

    async def put(self, url: str, body: BaseModel) -> Answer:
        return await self.send(Request("PUT", url, body=body))

    async def send(self, request: Request) -> Answer:
        """Raises ServiceRefused with the service's own words, or ServiceUnreachable."""
        headers = {"Authorization": f"Bearer {await self._tokens.for_(self._identity)}"}
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
                data=_bytes_of(request.body),
                headers=headers,
            ) as answer:
                body = await answer.read()
                if answer.status >= 400:
                    raise _refusal(answer.status, body, answer.headers.get("Retry-After"))
                return Answer(answer.status, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServiceUnreachable(f"{request.url} does not answer ({type(error).__name__})") from error


class PatientCaller(Caller):
    """Sends again, for a minute, what a service cannot do just now: everything that it says can be said twice."""

    async def send(self, request: Request) -> Answer:
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                return await super().send(request)
            except ServiceRefused as refused:
                if not refused.may_pass or time.monotonic() > give_up:
                    raise
                await asyncio.sleep(refused.retry_after or _SOON)


def _bytes_of(body: BaseModel | bytes | None) -> bytes | None:
    return body.model_dump_json(exclude_none=True).encode() if isinstance(body, BaseModel) else body


def _refusal(status: int, body: bytes, retry_after: str | None) -> ServiceRefused:
    try:
        problem = _Problem.model_validate_json(body)
    except ValidationError:
        problem = _Problem(detail="the answer is not problem+json")
    return ServiceRefused(
        status,
        problem.detail or problem.title,
        fields=[f"{each.pointer}: {each.detail}" for each in problem.errors],
        retry_after=float(retry_after) if retry_after and retry_after.isdigit() else None,
    )


@asynccontextmanager
async def http_session() -> AsyncGenerator[aiohttp.ClientSession]:
    """Connections to this machine only: a proxy of the environment is not asked."""
    async with aiohttp.ClientSession(
        timeout=TIMEOUT, trust_env=False, connector=aiohttp.TCPConnector(limit=0)
    ) as session:
        yield session
