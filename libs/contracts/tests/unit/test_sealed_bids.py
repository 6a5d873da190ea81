"""A commitment opens to its own bid and to no other, and says nothing about it before."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.example_words import Criteria
from contracts.ids import CompetitionId, ProviderId
from contracts.sealed_bids import compute_commitment, hash_answers, hash_text

COMPETITION, PROVIDER = CompetitionId(UUID(int=1)), ProviderId(UUID(int=2))
SALT: Final = "5a" * 32
RATES = st.decimals(Decimal("0.01"), Decimal("9999.99"), places=2)
SALTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
HASHES = SALTS


def commit(rate: Decimal, content_hash: str, salt: str, *, provider: ProviderId = PROVIDER) -> str:
    return compute_commitment(
        competition_id=COMPETITION, provider_id=provider, rate=rate, content_hash=content_hash, salt=salt
    )


@given(rate=RATES, content=HASHES, salt=SALTS)
def test_a_commitment_opens_to_the_bid_that_made_it(rate: Decimal, content: str, salt: str) -> None:
    commitment = commit(rate, content, salt)
    assert commitment == commit(Decimal(str(rate)), content, salt)
    assert len(commitment) == 64


@given(rate=RATES, other=RATES, content=HASHES, salt=SALTS)
def test_a_commitment_opens_to_no_other_rate(rate: Decimal, other: Decimal, content: str, salt: str) -> None:
    assert (commit(rate, content, salt) == commit(other, content, salt)) == (rate == other)


def test_each_part_of_a_bid_is_committed_to() -> None:
    usual = commit(Decimal("24.10"), "a" * 64, SALT)
    others = {
        commit(Decimal("24.10"), "b" * 64, SALT),
        commit(Decimal("24.10"), "a" * 64, "5b" * 32),
        commit(Decimal("24.10"), "a" * 64, SALT, provider=ProviderId(UUID(int=3))),
    }
    assert len(others | {usual}) == 4


def test_equal_amounts_commit_alike() -> None:
    assert commit(Decimal("24.1"), "a" * 64, SALT) == commit(Decimal("2.410E+1"), "a" * 64, SALT)


def test_the_published_example_can_be_recomputed_by_hand() -> None:
    """`printf '%s%s' SALT JSON | sha256sum` gives the same."""
    assert commit(Decimal("24.10"), "a" * 64, SALT) == (
        "a7319b29295ebb2fd8de50d02321fe0764c74d61a5d2fde6d8919ec3fa17ff65"
    )


def test_the_order_of_answers_does_not_matter_and_each_letter_does() -> None:
    answers = {Criteria.SKILLS: "two nurses", Criteria.CONTINUITY: "four carers"}
    turned = dict(reversed(answers.items()))
    assert hash_answers(answers, salt=SALT) == hash_answers(turned, salt=SALT)
    assert hash_answers({**answers, Criteria.SKILLS: "two nurses."}, salt=SALT) != hash_answers(answers, salt=SALT)


def test_the_same_text_has_another_hash_under_another_salt() -> None:
    assert hash_text("Is there parking?", salt=SALT) != hash_text("Is there parking?", salt="5b" * 32)
