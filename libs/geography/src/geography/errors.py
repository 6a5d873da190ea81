"""What geography refuses; no message carries more of a postcode than its outward code.

CallOffError
├── NotAPostcode          the text has not the form of a postcode
└── PostcodesUnreadable   the package with the ONS Postcode Directory is absent, or not of the shape we know
"""

from contracts.errors import CallOffError


class NotAPostcode(CallOffError, ValueError):
    """Also a ValueError: a pydantic validator that calls `Postcode.parse` then names the field."""

    title = "Not a postcode"

    def __init__(self) -> None:
        super().__init__("this has not the form of a UK postcode; write it in full, like CM1 1QH")


class PostcodesUnreadable(CallOffError):
    title = "The postcode directory cannot be read"
