"""Keys of a JWKS (RFC 7517): those that can verify a token's signature are used, all others are ignored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from joserfc.jwk import ECKey, OKPKey, RSAKey

KEY_TYPE_BY_ALGORITHM: Final = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
"""The accepted signature algorithms. Symmetric ones are not among them: their keys cannot be published."""
ALGORITHMS: Final = tuple(KEY_TYPE_BY_ALGORITHM)
MAX_KEYS: Final = 100
"""Keys of one set that are looked at; identity providers publish two to ten."""
MAX_CANDIDATES: Final = 8
"""Keys that the signature of one token is tried with; more than one only if key ids are missing or used twice."""
RSA_BITS: Final = range(2048, 8193)

_MATERIAL: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_TYPES: Final[Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_CURVES: Final = {"EC": {"P-256"}, "OKP": {"Ed25519", "Ed448"}}

VerificationKey = RSAKey | ECKey | OKPKey


class UnusableKeySet(ValueError):
    """The answer is not a JWKS, or none of its keys can verify a token."""


@dataclass(frozen=True)
class VerificationKeys:
    """The keys that verify tokens, each with its key id, and the number of keys that were ignored."""

    keys: tuple[tuple[str | None, VerificationKey], ...]
    ignored: int = 0

    def find_candidates(self, key_id: str | None, algorithm: str) -> Sequence[VerificationKey]:
        """Returns the keys that may have signed a token, at most MAX_CANDIDATES.

        A key without an id may have signed any token, and a token without a key id may be signed with any key.
        """
        key_type = KEY_TYPE_BY_ALGORITHM.get(algorithm)
        fitting = [(own_id, key) for own_id, key in self.keys if key.key_type == key_type]
        named = [key for own_id, key in fitting if own_id is not None and own_id == key_id]
        others = [key for own_id, key in fitting if own_id is None or key_id is None]
        return (named or others)[:MAX_CANDIDATES]


def parse_key_set(content: bytes) -> VerificationKeys:
    """Returns the usable keys of a JWKS. Raises UnusableKeySet if there is none."""
    try:
        entries = json.loads(content)["keys"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        message = "the answer is not a JSON object with the member keys"
        raise UnusableKeySet(message) from error
    if not isinstance(entries, list):
        message = "the member keys is not a list"
        raise UnusableKeySet(message)
    listed = cast("list[object]", entries)
    usable = [entry for each in listed[:MAX_KEYS] if (entry := _import_key(each)) is not None]
    if not usable:
        message = "no key of the set can verify a token"
        raise UnusableKeySet(message)
    return VerificationKeys(tuple(usable), ignored=len(listed) - len(usable))


def _import_key(entry: object) -> tuple[str | None, VerificationKey] | None:
    """Returns key id and key, or None for a key that cannot verify a token, whatever is odd about it."""
    if not isinstance(entry, dict):
        return None
    members = cast("dict[str, Any]", entry)
    try:
        if not _is_for_signatures(members):
            return None
        key_type = members["kty"]
        # Only the key itself is imported: certificates, private parts and unknown members are of no interest.
        material = {name: members[name] for name in ("kty", *_MATERIAL[key_type])}
        key = _TYPES[key_type].import_key(material)
        if isinstance(key, RSAKey) and key.raw_value.key_size not in RSA_BITS:
            return None
    except Exception:  # noqa: BLE001  another's key can be broken in any way, and must not cost the good ones
        return None
    key_id = members.get("kid")
    return (key_id if isinstance(key_id, str) else None), key


def _is_for_signatures(members: dict[str, Any]) -> bool:
    key_type, algorithm, operations = members.get("kty"), members.get("alg"), members.get("key_ops")
    return (
        key_type in _MATERIAL
        and members.get("use") in {None, "sig"}
        and (algorithm is None or KEY_TYPE_BY_ALGORITHM.get(algorithm) == key_type)
        and (operations is None or "verify" in operations)
        and (key_type not in _CURVES or members.get("crv") in _CURVES[key_type])
    )
