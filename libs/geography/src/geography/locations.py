"""What the directory answers: where a postcode is, or why that is not known and what to do about it."""

import math
from dataclasses import dataclass
from enum import Enum

from geography.districts import District


@dataclass(frozen=True, slots=True, repr=False)
class GridReference:
    """A point of the Ordnance Survey National Grid, in metres.

    Its repr shows no figures: the point of a postcode gives the postcode away.
    """

    easting: int
    northing: int

    def compute_distance(self, other: "GridReference") -> float:
        """The straight line on the grid: within 0.05% of the ground, in Essex about a metre in five miles."""
        return math.dist((self.easting, self.northing), (other.easting, other.northing))


@dataclass(frozen=True, slots=True)
class PostcodeLocation:
    """Where a postcode is: the district that its middle lies in; `location` is None in Northern Ireland.

    A postcode on a border has homes on both sides of it; the directory gives the one district.
    """

    outward: str
    district: District
    location: GridReference | None


class WhyUnknown(Enum):
    """Why a postcode has no district; the value is what the officer reads, and each ends in what to do."""

    NOT_IN_DIRECTORY = "not in our postcode directory; choose the district"
    WITHOUT_DISTRICT = "in our postcode directory without a district; choose the district"
    NO_FIXED_ABODE = "means no fixed abode; choose the district where the care is to be given"
    PSEUDO = "is a pseudo-code that names no place; choose the district where the care is to be given"


@dataclass(frozen=True, slots=True)
class UnknownLocation:
    """Not a refusal: whoever asked goes on by choosing the district."""

    outward: str
    why: WhyUnknown

    @property
    def message(self) -> str:
        """What is the matter and what to do; it names the outward code only."""
        return f"{self.outward} … {self.why.value}"
