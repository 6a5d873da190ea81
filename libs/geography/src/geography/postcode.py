"""A UK postcode. Only `str()` returns it in full; its repr and errors contain at most the outward code."""

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

    A postcode can identify a person: logs, events and messages may contain only `outward`.
    """

    outward: str
    inward: str

    def __post_init__(self) -> None:
        if not _FORM.fullmatch(str(self)):
            raise NotAPostcode

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parses a postcode in any case and with any white space. Raises NotAPostcode."""
        compact = "".join(text.split())
        if not compact.isascii():  # upper() converts a German sharp s to SS
            raise NotAPostcode
        compact = compact.upper()
        return cls(outward=compact[:-_INWARD_LENGTH], inward=compact[-_INWARD_LENGTH:])

    def __str__(self) -> str:
        return f"{self.outward} {self.inward}"

    def __repr__(self) -> str:
        return f"Postcode({self.outward} …)"

    @property
    def is_pseudo(self) -> bool:
        """True for the NHS's ZZ99 codes, which are not places: no fixed abode, address not known, a country."""
        return self.outward == _PSEUDO_OUTWARD

    @property
    def is_no_fixed_abode(self) -> bool:
        """True for ZZ99 3VZ, the NHS Data Dictionary's code for no fixed abode."""
        return self.is_pseudo and self.inward == _NO_FIXED_ABODE
