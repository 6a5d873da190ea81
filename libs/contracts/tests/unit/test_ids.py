"""Ids are ordered by their instant."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.examples import MONDAY_NINE
from contracts.ids import uuid7

random_bits = st.integers(min_value=0, max_value=(1 << 74) - 1)


@given(earlier=random_bits, later=random_bits, apart=st.integers(min_value=1, max_value=10**9))
def test_a_later_millisecond_sorts_later_for_all_random_bits(earlier: int, later: int, apart: int) -> None:
    before = uuid7(MONDAY_NINE, random_bits=earlier)
    after = uuid7(MONDAY_NINE + timedelta(milliseconds=apart), random_bits=later)
    assert str(before) < str(after)


@given(bits=random_bits)
def test_an_id_is_a_version_7_uuid_and_is_repeatable(bits: int) -> None:
    made = uuid7(MONDAY_NINE, random_bits=bits)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made == uuid7(MONDAY_NINE, random_bits=bits)


def test_ids_of_the_same_instant_differ() -> None:
    assert len({uuid7(MONDAY_NINE) for _ in range(1000)}) == 1000
