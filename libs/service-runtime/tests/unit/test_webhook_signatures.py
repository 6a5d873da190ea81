"""Webhooks are signed as Standard Webhooks 1.0 says, by its own vectors and its own library."""

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


def test_the_standards_own_example_gets_the_standards_own_signature() -> None:
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


def test_a_receiver_with_the_standards_library_accepts_what_we_sign() -> None:
    secret = generate_secret()
    headers = build_signed_headers("an-id", BODY, keys=[secret], timestamp=int(time.time()))
    assert Verifier(secret).verify(BODY, headers)["type"] == "offer.made"


def test_during_a_rotation_receivers_of_either_secret_accept() -> None:
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
    one, other = generate_secret(), generate_secret()
    assert one != other
    assert len(base64.b64decode(one.removeprefix("whsec_"))) == 32


def test_a_stored_secret_does_not_show_and_opens_again() -> None:
    vault = SecretBox([KEY])
    sealed = vault.encrypt("whsec_x", owner="Alder")
    assert b"whsec" not in sealed
    assert vault.decrypt(sealed, owner="Alder") == "whsec_x"


def test_a_secret_copied_to_another_owner_stays_closed() -> None:
    sealed = SecretBox([KEY]).encrypt("whsec_x", owner="Alder")
    with pytest.raises(SecretUnreadable):
        SecretBox([KEY]).decrypt(sealed, owner="Birch")


def test_a_new_key_opens_what_the_old_one_closed_while_both_are_there() -> None:
    sealed = SecretBox([KEY]).encrypt("whsec_x", owner="Alder")
    assert SecretBox([NEW_KEY, KEY]).decrypt(sealed, owner="Alder") == "whsec_x"
    with pytest.raises(SecretUnreadable):
        SecretBox([NEW_KEY]).decrypt(sealed, owner="Alder")


@pytest.mark.parametrize("keys", [[], ["short"], ["not base64!"], [base64.b64encode(b"x" * 16).decode()]])
def test_a_key_that_is_no_key_is_refused_at_the_start(keys: list[str]) -> None:
    with pytest.raises(SecretBoxKeyInvalid):
        SecretBox(keys)
