"""The person of a referral: age, age band, check of the NHS number, and the key of a person."""

from datetime import date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.examples import COUNCIL
from contracts.ids import CouncilKey
from contracts.office_time import to_office_date
from contracts.values import AgeBand
from referral.domain.person import Address, PersonKeyHasher, compute_age, find_age_band, is_nhs_number
from testkit.referral.builders import AN_NHS_NUMBER, KEYS, a_person


@pytest.mark.parametrize(
    "number",
    ["9990000018", "999 000 0018", "999-000-0018", "9990000093", "4010232137"]
    + [f"999{separator}000{separator}0018" for separator in "\u00a0\u2009\u2010\u2013\u2212\u200c"],
)
def test_a_number_with_the_right_check_digit_is_an_nhs_number(number: str) -> None:
    assert is_nhs_number(number)


@pytest.mark.parametrize("number", ["9990000019", "999000001", "99900000180", "ABCDEFGHIJ", "", "٩٩٩٠٠٠٠٠١٨"])
def test_any_other_text_is_not_an_nhs_number(number: str) -> None:
    assert not is_nhs_number(number)


@given(st.integers(min_value=0, max_value=999_999_999))
def test_at_most_one_check_digit_is_valid_and_none_if_the_remainder_is_ten(nine: int) -> None:
    valid = [check for check in range(10) if is_nhs_number(f"{nine:09}{check}")]
    remainder = 11 - sum(int(digit) * weight for digit, weight in zip(f"{nine:09}", range(10, 1, -1), strict=True)) % 11
    assert len(valid) == (0 if remainder == 10 else 1)


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(2008, 3, 2), 18),
        (date(2008, 3, 3), 17),
        (date(2008, 2, 29), 18),
        (date(1926, 3, 2), 100),
    ],
)
def test_age_increases_on_the_birthday(born: date, age: int) -> None:
    assert compute_age(date(2026, 3, 2), date_of_birth=born) == age


def test_a_person_born_on_a_leap_day_is_a_year_older_on_the_first_of_march() -> None:
    born = date(2008, 2, 29)
    assert (compute_age(date(2026, 2, 28), date_of_birth=born), compute_age(date(2026, 3, 1), date_of_birth=born)) == (
        17,
        18,
    )


@pytest.mark.parametrize(
    ("lower_limit", "band"),
    [
        (18, AgeBand.UNDER_40),
        (40, AgeBand.FROM_40),
        (65, AgeBand.FROM_65),
        (75, AgeBand.FROM_75),
        (85, AgeBand.FROM_85),
    ],
)
def test_each_age_band_begins_at_its_lower_limit(lower_limit: int, band: AgeBand) -> None:
    assert find_age_band(lower_limit) is band


def test_age_bands_have_no_gaps() -> None:
    bands = [find_age_band(age) for age in range(18, 121)]
    assert set(bands) == set(AgeBand)
    assert sum(one is not other for one, other in pairwise(bands)) == len(AgeBand) - 1


def test_a_child_has_no_age_band() -> None:
    with pytest.raises(ValueError, match="under 18"):
        find_age_band(17)


def test_the_person_key_depends_on_a_valid_nhs_number_alone() -> None:
    one = a_person(nhs_number="999 000 0018")
    same = a_person(nhs_number="9990000018", name="T. Person", date_of_birth=date(1940, 5, 18))
    assert KEYS.compute_key(one, COUNCIL) == KEYS.compute_key(same, COUNCIL)


def test_without_an_nhs_number_the_key_depends_on_normalized_name_birth_date_and_postcode() -> None:
    one = a_person(nhs_number=None, name="Zoë O'Test-Person")
    same = a_person(nhs_number=None, name="ZOE OTEST PERSON", address=Address(("elsewhere",), "co11pj"))
    assert KEYS.compute_key(one, COUNCIL) == KEYS.compute_key(same, COUNCIL)


def test_the_key_is_the_same_for_every_way_to_write_the_same_person() -> None:
    plain = a_person(nhs_number=None, name="Zoë Test-Person")
    composed = a_person(nhs_number=None, name="Zoe\u0308\u00a0Test\u2013Per\u200cson")
    assert KEYS.compute_key(plain, COUNCIL) == KEYS.compute_key(composed, COUNCIL)
    number, dashed = a_person(nhs_number="9990000018"), a_person(nhs_number="999\u2013000\u00a00018")
    assert KEYS.compute_key(number, COUNCIL) == KEYS.compute_key(dashed, COUNCIL)


def test_the_key_of_a_plainly_written_person_never_changes() -> None:
    keys = PersonKeyHasher(b"x" * 32)
    by_name = a_person(nhs_number=None, name="Test Person", address=Address(("1 Test Road",), "CO1 1PJ"))
    assert keys.compute_key(by_name, COUNCIL)[:16] == "d0d6e905296b2af4"
    assert keys.compute_key(a_person(nhs_number="999 000 0018"), COUNCIL)[:16] == "fee385a05bc2f8ba"


def test_an_invalid_nhs_number_does_not_affect_the_key() -> None:
    wrong, none = a_person(nhs_number="9990000019"), a_person(nhs_number=None)
    assert KEYS.compute_key(wrong, COUNCIL) == KEYS.compute_key(none, COUNCIL)


def test_another_date_of_birth_gives_another_key() -> None:
    one, other = a_person(nhs_number=None), a_person(nhs_number=None, date_of_birth=date(1940, 5, 18))
    assert KEYS.compute_key(one, COUNCIL) != KEYS.compute_key(other, COUNCIL)


def test_two_councils_get_different_keys_for_one_person() -> None:
    person = a_person()
    assert KEYS.compute_key(person, COUNCIL) != KEYS.compute_key(person, CouncilKey("another"))


def test_the_repr_of_a_person_contains_no_personal_data() -> None:
    person = a_person()
    text = f"{person!r} {person.address!r} {person.contacts!r} {KEYS!r}"
    for secret in (person.name, AN_NHS_NUMBER, "CO1 1PJ", "Daughter", "01632", "secret"):
        assert secret not in text


def test_the_office_date_is_the_date_in_london() -> None:
    assert to_office_date(datetime.fromisoformat("2026-06-30T23:30:00Z")) == date(2026, 7, 1)
