"""The person of a referral, and the values derived from it that do not identify the person: age band and key."""

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts.ids import CouncilKey
from contracts.values import AgeBand

ADULT_AGE: Final = 18
MAX_AGE: Final = 120
"""Years. An older person means that the date of birth is mistyped."""

_AGE_BANDS: Final = (
    (85, AgeBand.FROM_85),
    (75, AgeBand.FROM_75),
    (65, AgeBand.FROM_65),
    (40, AgeBand.FROM_40),
    (ADULT_AGE, AgeBand.UNDER_40),
)
_NHS_WEIGHTS: Final = range(10, 1, -1)
_SEPARATORS: Final = re.compile(r"[\s\u200c\u200d\u2010-\u2015\u2212-]")
"""Spaces, joiners, hyphens, dashes and the minus sign."""


# These three have no fields in their repr: an instance in a log or a traceback does not identify the person.
@dataclass(frozen=True, repr=False)
class Address:
    lines: tuple[str, ...]
    postcode: str


@dataclass(frozen=True, repr=False)
class Contact:
    """A contact of the person, such as a relative."""

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


def compute_age(day: date, *, date_of_birth: date) -> int:
    """Returns whole years. In a year without 29 February, a person born on that day is a year older on 1 March."""
    return day.year - date_of_birth.year - ((day.month, day.day) < (date_of_birth.month, date_of_birth.day))


def find_age_band(age: int) -> AgeBand:
    """Raises ValueError for an age under 18."""
    for lower_limit, band in _AGE_BANDS:
        if age >= lower_limit:
            return band
    message = "there is no age band under 18"
    raise ValueError(message)


def is_nhs_number(text: str) -> bool:
    """Whether the text is ten digits with a valid check digit (modulus 11; no number has the check digit 10)."""
    digits = _strip_separators(text)
    if not re.fullmatch(r"[0-9]{10}", digits):
        return False
    weighted_sum = sum(int(digit) * weight for digit, weight in zip(digits, _NHS_WEIGHTS, strict=False))
    return (11 - weighted_sum % 11) % 11 == int(digits[9])


@dataclass(frozen=True, repr=False)
class PersonKeyHasher:
    """Computes the HMAC that is equal for two referrals of one council about the same person."""

    secret: bytes

    def compute_key(self, person: Person, council: CouncilKey) -> str:
        parts = "\x1f".join(("person", council, *_list_identifying_fields(person)))
        return hmac.new(self.secret, parts.encode(), hashlib.sha256).hexdigest()


def _list_identifying_fields(person: Person) -> tuple[str, ...]:
    """Returns the NHS number if it is valid; otherwise name, date of birth and postcode, normalized."""
    if person.nhs_number is not None and is_nhs_number(person.nhs_number):
        return "nhs", _strip_separators(person.nhs_number)
    postcode = "".join(person.address.postcode.split()).upper()
    return "name", _normalize_name(person.name), person.date_of_birth.isoformat(), postcode


def _strip_separators(text: str) -> str:
    return _SEPARATORS.sub("", text)


def _normalize_name(name: str) -> str:
    """Returns the same text for `Zoë O'Test-Person` and `ZOE OTEST PERSON`."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(character for character in folded if character.isalnum())
