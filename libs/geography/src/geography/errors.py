"""Errors of geography. Messages contain at most the outward code of a postcode.

CallOffError
├── NotAPostcode          the text is not a UK postcode
└── PostcodesUnreadable   the package with the ONS Postcode Directory is missing or has an unknown format
"""

from contracts.errors import CallOffError


class NotAPostcode(CallOffError, ValueError):
    """Also a ValueError, so that pydantic reports it as an error of the field."""

    title = "Not a postcode"

    def __init__(self) -> None:
        super().__init__("this is not a UK postcode; write it in full, like CM1 1QH")


class PostcodesUnreadable(CallOffError):
    title = "The postcode directory cannot be read"
