"""Authentication and authorisation: bearer tokens are verified against a JWKS; each route requires scopes.

Authentication cannot be switched off. Systems use OAuth2 client credentials; officers use tokens of their council's
identity provider, and each person has a distinct `sub`. The claims `council` and `provider_id` limit the visible data.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidPayloadError, JoseError
from joserfc.jws import JWSRegistry

from contracts.errors import Forbidden, Unauthenticated
from contracts.ids import CouncilKey, ProviderId
from contracts.scopes import OFFICER_SCOPES
from service_runtime.http.jwks import ALGORITHMS, VerificationKey, VerificationKeys
from service_runtime.http.signing_keys import KeysUnavailable, SigningKeys
from service_runtime.http.tokens import MAX_TOKEN, UnusableToken, describe_error, read_header, read_identity

LEEWAY: Final = 30
"""Seconds of clock difference that are tolerated when `exp` and other times are checked."""
MAX_VERIFIED: Final = 2_000
"""Tokens whose signature is not verified again: a system sends the same token until it expires."""
JUDGED_CLAIMS: Final = ("iss", "aud", "exp", "nbf", "iat", "sub")


class InvalidToken(Unauthenticated):
    """The bearer token is not valid; get a new one from your identity provider."""

    @property
    def challenge(self) -> str:
        """The WWW-Authenticate header of RFC 6750; the message has neither quotes nor backslashes."""
        return f'Bearer error="invalid_token", error_description="{self}"'


class MissingToken(Unauthenticated):
    """The request has no bearer token."""


class MissingScope(Forbidden):
    """The token is valid but lacks a scope that the route requires."""


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


def _get_unix_time() -> int:
    return int(time.time())


class Authenticator:
    """Verifies bearer tokens; `now` returns the seconds since 1970."""

    def __init__(
        self, keys: SigningKeys, *, issuer: str, audience: str, now: Callable[[], int] = _get_unix_time
    ) -> None:
        self._keys = keys
        self._verified: dict[str, dict[str, object]] = {}
        self._verified_with: VerificationKeys | None = None
        self._claims = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def authenticate(self, token: str) -> Caller:
        """Verifies `token` and returns its caller. Raises InvalidToken; the error text never contains the token.

        Raises KeysUnavailable while it is not known whether the identity provider has the key that signed the token.
        """
        try:
            claims = await self._decode_token(token)
            self._claims.validate({name: claims[name] for name in JUDGED_CLAIMS if name in claims})
            who = read_identity(claims)
        except UnusableToken as error:
            raise _refuse(str(error)) from error
        except JoseError as error:
            raise _refuse(describe_error(error)) from error
        return Caller(who.subject, who.council, who.scopes, who.provider_id)

    async def _decode_token(self, token: str) -> dict[str, object]:
        """Returns the claims of `token`; verifies the signature of a token once with the same keys."""
        keys = await self._keys.get()
        claims = self._get_verified(keys).get(token)
        return claims if claims is not None else self._verify(token, keys)

    def _verify(self, token: str, keys: VerificationKeys) -> dict[str, object]:
        header = read_header(token)
        candidates = keys.find_candidates(header.key_id, header.algorithm)
        for key in candidates:
            claims = _decode(token, key)
            if claims is not None:
                self._remember(token, claims, keys)
                return claims
        # The token may be signed with a key that is newer than these.
        if self._keys.refresh_for(header.key_id or "") and not candidates:
            message = "the identity provider's keys are being fetched for this token; try again in a second"
            raise KeysUnavailable(message, retry_after=1)
        raise BadSignatureError

    def _remember(self, token: str, claims: dict[str, object], keys: VerificationKeys) -> None:
        verified = self._get_verified(keys)
        if len(verified) >= MAX_VERIFIED:
            verified.clear()
        verified[token] = claims

    def _get_verified(self, keys: VerificationKeys) -> dict[str, dict[str, object]]:
        """Returns the claims by token that were verified with `keys`; forgets them when the keys change."""
        if keys is not self._verified_with:
            self._verified, self._verified_with = {}, keys
        return self._verified


def _decode(token: str, key: VerificationKey) -> dict[str, object] | None:
    """Returns the claims of a token that `key` has signed, otherwise None. Raises UnusableToken for other claims."""
    try:
        return jwt.decode(token, key, registry=_REGISTRY).claims
    except (InvalidPayloadError, RecursionError) as error:
        message = "has a payload that is not a JSON object"
        raise UnusableToken(message) from error
    except (JoseError, ValueError, TypeError):
        return None


def _build_registry() -> JWSRegistry:
    # Identity providers add header parameters of their own, which RFC 7515 lets a reader ignore.
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    registry.max_header_length = MAX_TOKEN
    return registry


_REGISTRY: Final = _build_registry()


def _refuse(because: str) -> InvalidToken:
    return InvalidToken(f"the bearer token {because}; get a new one from your identity provider")


_bearer = HTTPBearer(auto_error=False, description="A JWT of the council's or Call-off's identity provider")


async def _authenticate(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    if credentials is None:
        message = "send a bearer token in the Authorization header"
        raise MissingToken(message)
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
