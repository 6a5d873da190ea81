"""Postcodes and areas; no I/O but its own data."""

from geography.directory import ATTRIBUTION, PostcodeDirectory
from geography.districts import ESSEX_DISTRICTS, District
from geography.errors import NotAPostcode, PostcodesUnreadable
from geography.places import GridReference, Place, UnknownPlace, WhyUnknown
from geography.postcode import Postcode

__all__ = [
    "ATTRIBUTION",
    "ESSEX_DISTRICTS",
    "District",
    "GridReference",
    "NotAPostcode",
    "Place",
    "Postcode",
    "PostcodeDirectory",
    "PostcodesUnreadable",
    "UnknownPlace",
    "WhyUnknown",
]
