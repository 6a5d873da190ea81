"""Ids sort by the instant in which they were made."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.examples import MONDAY_NINE
from contracts.ids import uuid7

chance = st.integers(min_value=0, max_value=(1 << 74) - 1)


@given(earlier=chance, later=chance, apart=st.integers(min_value=1, max_value=10**9))
def test_a_later_millisecond_sorts_later_whatever_chance_says(earlier: int, later: int, apart: int) -> None:
    before = uuid7(MONDAY_NINE, random_bits=earlier)
    after = uuid7(MONDAY_NINE + timedelta(milliseconds=apart), random_bits=later)
    assert str(before) < str(after)


@given(bits=chance)
def test_an_id_says_that_it_is_of_version_7_and_can_be_made_again(bits: int) -> None:
    made = uuid7(MONDAY_NINE, random_bits=bits)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made == uuid7(MONDAY_NINE, random_bits=bits)


def test_ids_of_one_instant_differ() -> None:
    assert len({uuid7(MONDAY_NINE) for _ in range(1000)}) == 1000
