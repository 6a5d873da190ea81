"""Local authority districts by GSS code (Government Statistical Service), with the names of the districts of Essex."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class District:
    """A lower-tier or unitary authority; `name` is None outside Essex."""

    code: str
    name: str | None = None

    def __str__(self) -> str:
        return self.name or self.code


ESSEX_DISTRICTS = (
    District("E07000066", "Basildon"),
    District("E07000067", "Braintree"),
    District("E07000068", "Brentwood"),
    District("E07000069", "Castle Point"),
    District("E07000070", "Chelmsford"),
    District("E07000071", "Colchester"),
    District("E07000072", "Epping Forest"),
    District("E07000073", "Harlow"),
    District("E07000074", "Maldon"),
    District("E07000075", "Rochford"),
    District("E07000076", "Tendring"),
    District("E07000077", "Uttlesford"),
)
"""The twelve districts of Essex County Council. Southend and Thurrock are unitary authorities and not included."""

_BY_CODE = {district.code: district for district in ESSEX_DISTRICTS}


def find_district(code: str) -> District:
    """Returns the district; it has a name if it is in Essex."""
    return _BY_CODE.get(code) or District(code)
