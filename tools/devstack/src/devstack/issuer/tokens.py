"""Bearer tokens: JWTs that expire after an hour, signed with the stack's Ed25519 key."""

import time
from collections.abc import Callable
from typing import Final

from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from devstack.issuer.identities import Identity, check_council
from devstack.keys import TOKEN_ALGORITHM, StackKeys

JWKS_PATH: Final = "/.well-known/jwks.json"
TOKEN_PATH: Final = "/token"  # noqa: S105 - a path
AUDIENCE: Final = "calloff"
TOKEN_LIFETIME: Final = 3600
"""Seconds."""


class TokenIssuer:
    """Issues tokens with `address` as issuer, and publishes the key that verifies them."""

    def __init__(self, address: str, keys: StackKeys, *, clock: Callable[[], float] = time.time) -> None:
        self._address = address
        self._key = OKPKey.import_key({**keys.token_signing})
        self._clock = clock

    def issue_token(self, identity: Identity) -> str:
        """Raises UnknownIdentity for an identity of another council than the stack's."""
        check_council(identity)
        now = int(self._clock())
        claims = {
            **identity.build_claims(),
            "iss": self._address,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + TOKEN_LIFETIME,
        }
        header = {"alg": TOKEN_ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[TOKEN_ALGORITHM])

    def build_jwks(self) -> dict[str, object]:
        """The public keys as a JSON Web Key Set."""
        return dict(KeySet([self._key]).as_dict(private=False))
