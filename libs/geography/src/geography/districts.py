"""Local authority districts by the codes of the Government Statistical Service, and the names of Essex's twelve."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class District:
    """A lower-tier or unitary authority; `name` is None where this library does not know it (outside Essex)."""

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
"""The twelve of Essex County Council; Southend and Thurrock are unitary authorities and not among them."""

_BY_CODE = {district.code: district for district in ESSEX_DISTRICTS}


def find_district(code: str) -> District:
    """The district with its name if it is one of Essex's, else with its code alone."""
    return _BY_CODE.get(code) or District(code)
