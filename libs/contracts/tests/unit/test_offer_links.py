"""Links that answer for a provider: only ours, whole, and in their time."""

import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.examples import an_id
from contracts.ids import OfferId, ProviderId
from contracts.offer_links import LinkNotValid, OfferLink, OfferLinkSigner
from testkit.clocks import MONDAY_NINE

LINKS = OfferLinkSigner("a key that only tests have, of some length")
LINK = OfferLink(OfferId(an_id("offer")), ProviderId(an_id("Alder")), MONDAY_NINE + timedelta(days=7))
SECOND = timedelta(seconds=1)


def test_a_token_says_what_it_was_made_for_and_fits_into_a_path() -> None:
    token = LINKS.create_token(LINK)
    assert LINKS.verify_token(token, now=MONDAY_NINE) == LINK
    assert len(token) == 96
    assert all(letter.isalnum() or letter in "-_" for letter in token)


def test_it_ends_at_its_instant() -> None:
    token = LINKS.create_token(LINK)
    assert LINKS.verify_token(token, now=LINK.ends_at - SECOND) == LINK
    with pytest.raises(LinkNotValid):
        LINKS.verify_token(token, now=LINK.ends_at)


def test_nobody_without_the_key_can_make_one() -> None:
    other = OfferLinkSigner("another key that only tests have, as long")
    with pytest.raises(LinkNotValid):
        LINKS.verify_token(other.create_token(LINK), now=MONDAY_NINE)


@given(st.integers(0, 71), st.integers(1, 255))
def test_a_token_that_was_changed_anywhere_is_refused(position: int, by: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(LINKS.create_token(LINK)))
    raw[position] ^= by
    with pytest.raises(LinkNotValid):
        LINKS.verify_token(base64.urlsafe_b64encode(raw).decode(), now=MONDAY_NINE)


@pytest.mark.parametrize("text", ["", "x", "====", "a b", "ä" * 96, "A" * 96, "A" * 10_000])
def test_what_is_no_token_gets_the_same_answer(text: str) -> None:
    with pytest.raises(LinkNotValid) as refused:
        LINKS.verify_token(text, now=MONDAY_NINE)
    assert str(refused.value) == str(LinkNotValid())


@given(st.text(max_size=120))
def test_no_text_is_a_token_or_a_failure_of_ours(text: str) -> None:
    with pytest.raises(LinkNotValid):
        LINKS.verify_token(text, now=MONDAY_NINE)


def test_a_short_key_is_no_key() -> None:
    with pytest.raises(ValueError, match="shorter than 32"):
        OfferLinkSigner("short")
