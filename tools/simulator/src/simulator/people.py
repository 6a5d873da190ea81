"""Invented adults, and obviously so: "Test Person 0042", an NHS number of the range kept for tests, Test Street."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fcntl import LOCK_EX, flock
from pathlib import Path
from random import Random
from typing import Final

TEST_RANGE: Final = "999"
"""NHS numbers that begin like this are never issued to anybody."""
_WEIGHTS: Final = range(10, 1, -1)
_VALID_OF_TEN: Final = 9
_HOW_MANY: Final = 100_000 * _VALID_OF_TEN


@dataclass(frozen=True)
class Person:
    """One invented adult, where they live and how they can be reached."""

    number: int
    full_name: str
    born_on: date
    nhs_number: str
    address_line: str
    postcode: str
    telephone: str
    area: str


class People:
    """Invented adults by number: the same seed and number make the same person."""

    def __init__(self, postcodes: Mapping[str, Sequence[str]], *, seed: int) -> None:
        self._postcodes = postcodes
        self._seed = seed

    def person(self, number: int, *, area: str | None = None) -> Person:
        """The adult with this number, in `area` or somewhere in the districts."""
        chance = Random(f"{self._seed}/person/{number}")
        home = area or chance.choice(sorted(self._postcodes))
        return Person(
            number=number,
            full_name=f"Test Person {number:04}",
            born_on=date(chance.randint(1928, 1985), chance.randint(1, 12), chance.randint(1, 28)),
            nhs_number=nhs_number(number),
            address_line=f"{number} Test Street",
            postcode=chance.choice(self._postcodes[home]),
            # Ofcom keeps 01632 960000 to 960999 free for drama and tests.
            telephone=f"01632 960{number % 1000:03}",
            area=home,
        )


def nhs_number(number: int) -> str:
    """A valid NHS number of the test range, a different one for each `number` below 900,000.

    Of ten neighbouring numbers at most one has no check digit, so each ten yields nine.
    """
    tens, choice = divmod(number % _HOW_MANY, _VALID_OF_TEN)
    bodies = (f"{TEST_RANGE}{tens:05}{last}" for last in range(10))
    return [f"{body}{check}" for body in bodies if (check := _check_digit(body)) is not None][choice]


def is_valid_nhs_number(text: str) -> bool:
    """Ten digits of which the last is the check digit of the others, modulo 11 (NHS Data Dictionary)."""
    return len(text) == 10 and text.isdigit() and _check_digit(text[:9]) == int(text[9])


def _check_digit(body: str) -> int | None:
    """None where modulo 11 would give 10: such a number is never used."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11
    return {11: 0, 10: None}.get(rest, rest)


def next_number(file: Path) -> int:
    """A number that nobody else on this stack got or gets: an adult has one open referral at a time."""
    with file.open("a+") as kept:
        flock(kept, LOCK_EX)
        kept.seek(0)
        number = int(kept.read() or 0) + 1
        kept.truncate(0)
        kept.write(str(number))
    return number
