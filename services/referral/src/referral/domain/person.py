"""The adult: who it is, as nobody but referral knows it, and what may be said of them without saying who they are."""

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts.ids import CouncilKey
from contracts.values import AgeBand

ADULT: Final = 18
OLDEST: Final = 120
"""Years; a date of birth further back is a slip of the pen."""

_BANDS: Final = (
    (85, AgeBand.FROM_85),
    (75, AgeBand.FROM_75),
    (65, AgeBand.FROM_65),
    (40, AgeBand.FROM_40),
    (ADULT, AgeBand.UNDER_40),
)
_NHS_WEIGHTS: Final = range(10, 1, -1)


# None of these three shows anything in a repr: one that strays into a log or a traceback tells nobody who it is.
@dataclass(frozen=True, repr=False)
class Address:
    lines: tuple[str, ...]
    postcode: str


@dataclass(frozen=True, repr=False)
class Contact:
    """Somebody to speak to about the person."""

    name: str
    relationship: str
    phone: str


@dataclass(frozen=True, repr=False)
class Person:
    name: str
    date_of_birth: date
    address: Address
    nhs_number: str | None = None
    phone: str | None = None
    contacts: tuple[Contact, ...] = ()
    communication_needs: str | None = None
    notes: str | None = None


def compute_age(day: date, *, born: date) -> int:
    """Whole years; who was born on 29 February is a year older on 1 March where there is no 29th."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def find_age_band(age: int) -> AgeBand:
    """The band of an adult's age. Raises ValueError for a child's."""
    for youngest, band in _BANDS:
        if age >= youngest:
            return band
    message = "there is no age band under 18"
    raise ValueError(message)


def is_nhs_number(text: str) -> bool:
    """Ten digits, the last of which checks the others by modulus 11; a remainder of 10 belongs to no number."""
    digits = _strip_separators(text)
    if not re.fullmatch(r"[0-9]{10}", digits):
        return False
    weighed = sum(int(digit) * weight for digit, weight in zip(digits, _NHS_WEIGHTS, strict=False))
    return (11 - weighed % 11) % 11 == int(digits[9])


@dataclass(frozen=True, repr=False)
class PersonKeys:
    """Tells whether two referrals of a council are about one person, without keeping who: HMACs under our secret."""

    secret: bytes

    def compute_key(self, person: Person, council: CouncilKey) -> str:
        parts = "\x1f".join(("person", council, *_list_identifying_fields(person)))
        return hmac.new(self.secret, parts.encode(), hashlib.sha256).hexdigest()


def _list_identifying_fields(person: Person) -> tuple[str, ...]:
    """The NHS number if it is one; else name, date of birth and postcode, however they were written."""
    if person.nhs_number is not None and is_nhs_number(person.nhs_number):
        return "nhs", _strip_separators(person.nhs_number)
    postcode = "".join(person.address.postcode.split()).upper()
    return "name", _normalize_name(person.name), person.date_of_birth.isoformat(), postcode


def _strip_separators(text: str) -> str:
    return re.sub(r"[\s-]", "", text)


def _normalize_name(name: str) -> str:
    """`Zoë O'Test-Person` and `ZOE OTEST PERSON` are one name."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum())
