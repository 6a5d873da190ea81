"""Types of text in request bodies: length limits, and printable characters only."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def _check_printable(value: str) -> str:
    if all(character.isprintable() or character in "\n\t" for character in value):
        return value
    message = "has characters that cannot be printed; remove them"
    raise ValueError(message)


Printable = AfterValidator(_check_printable)
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Printable]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), Printable]
PhoneNumber = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=40), Printable]
PostcodeText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=16), Printable]
NhsNumberText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20), Printable]
