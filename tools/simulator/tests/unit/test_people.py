"""Invented adults are valid, different, and can be mistaken for nobody."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from simulator.people import People, is_valid_nhs_number, next_number, nhs_number

POSTCODES: Final[Mapping[str, Sequence[str]]] = {
    "E07000071": ("CO1 1AA", "CO2 7BB"),
    "E07000070": ("CM1 1QH",),
}


def test_every_nhs_number_is_valid_and_of_the_range_kept_for_tests() -> None:
    numbers = [nhs_number(number) for number in range(0, 900_000, 997)]
    assert all(is_valid_nhs_number(each) and each.startswith("999") for each in numbers)


def test_no_two_numbers_make_the_same_nhs_number() -> None:
    assert len({nhs_number(number) for number in range(5_000)}) == 5_000


@pytest.mark.parametrize("wrong", ["9434765918", "943476591", "94347659199", "94347659X9"])
def test_a_wrong_check_digit_is_noticed(wrong: str) -> None:
    assert is_valid_nhs_number("9434765919")
    assert not is_valid_nhs_number(wrong)


def test_a_person_is_obviously_invented() -> None:
    person = People(POSTCODES, seed=1).person(42)
    assert person.full_name == "Test Person 0042"
    assert person.address_line == "42 Test Street"
    assert person.telephone.startswith("01632 960")


def test_the_same_number_is_the_same_person() -> None:
    assert People(POSTCODES, seed=1).person(7) == People(POSTCODES, seed=1).person(7)


def test_a_person_lives_in_the_district_that_was_asked_for() -> None:
    person = People(POSTCODES, seed=1).person(7, area="E07000070")
    assert (person.area, person.postcode) == ("E07000070", "CM1 1QH")


def test_a_number_is_given_out_once(tmp_path: Path) -> None:
    assert [next_number(tmp_path / "people") for _ in range(3)] == [1, 2, 3]
