"""CQC's overall ratings: their words, and the day of publication.

The register spells one rating in two ways and has many words for "no rating": everything but the four ratings means
not rated.
"""

from datetime import date, timedelta
from typing import Final

from contracts.errors import FieldError, InvalidInput
from contracts.values import Rating

LONGEST_NOTICE: Final = timedelta(days=366)

_RATED: Final = {
    rating.value.casefold(): rating
    for rating in (Rating.OUTSTANDING, Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.INADEQUATE)
}


def parse_rating(word: str | None) -> Rating:
    """Parses a rating regardless of case; empty, unknown and absent words mean not rated."""
    return _RATED.get(" ".join((word or "").split()).casefold(), Rating.NOT_RATED)


def check_published_on(day: date | None, *, today: date) -> None:
    """Raises InvalidInput for a day more than a year ahead, which is a mistyped year."""
    if day is not None and day > today + LONGEST_NOTICE:
        raise InvalidInput(FieldError("#/published_on", "is more than a year ahead; check the year"))
