"""Tokens: reads the header and the claims of a JWT in the forms that identity providers write them in.

Nothing that these functions raise contains a part of the token.
"""

import json
import re
from binascii import a2b_base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from joserfc.errors import ClaimError, ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError

from contracts.ids import CouncilKey, ProviderId
from service_runtime.http.jwks import KEY_TYPE_BY_ALGORITHM

MAX_TOKEN: Final = 16 * 1024
"""Characters; a token of Azure AD with many groups has about 8,000."""
OPAQUE: Final = re.compile(r"[A-Za-z0-9._:|-]{1,64}")
CLIENT_SUFFIX: Final = "@clients"
"""Auth0 appends it to the id of a client that calls for itself."""

_CLAIMS_IN_WORDS: Final = {
    "iss": "is not the identity provider that this installation trusts",
    "aud": "does not name this installation",
    "sub": "must be text",
    "exp": "must be a number of seconds since 1970",
    "nbf": "is in the future or not a number; check the identity provider's clock",
    "iat": "is in the future or not a number; check the identity provider's clock",
}


class UnusableToken(ValueError):
    """The token cannot be accepted; the message completes "the bearer token …"."""


@dataclass(frozen=True)
class TokenHeader:
    """What a token's header tells about its signature."""

    algorithm: str
    key_id: str | None


@dataclass(frozen=True)
class Identity:
    """Who calls, according to the claims of a token."""

    subject: str
    council: CouncilKey
    scopes: frozenset[str]
    provider_id: ProviderId | None


def read_header(token: str) -> TokenHeader:
    """Reads the header of a token whose signature is not verified yet. Raises UnusableToken."""
    if len(token) > MAX_TOKEN:
        message = f"is longer than {MAX_TOKEN} characters"
        raise UnusableToken(message)
    segments = token.split(".")
    if len(segments) != 3 or not token.isascii():
        message = "is not a signed JWT: three parts with dots between them"
        raise UnusableToken(message)
    header = _decode_header(segments[0])
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in KEY_TYPE_BY_ALGORITHM:
        message = f"must be signed with one of {', '.join(KEY_TYPE_BY_ALGORITHM)}"
        raise UnusableToken(message)
    if "crit" in header:
        message = "has critical header parameters (crit), which are not supported"
        raise UnusableToken(message)
    return TokenHeader(algorithm, key_id if isinstance(key_id, str) else None)


def _decode_header(segment: str) -> dict[str, Any]:
    try:
        text = a2b_base64(segment.translate(_URL_SAFE) + "=" * (-len(segment) % 4))
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = "has a header that is not base64url of JSON"
        raise UnusableToken(message) from error
    if not isinstance(header, dict):
        message = "has a header that is not a JSON object"
        raise UnusableToken(message)
    return cast("dict[str, Any]", header)


_URL_SAFE: Final = str.maketrans("-_", "+/")


def read_identity(claims: Mapping[str, object]) -> Identity:
    """Reads who calls from verified claims. Raises UnusableToken with the claim and what it must be."""
    provider = claims.get("provider_id")
    return Identity(
        subject=_read_subject(claims.get("sub")),
        council=CouncilKey(_read_opaque("council", claims.get("council"))),
        scopes=frozenset((*_read_scopes(claims.get("scope")), *_read_scopes(claims.get("scp")))),
        provider_id=None if provider is None else _read_provider_id(provider),
    )


def describe_error(error: JoseError) -> str:
    """Says what is wrong with a token; the result completes "the bearer token …"."""
    if isinstance(error, ExpiredTokenError):
        return "has expired"
    if isinstance(error, MissingClaimError):
        return f"lacks the claim {error.claim}"
    if isinstance(error, InvalidClaimError | ClaimError):
        return f"has a claim that is not accepted: {error.claim} {_CLAIMS_IN_WORDS.get(error.claim, 'is not valid')}"
    return "has no valid signature of a key that the identity provider publishes"


def _read_subject(value: object) -> str:
    """Events store the subject permanently, so it must be opaque: no e-mail address and no name with spaces.

    The one `@` that is accepted is Auth0's suffix of client ids, because no mail goes to a domain without a dot.
    """
    if isinstance(value, str) and OPAQUE.fullmatch(value.removesuffix(CLIENT_SUFFIX)):
        return value
    message = (
        "has a claim that is not accepted: sub must be an opaque identifier of at most 64 letters, digits and . _ : | -"
        f" (a client's may end with {CLIENT_SUFFIX}); events record it permanently, so it must not be an e-mail address"
    )
    raise UnusableToken(message)


def _read_opaque(name: str, value: object) -> str:
    if isinstance(value, str) and OPAQUE.fullmatch(value):
        return value
    message = (
        f"lacks the claim {name}"
        if value is None
        else f"has a claim that is not accepted: {name} must be at most 64 letters, digits and . _ : | -"
    )
    raise UnusableToken(message)


def _read_scopes(value: object) -> list[str]:
    """Reads scopes from text with spaces between them (RFC 8693) or from a list (Azure AD, Okta and others)."""
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list):
        return [scope for each in cast("list[object]", value) if isinstance(each, str) for scope in each.split()]
    return []


def _read_provider_id(value: object) -> ProviderId:
    try:
        return ProviderId(UUID(str(value)))
    except ValueError as error:
        message = "has a claim that is not accepted: provider_id must be a UUID"
        raise UnusableToken(message) from error
