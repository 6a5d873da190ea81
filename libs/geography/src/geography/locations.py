"""Results of a lookup: the location of a postcode, or the reason why it is unknown."""

import math
from dataclasses import dataclass
from enum import Enum

from geography.districts import District


@dataclass(frozen=True, slots=True, repr=False)
class GridReference:
    """A point of the Ordnance Survey National Grid, in metres.

    Its repr shows no coordinates, because they identify the postcode.
    """

    easting: int
    northing: int

    def compute_distance(self, other: "GridReference") -> float:
        """Returns the straight-line distance in metres, which is within 0.05% of the distance on the ground."""
        return math.dist((self.easting, self.northing), (other.easting, other.northing))


@dataclass(frozen=True, slots=True)
class PostcodeLocation:
    """Location of a postcode: the district of its centre; `location` is None in Northern Ireland.

    A postcode on a border can have homes in two districts; the directory gives one of them.
    """

    outward: str
    district: District
    location: GridReference | None


class UnknownReason(Enum):
    """Why a postcode has no district. The values are shown to officers and end with what to do."""

    NOT_IN_DIRECTORY = "not in our postcode directory; choose the district"
    WITHOUT_DISTRICT = "in our postcode directory without a district; choose the district"
    NO_FIXED_ABODE = "means no fixed abode; choose the district where the care is to be given"
    PSEUDO = "is a pseudo-code that names no place; choose the district where the care is to be given"


@dataclass(frozen=True, slots=True)
class UnknownLocation:
    """A postcode without a district. This is not an error; the caller can choose the district."""

    outward: str
    reason: UnknownReason

    @property
    def message(self) -> str:
        """Reason and remedy for the officer; contains only the outward code."""
        return f"{self.outward} … {self.reason.value}"
