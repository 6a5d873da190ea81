"""Real postcodes of the districts of Essex, found by random lookups in the directory."""

import itertools
from collections.abc import Iterator, Mapping
from random import Random
from typing import Final

from geography import ESSEX_DISTRICTS, Postcode, PostcodeDirectory, PostcodeLocation

OUTWARD_CODES: Final[Mapping[str, tuple[str, ...]]] = {
    "E07000066": ("SS13", "SS14", "SS15", "SS16", "CM11", "CM12"),
    "E07000067": ("CM7", "CM77", "CM8", "CO9"),
    "E07000068": ("CM13", "CM14", "CM15"),
    "E07000069": ("SS7", "SS8"),
    "E07000070": ("CM1", "CM2", "CM3"),
    "E07000071": ("CO1", "CO2", "CO3", "CO4", "CO5", "CO6"),
    "E07000072": ("CM16", "IG10", "IG9", "EN9"),
    "E07000073": ("CM17", "CM18", "CM19", "CM20"),
    "E07000074": ("CM9", "CM0"),
    "E07000075": ("SS4", "SS5", "SS6"),
    "E07000076": ("CO7", "CO11", "CO12", "CO13", "CO14", "CO15", "CO16"),
    "E07000077": ("CM6", "CM24", "CB10", "CB11"),
}
"""The outward codes of most homes of each district."""
_INWARD_LETTERS: Final = "ABDEFGHJLNPQRSTUWXYZ"
"""The letters that an inward code can have."""


def draw_postcodes(directory: PostcodeDirectory, district: str, *, count: int, seed: int) -> tuple[str, ...]:
    """Draw `count` postcodes that the directory locates in the district."""
    chance = Random(f"{seed}/{district}")
    return tuple(itertools.islice(_generate_postcodes(directory, district, chance), count))


def _generate_postcodes(directory: PostcodeDirectory, district: str, chance: Random) -> Iterator[str]:
    while True:
        outward = chance.choice(OUTWARD_CODES[district])
        inward = f"{chance.randint(0, 9)}{chance.choice(_INWARD_LETTERS)}{chance.choice(_INWARD_LETTERS)}"
        location = directory.locate(Postcode(outward, inward))
        if isinstance(location, PostcodeLocation) and location.district.code == district:
            yield f"{outward} {inward}"


def sample_postcodes(directory: PostcodeDirectory, *, per_district: int, seed: int) -> dict[str, tuple[str, ...]]:
    """Draw `per_district` postcodes of each of the twelve districts."""
    return {area.code: draw_postcodes(directory, area.code, count=per_district, seed=seed) for area in ESSEX_DISTRICTS}
