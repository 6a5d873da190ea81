"""Webhook signatures: they follow Standard Webhooks 1.0, checked with its test vector and its library."""

import base64
import time

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from service_runtime.webhooks.secret_box import SecretBox, SecretBoxKeyInvalid, SecretUnreadable
from service_runtime.webhooks.signing import build_signed_headers, generate_secret, sign

KEY = base64.b64encode(b"k" * 32).decode()
NEW_KEY = base64.b64encode(b"n" * 32).decode()
BODY = b'{"type":"offer.made","data":{"note":"\xc3\xa9"}}'


def test_the_example_of_the_standard_gets_its_signature() -> None:
    signature = sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        timestamp=1614265330,
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_written_with_or_without_its_prefix() -> None:
    secret = generate_secret()
    with_prefix = sign("1", BODY, secret=secret, timestamp=1)
    assert sign("1", BODY, secret=secret.removeprefix("whsec_"), timestamp=1) == with_prefix


def test_the_library_of_the_standard_accepts_our_signature() -> None:
    secret = generate_secret()
    headers = build_signed_headers("an-id", BODY, keys=[secret], timestamp=int(time.time()))
    assert Verifier(secret).verify(BODY, headers)["type"] == "offer.made"


def test_during_a_rotation_both_secrets_verify() -> None:
    old, new = generate_secret(), generate_secret()
    headers = build_signed_headers("an-id", BODY, keys=[new, old], timestamp=int(time.time()))
    for secret in (old, new):
        Verifier(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(generate_secret()).verify(BODY, headers)


def test_a_changed_byte_is_refused() -> None:
    secret = generate_secret()
    headers = build_signed_headers("an-id", BODY, keys=[secret], timestamp=int(time.time()))
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(BODY.replace(b"made", b"fade"), headers)


def test_secrets_have_32_random_bytes() -> None:
    first, second = generate_secret(), generate_secret()
    assert first != second
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32


def test_an_encrypted_secret_is_unreadable_and_can_be_decrypted() -> None:
    secret_box = SecretBox([KEY])
    encrypted = secret_box.encrypt("whsec_x", owner="Alder")
    assert b"whsec" not in encrypted
    assert secret_box.decrypt(encrypted, owner="Alder") == "whsec_x"


def test_a_secret_copied_to_another_owner_cannot_be_decrypted() -> None:
    encrypted = SecretBox([KEY]).encrypt("whsec_x", owner="Alder")
    with pytest.raises(SecretUnreadable):
        SecretBox([KEY]).decrypt(encrypted, owner="Birch")


def test_a_secret_of_the_old_key_can_be_decrypted_while_both_keys_are_configured() -> None:
    encrypted = SecretBox([KEY]).encrypt("whsec_x", owner="Alder")
    assert SecretBox([NEW_KEY, KEY]).decrypt(encrypted, owner="Alder") == "whsec_x"
    with pytest.raises(SecretUnreadable):
        SecretBox([NEW_KEY]).decrypt(encrypted, owner="Alder")


@pytest.mark.parametrize("keys", [[], ["short"], ["not base64!"], [base64.b64encode(b"x" * 16).decode()]])
def test_an_invalid_key_is_refused_at_start(keys: list[str]) -> None:
    with pytest.raises(SecretBoxKeyInvalid):
        SecretBox(keys)
