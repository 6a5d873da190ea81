"""Parser of CQC's overall ratings.

The register spells one rating in two ways and has many words for "no rating": everything but the four ratings means
not rated.
"""

from typing import Final

from contracts.values import Rating

_RATED: Final = {
    rating.value.casefold(): rating
    for rating in (Rating.OUTSTANDING, Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.INADEQUATE)
}


def parse_rating(word: str | None) -> Rating:
    """Parses a rating regardless of case; empty, unknown and absent words mean not rated."""
    return _RATED.get(" ".join((word or "").split()).casefold(), Rating.NOT_RATED)
