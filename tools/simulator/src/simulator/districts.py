"""The districts of the simulated council, Essex County Council, with their names."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class NamedDistrict:
    """A district by its GSS code (Government Statistical Service)."""

    code: str
    name: str

    def __str__(self) -> str:
        return self.name


ESSEX_DISTRICTS: Final = (
    NamedDistrict("E07000066", "Basildon"),
    NamedDistrict("E07000067", "Braintree"),
    NamedDistrict("E07000068", "Brentwood"),
    NamedDistrict("E07000069", "Castle Point"),
    NamedDistrict("E07000070", "Chelmsford"),
    NamedDistrict("E07000071", "Colchester"),
    NamedDistrict("E07000072", "Epping Forest"),
    NamedDistrict("E07000073", "Harlow"),
    NamedDistrict("E07000074", "Maldon"),
    NamedDistrict("E07000075", "Rochford"),
    NamedDistrict("E07000076", "Tendring"),
    NamedDistrict("E07000077", "Uttlesford"),
)
"""Southend and Thurrock are unitary authorities and not included."""
