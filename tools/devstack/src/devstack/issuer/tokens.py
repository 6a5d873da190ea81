"""Bearer tokens: short-lived JWTs, signed with the stack's own Ed25519 key."""

import time
from collections.abc import Callable
from typing import Final

from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from devstack.issuer.identities import Identity
from devstack.keys import TOKEN_ALGORITHM, Keys

JWKS_PATH: Final = "/.well-known/jwks.json"
TOKEN_PATH: Final = "/token"  # noqa: S105 - a path
AUDIENCE: Final = "calloff"
VALID_FOR: Final = 3600
"""Seconds."""


class TokenIssuer:
    """Makes tokens that say they come from `address`, and shows the key that they can be checked with."""

    def __init__(self, address: str, keys: Keys, *, clock: Callable[[], float] = time.time) -> None:
        self._address = address
        self._key = OKPKey.import_key({**keys.token_signing})
        self._clock = clock

    def token(self, identity: Identity) -> str:
        now = int(self._clock())
        claims = {**identity.claims(), "iss": self._address, "aud": AUDIENCE, "iat": now, "exp": now + VALID_FOR}
        header = {"alg": TOKEN_ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[TOKEN_ALGORITHM])

    def jwks(self) -> dict[str, object]:
        """The public keys, as `jwks_uri` serves them."""
        return dict(KeySet([self._key]).as_dict(private=False))
