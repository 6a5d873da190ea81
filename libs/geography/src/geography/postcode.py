"""A UK postcode as a value: `str()` alone writes it in full; a repr or an error names its outward code at most."""

import re
from dataclasses import dataclass
from typing import Self

from geography.errors import NotAPostcode

_FORM = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}")
_INWARD_LENGTH = 3
_PSEUDO_OUTWARD = "ZZ99"
_NO_FIXED_ABODE = "3VZ"


@dataclass(frozen=True, slots=True, order=True, repr=False)
class Postcode:
    """Area and district (`outward`: "CM1", "EC1A"), then sector and unit (`inward`: "1QH").

    A postcode can identify a person: write `outward` into logs, events and messages, never the whole.
    """

    outward: str
    inward: str

    def __post_init__(self) -> None:
        if not _FORM.fullmatch(str(self)):
            raise NotAPostcode

    @classmethod
    def parse(cls, text: str) -> Self:
        """Accept any case and any white space; refuse everything else with `NotAPostcode`."""
        compact = "".join(text.split())
        if not compact.isascii():  # upper() would make the letters SS of a German sharp s
            raise NotAPostcode
        compact = compact.upper()
        return cls(outward=compact[:-_INWARD_LENGTH], inward=compact[-_INWARD_LENGTH:])

    def __str__(self) -> str:
        return f"{self.outward} {self.inward}"

    def __repr__(self) -> str:
        return f"Postcode({self.outward} …)"

    @property
    def is_pseudo(self) -> bool:
        """The NHS's ZZ99 codes name no place: no fixed abode, address not known, a country."""
        return self.outward == _PSEUDO_OUTWARD

    @property
    def is_no_fixed_abode(self) -> bool:
        """The NHS Data Dictionary's code for a person of no fixed abode, ZZ99 3VZ."""
        return self.is_pseudo and self.inward == _NO_FIXED_ABODE
