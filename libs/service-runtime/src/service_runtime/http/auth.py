"""Authentication and authorisation: bearer tokens are verified against a JWKS; each route requires scopes.

Authentication cannot be switched off. Systems use OAuth2 client credentials; officers use tokens of their council's
identity provider, and each person has a distinct `sub`. The claims `council` and `provider_id` limit the visible data.
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
from contracts.scopes import OFFICER_SCOPES

ALGORITHMS: Final = ["RS256", "ES256", "EdDSA", "Ed25519"]
LEEWAY: Final = 30
"""Seconds of clock difference that are tolerated when `exp` and other times are checked."""
MAX_VERIFIED: Final = 2_000
"""Tokens whose signature is not verified again: a system sends the same token until it expires."""
OPAQUE: Final = re.compile(r"^[A-Za-z0-9._:|-]{1,64}$")


class InvalidToken(Unauthenticated):
    """The bearer token is missing or not valid; get a new one from your identity provider."""


class MissingScope(Forbidden):
    """The token is valid but lacks a scope that the route requires."""


class KeysUnavailable(RetryLater):
    """The identity provider's keys cannot be fetched."""


@dataclass(frozen=True)
class Caller:
    """The authenticated caller, identified by a bearer token or by an offer link from an e-mail."""

    subject: str
    council: CouncilKey
    scopes: frozenset[str]
    provider_id: ProviderId | None = None
    by_link: bool = False

    @property
    def actor(self) -> str:
        """The actor that events record: `officer`, `system`, `provider` or `link`, a colon, and an opaque id."""
        if self.provider_id is not None:
            return f"{'link' if self.by_link else 'provider'}:{self.provider_id}"
        kind = "officer" if self.scopes & OFFICER_SCOPES else "system"
        return f"{kind}:{self.subject}"

    @property
    def as_provider(self) -> ProviderId:
        """The id of the calling provider. Raises Forbidden for a token without `provider_id`."""
        if self.provider_id is None:
            message = "this route is for providers; use a token with a provider_id claim"
            raise Forbidden(message)
        return self.provider_id


class SigningKeys(Protocol):
    """Source of the identity provider's public keys; `fresh` asks it to fetch them again."""

    async def get(self, *, fresh: bool) -> KeySet: ...


class JwksOverHttp:
    """Fetches the keys from a JWKS URL and caches them for `keep_for` seconds.

    A token with an unknown key causes another fetch, at most one every `min_refetch_interval` seconds.
    """

    def __init__(self, url: str, *, keep_for: float = 600, min_refetch_interval: float = 5) -> None:
        self._url = url
        self._keep_for = keep_for
        self._min_refetch_interval = min_refetch_interval
        self._keys: KeySet | None = None
        self._tried = 0.0
        self._lock = asyncio.Lock()

    async def get(self, *, fresh: bool) -> KeySet:
        """Returns the cached keys, or fetches them. Raises KeysUnavailable if no fetch has succeeded yet."""
        async with self._lock:
            age = time.monotonic() - self._tried
            stale = age > (self._min_refetch_interval if fresh else self._keep_for)
            if self._keys is None or stale:
                await self._fetch()
            if self._keys is None:
                message = "the identity provider's keys cannot be fetched; try again shortly"
                raise KeysUnavailable(message, retry_after=2)
            return self._keys

    async def _fetch(self) -> None:
        # Failed attempts count too: an identity provider that hangs must not delay every request.
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


def _get_unix_time() -> int:
    return int(time.time())


class Authenticator:
    """Verifies bearer tokens; `now` returns the seconds since 1970."""

    def __init__(
        self, keys: SigningKeys, *, issuer: str, audience: str, now: Callable[[], int] = _get_unix_time
    ) -> None:
        self._keys = keys
        self._verified: dict[str, dict[str, object]] = {}
        self._verified_with: KeySet | None = None
        self._claims = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def authenticate(self, token: str) -> Caller:
        """Verifies `token` and returns its caller. Raises InvalidToken; the error text never contains the token."""
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
        """Returns the claims of `token`; verifies the signature of a token once with the same keys."""
        claims = self._get_verified(await self._keys.get(fresh=False)).get(token)
        return claims if claims is not None else await self._verify(token)

    async def _verify(self, token: str) -> dict[str, object]:
        keys = await self._keys.get(fresh=False)
        try:
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            # The token may be signed with a key newer than the cached ones: fetch the keys again once.
            keys = await self._keys.get(fresh=True)
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        verified = self._get_verified(keys)
        if len(verified) >= MAX_VERIFIED:
            verified.clear()
        verified[token] = claims
        return claims

    def _get_verified(self, keys: KeySet) -> dict[str, dict[str, object]]:
        """Returns the claims by token that were verified with `keys`; forgets them when the keys are fetched again."""
        if keys is not self._verified_with:
            self._verified, self._verified_with = {}, keys
        return self._verified


def _build_caller(claims: dict[str, object]) -> Caller:
    subject, council, scope = str(claims["sub"]), str(claims["council"]), str(claims.get("scope", ""))
    # Events store the subject permanently, so it must not be an e-mail address or a name.
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
    """Returns a dependency that yields the caller. Raises MissingScope if the token has none of `scopes`."""
    required = {scopes} if isinstance(scopes, str) else set(scopes)

    async def check_scopes(caller: Annotated[Caller, Depends(_authenticate)]) -> Caller:
        if not caller.scopes & required:
            message = f"this request needs the scope {' or '.join(sorted(required))}"
            raise MissingScope(message)
        return caller

    return check_scopes
