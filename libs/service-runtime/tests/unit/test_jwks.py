"""Key sets: keys that cannot verify a token are ignored, whatever is odd about them; the good ones are used."""

import pytest

from service_runtime.http.jwks import MAX_CANDIDATES, MAX_KEYS, UnusableKeySet, parse_key_set
from testkit.identity_provider import SigningKey, build_key_set
from testkit.tokens import generate_key

GOOD = generate_key("good", key_type="P-256")


def build_public(key: SigningKey, **changed: object) -> dict[str, object]:
    members: dict[str, object] = {**key.as_dict(private=False), **changed}
    return {name: value for name, value in members.items() if value is not None}


FOREIGN: dict[str, object] = {
    "a curve that nobody knows": build_public(GOOD, kid="foreign", crv="P-999"),
    "a curve of another algorithm": build_public(GOOD, kid="foreign", crv="secp256k1"),
    "a key type that nobody knows": {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "foreign"},
    "a key type that is no text": {"kty": ["RSA"], "kid": "foreign"},
    "a symmetric key": {"kty": "oct", "k": "c2VjcmV0", "kid": "foreign"},
    "a key for encryption": build_public(GOOD, kid="foreign", use="enc"),
    "a use that nobody knows": build_public(GOOD, kid="foreign", use="something"),
    "a use that is no text": build_public(GOOD, kid="foreign", use=["sig"]),
    "operations without verification": build_public(GOOD, kid="foreign", key_ops=["encrypt"]),
    "operations that are no list": build_public(GOOD, kid="foreign", key_ops=7),
    "another algorithm": build_public(GOOD, kid="foreign", alg="ES999"),
    "an algorithm of another key type": build_public(GOOD, kid="foreign", alg="RS256"),
    "a point that is not on the curve": build_public(GOOD, kid="foreign", x="AAAA"),
    "material that is missing": build_public(GOOD, kid="foreign", x=None),
    "material that is no text": build_public(GOOD, kid="foreign", x=17),
    "an RSA key without modulus": {"kty": "RSA", "e": "AQAB", "kid": "foreign"},
    "an RSA key that is too short": {"kty": "RSA", "e": "AQAB", "n": "wVwLfw" * 20, "kid": "foreign"},
    "text": "key",
    "a number": 7,
    "null": None,
    "an empty object": {},
}


@pytest.mark.parametrize("entry", FOREIGN.values(), ids=FOREIGN.keys())
@pytest.mark.parametrize("is_first", [True, False])
def test_a_foreign_key_is_ignored_and_the_good_one_is_used(entry: object, is_first: bool) -> None:
    keys = parse_key_set(build_key_set(*((entry, GOOD) if is_first else (GOOD, entry))))
    assert (len(keys.keys), keys.ignored) == (1, 1)
    assert len(keys.find_candidates("good", "ES256")) == 1
    assert not keys.find_candidates("foreign", "ES256")


@pytest.mark.parametrize(
    "changed",
    [
        {"x5c": [17], "x5t": None, "foreign": {"a": 1}},
        {"d": "bm90IGEga2V5"},
        {"use": "sig", "key_ops": ["verify"], "alg": "ES256"},
    ],
)
def test_members_besides_the_key_itself_do_not_matter(changed: dict[str, object]) -> None:
    (_, key), *rest = parse_key_set(build_key_set(build_public(GOOD, **changed))).keys
    assert not rest
    assert not key.is_private


@pytest.mark.parametrize("key_id", [None, 17, ["a"]])
def test_a_key_without_an_id_may_have_signed_any_token(key_id: object) -> None:
    keys = parse_key_set(build_key_set(build_public(GOOD, kid=key_id)))
    assert len(keys.find_candidates("anything", "ES256")) == 1
    assert len(keys.find_candidates(None, "ES256")) == 1


def test_keys_with_the_same_id_are_all_candidates() -> None:
    others = [generate_key("good", key_type=kind) for kind in ("P-256", "Ed25519")]
    keys = parse_key_set(build_key_set(GOOD, *others))
    assert len(keys.find_candidates("good", "ES256")) == 2
    assert len(keys.find_candidates("good", "EdDSA")) == 1


def test_the_number_of_keys_is_bounded() -> None:
    keys = parse_key_set(build_key_set(*(build_public(GOOD, kid=f"key-{number}") for number in range(MAX_KEYS + 5))))
    assert (len(keys.keys), keys.ignored) == (MAX_KEYS, 5)
    assert len(keys.find_candidates(None, "ES256")) == MAX_CANDIDATES


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        b'{"keys": null}',
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [{}]}',
        b'{"keys": [' + b"9" * 5_000 + b"]}",
    ],
)
def test_an_answer_without_a_usable_key_is_no_key_set(content: bytes) -> None:
    with pytest.raises(UnusableKeySet):
        parse_key_set(content)
