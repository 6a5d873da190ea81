"""Invented adults that are recognisable: "Test Person 0042", an NHS number of the test range, Test Street."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fcntl import LOCK_EX, flock
from pathlib import Path
from random import Random
from typing import Final

TEST_RANGE: Final = "999"
"""NHS numbers with this prefix are never issued."""
_WEIGHTS: Final = range(10, 1, -1)
_VALID_OF_TEN: Final = 9
PERSON_COUNT: Final = 100_000 * _VALID_OF_TEN
"""How many people have distinct NHS numbers."""


@dataclass(frozen=True)
class Person:
    """One invented adult with address and telephone number."""

    number: int
    full_name: str
    born_on: date
    nhs_number: str
    address_line: str
    postcode: str
    telephone: str
    area: str


class PersonFactory:
    """Creates invented adults. The same seed and number give the same person."""

    def __init__(self, postcodes: Mapping[str, Sequence[str]], *, seed: int) -> None:
        self._postcodes = postcodes
        self._seed = seed

    def create_person(self, number: int, *, area: str | None = None) -> Person:
        """Create the adult with this number, who lives in `area` or in a random one."""
        chance = Random(f"{self._seed}/person/{number}")
        home = area or chance.choice(sorted(self._postcodes))
        return Person(
            number=number,
            full_name=f"Test Person {number:04}",
            born_on=date(chance.randint(1928, 1985), chance.randint(1, 12), chance.randint(1, 28)),
            nhs_number=build_nhs_number(number),
            address_line=f"{number} Test Street",
            postcode=chance.choice(self._postcodes[home]),
            # Ofcom keeps 01632 960000 to 960999 free for drama and tests.
            telephone=f"01632 960{number % 1000:03}",
            area=home,
        )


def build_nhs_number(number: int) -> str:
    """Build a valid NHS number of the test range, distinct for each `number` below 900,000.

    At most one of ten consecutive numbers has no check digit, so each ten yields nine.
    """
    tens, choice = divmod(number % PERSON_COUNT, _VALID_OF_TEN)
    bodies = (f"{TEST_RANGE}{tens:05}{last}" for last in range(10))
    return [f"{body}{check}" for body in bodies if (check := _check_digit(body)) is not None][choice]


def is_valid_nhs_number(text: str) -> bool:
    """Return whether the last of ten digits is the modulo 11 check digit of the others (NHS Data Dictionary)."""
    return len(text) == 10 and text.isdigit() and _check_digit(text[:9]) == int(text[9])


def _check_digit(body: str) -> int | None:
    """Compute the check digit; None if it would be 10, as such numbers are not used."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11
    return {11: 0, 10: None}.get(rest, rest)


def reserve_person_number(file: Path) -> int:
    """Return a number that this stack has not used before: an adult has at most one open referral."""
    with file.open("a+") as counter:
        flock(counter, LOCK_EX)
        counter.seek(0)
        number = int(counter.read() or 0) + 1
        counter.truncate(0)
        counter.write(str(number))
    return number
