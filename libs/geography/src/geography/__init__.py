"""Postcodes and districts. The only I/O is reading the postcode data."""

from geography.directory import ATTRIBUTION, PostcodeDirectory
from geography.districts import District
from geography.errors import NotAPostcode, PostcodesUnreadable
from geography.locations import GridReference, PostcodeLocation, UnknownLocation, UnknownReason
from geography.postcode import Postcode

__all__ = [
    "ATTRIBUTION",
    "District",
    "GridReference",
    "NotAPostcode",
    "Postcode",
    "PostcodeDirectory",
    "PostcodeLocation",
    "PostcodesUnreadable",
    "UnknownLocation",
    "UnknownReason",
]
