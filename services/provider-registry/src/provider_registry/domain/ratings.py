"""CQC's words for an overall rating, as its register writes them, and which of ours they mean.

The register spells one rating in two ways and has many words for "no rating": whatever is not one of the four ratings
means not rated (DOMAIN, real data's traps).
"""

from typing import Final

from contracts.values import Rating

_RATED: Final = {
    rating.value.casefold(): rating
    for rating in (Rating.OUTSTANDING, Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.INADEQUATE)
}


def rating_in(word: str | None) -> Rating:
    """`Requires Improvement` is `Requires improvement`; empty, unknown and absent words are not rated."""
    return _RATED.get(" ".join((word or "").split()).casefold(), Rating.NOT_RATED)
