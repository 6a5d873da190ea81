"""Previous secrets: how many are kept, until when they sign, and how they are stored."""

from datetime import timedelta

import pytest

from service_runtime.webhooks.secret_box import SecretBox, SecretUnreadable
from service_runtime.webhooks.signing_keys import (
    MAX_PREVIOUS,
    PreviousSecret,
    add_previous,
    decrypt_keys,
    pack,
    unpack,
)
from testkit.clocks import MONDAY_NINE

HOUR = timedelta(hours=1)
BOX = SecretBox(["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="])


def a_previous(name: str, *, hours: int = 1) -> PreviousSecret:
    return PreviousSecret(f"whsec_{name}", MONDAY_NINE + hours * HOUR)


def test_previous_secrets_are_stored_and_read_back() -> None:
    previous = (a_previous("one"), a_previous("two", hours=2))
    assert unpack(pack(previous), until=MONDAY_NINE) == previous


def test_a_bare_secret_of_an_older_release_is_read() -> None:
    assert unpack("whsec_bare", until=MONDAY_NINE) == (PreviousSecret("whsec_bare", MONDAY_NINE),)


def test_a_rotation_keeps_the_newest_that_have_not_ended() -> None:
    old = tuple(a_previous(str(number)) for number in range(MAX_PREVIOUS))
    ended = a_previous("ended", hours=0)
    assert add_previous((ended, *old), a_previous("replaced"), now=MONDAY_NINE) == (a_previous("replaced"), *old[:-1])


def test_the_present_secret_signs_first_and_an_ended_one_not_at_all() -> None:
    stored = [
        BOX.encrypt("whsec_present", owner="Alder"),
        BOX.encrypt(pack((a_previous("one"), a_previous("ended", hours=0))), owner="Alder"),
    ]
    assert decrypt_keys(BOX, stored, owner="Alder", now=MONDAY_NINE) == ["whsec_present", "whsec_one"]
    with pytest.raises(SecretUnreadable):
        decrypt_keys(BOX, stored, owner="Birch", now=MONDAY_NINE)
