"""Invented adults are valid, distinct and recognisably invented."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from simulator.person_factory import PersonFactory, build_nhs_number, is_valid_nhs_number, reserve_person_number

POSTCODES: Final[Mapping[str, Sequence[str]]] = {
    "E07000071": ("CO1 1AA", "CO2 7BB"),
    "E07000070": ("CM1 1QH",),
}


def test_every_nhs_number_is_valid_and_in_the_test_range() -> None:
    numbers = [build_nhs_number(number) for number in range(0, 900_000, 997)]
    assert all(is_valid_nhs_number(each) and each.startswith("999") for each in numbers)


def test_no_two_numbers_make_the_same_nhs_number() -> None:
    assert len({build_nhs_number(number) for number in range(5_000)}) == 5_000


@pytest.mark.parametrize("wrong", ["9434765918", "943476591", "94347659199", "94347659X9"])
def test_a_wrong_check_digit_is_refused(wrong: str) -> None:
    assert is_valid_nhs_number("9434765919")
    assert not is_valid_nhs_number(wrong)


def test_a_person_is_recognisably_invented() -> None:
    person = PersonFactory(POSTCODES, seed=1).create_person(42)
    assert person.full_name == "Test Person 0042"
    assert person.address_line == "42 Test Street"
    assert person.telephone.startswith("01632 960")


def test_the_same_number_is_the_same_person() -> None:
    assert PersonFactory(POSTCODES, seed=1).create_person(7) == PersonFactory(POSTCODES, seed=1).create_person(7)


def test_a_person_lives_in_the_district_that_was_asked_for() -> None:
    person = PersonFactory(POSTCODES, seed=1).create_person(7, area="E07000070")
    assert (person.area, person.postcode) == ("E07000070", "CM1 1QH")


def test_a_person_number_is_used_once(tmp_path: Path) -> None:
    assert [reserve_person_number(tmp_path / "people") for _ in range(3)] == [1, 2, 3]
