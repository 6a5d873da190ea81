"""Who may call: bearer tokens checked against a JWKS, scopes by route, council and provider by claim.

Authentication is never off. Systems come with OAuth2 client credentials, officers with tokens of their council's
identity provider; two people are two `sub`.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Protocol
from uuid import UUID

import aiohttp
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from contracts.errors import Forbidden, RetryLater, Unauthenticated
from contracts.ids import CouncilKey, ProviderId

ALGORITHMS: Final = ["RS256", "ES256", "EdDSA", "Ed25519"]
LEEWAY: Final = 30
"""Seconds of difference between clocks that are forgiven."""
OFFICERS: Final = frozenset({"sourcing:operate", "pricing:admin"})
"""Scopes that people have; whoever comes with neither stands in the record as a system."""
OPAQUE: Final = re.compile(r"^[A-Za-z0-9._:|-]{1,64}$")


class InvalidToken(Unauthenticated):
    """There is no bearer token, or it is not valid; get a new one from your identity provider."""


class MissingScope(Forbidden):
    """The token is valid, but does not carry the scope that this needs."""


class KeysUnavailable(RetryLater):
    """The identity provider's keys cannot be fetched."""


@dataclass(frozen=True)
class Caller:
    """Who asks, as far as the token says, or the link of a mail that stands for one."""

    subject: str
    council: CouncilKey
    scopes: frozenset[str]
    provider_id: ProviderId | None = None
    by_link: bool = False

    @property
    def actor(self) -> str:
        """How the caller stands in the record: kind and opaque id; a link's is the provider's for whom it answers."""
        if self.provider_id is not None:
            return f"{'link' if self.by_link else 'provider'}:{self.provider_id}"
        kind = "officer" if self.scopes & OFFICERS else "system"
        return f"{kind}:{self.subject}"

    @property
    def as_provider(self) -> ProviderId:
        """The provider that calls. Raises Forbidden for a token without `provider_id`."""
        if self.provider_id is None:
            message = "this is for providers: the token carries no provider_id"
            raise Forbidden(message)
        return self.provider_id


class SigningKeys(Protocol):
    """Where the identity provider's public keys come from."""

    async def get(self, *, fresh: bool) -> KeySet: ...


class JwksOverHttp:
    """The keys behind a JWKS address, kept for ten minutes and fetched again when a token names an unknown one."""

    def __init__(self, url: str, *, keep_for: float = 600, min_refetch_interval: float = 5) -> None:
        self._url = url
        self._keep_for = keep_for
        self._min_refetch_interval = min_refetch_interval
        self._keys: KeySet | None = None
        self._tried = 0.0
        self._lock = asyncio.Lock()

    async def get(self, *, fresh: bool) -> KeySet:
        """Raises KeysUnavailable while the address does not answer and nothing was fetched before."""
        async with self._lock:
            age = time.monotonic() - self._tried
            stale = age > (self._min_refetch_interval if fresh else self._keep_for)
            if self._keys is None or stale:
                await self._fetch()
            if self._keys is None:
                message = "the identity provider's keys cannot be fetched; ask again shortly"
                raise KeysUnavailable(message, retry_after=2)
            return self._keys

    async def _fetch(self) -> None:
        # The attempt counts, not its success: an identity provider that hangs must not hold up every request.
        self._tried = time.monotonic()
        timeout = aiohttp.ClientTimeout(total=5)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.get(self._url) as answer,
            ):
                answer.raise_for_status()
                self._keys = KeySet.import_key_set(await answer.json(content_type=None))
        except (aiohttp.ClientError, TimeoutError, ValueError, JoseError):
            return


class Authenticator:
    """Turns a bearer token into a Caller."""

    def __init__(self, keys: SigningKeys, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def authenticate(self, token: str) -> Caller:
        """Raises InvalidToken with what is wrong, never with the token."""
        try:
            claims = await self._decode_token(token)
            self._claims.validate(claims)
            return _build_caller(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            message = (
                f"the bearer token is not valid ({type(error).__name__}); get a new one from your identity provider"
            )
            raise InvalidToken(message) from error

    async def _decode_token(self, token: str) -> dict[str, object]:
        try:
            return jwt.decode(token, await self._keys.get(fresh=False), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            # Signed with a key that is newer than ours? Look once more before refusing.
            return jwt.decode(token, await self._keys.get(fresh=True), algorithms=ALGORITHMS).claims


def _build_caller(claims: dict[str, object]) -> Caller:
    subject, council, scope = str(claims["sub"]), str(claims["council"]), str(claims.get("scope", ""))
    # The subject stands in the record for ever: an e-mail address or a name must not get there.
    if not OPAQUE.fullmatch(subject) or not OPAQUE.fullmatch(council):
        message = "sub and council must be opaque identifiers"
        raise ValueError(message)
    provider = claims.get("provider_id")
    return Caller(
        subject=subject,
        council=CouncilKey(council),
        scopes=frozenset(scope.split()),
        provider_id=None if provider is None else ProviderId(UUID(str(provider))),
    )


_bearer = HTTPBearer(auto_error=False, description="A JWT of the council's or Call-off's identity provider")


async def _authenticate(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    if credentials is None:
        message = "send a bearer token in the Authorization header"
        raise InvalidToken(message)
    authenticator: Authenticator = request.app.state.authenticator
    return await authenticator.authenticate(credentials.credentials)


def require_scopes(scopes: str | Iterable[str]) -> Callable[..., Awaitable[Caller]]:
    """A dependency: the caller, whose token carries at least one of `scopes`."""
    required = {scopes} if isinstance(scopes, str) else set(scopes)

    async def allowed(caller: Annotated[Caller, Depends(_authenticate)]) -> Caller:
        if not caller.scopes & required:
            message = f"this needs the scope {' or '.join(sorted(required))}"
            raise MissingScope(message)
        return caller

    return allowed
