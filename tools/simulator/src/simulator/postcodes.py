"""Real postcodes of the districts of the simulated councils, found by random lookups in the directory."""

import itertools
from collections.abc import Iterator, Mapping
from random import Random
from typing import Final

from geography import Postcode, PostcodeDirectory, PostcodeLocation
from simulator.definitions import list_districts, list_served_areas, load_definition
from simulator.districts import ESSEX_DISTRICTS

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
    "E07000177": ("OX15", "OX16", "OX17", "OX25", "OX26"),
    "E07000178": ("OX1", "OX2", "OX3", "OX4"),
    "E07000179": ("OX9", "OX10", "OX49", "RG9"),
    "E07000180": ("OX12", "OX13", "OX14"),
    "E07000181": ("OX7", "OX18", "OX28", "OX29"),
    "E07000129": ("LE9", "LE19"),
    "E07000130": ("LE7", "LE11", "LE12"),
    "E07000131": ("LE16", "LE17"),
    "E07000132": ("LE10", "CV13"),
    "E07000133": ("LE13", "LE14"),
    "E07000134": ("LE65", "LE67", "DE74"),
    "E07000135": ("LE2", "LE18"),
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
    """Draw `per_district` postcodes of each of the twelve districts of Essex."""
    return {area.code: draw_postcodes(directory, area.code, count=per_district, seed=seed) for area in ESSEX_DISTRICTS}


def sample_postcodes_of_council(
    directory: PostcodeDirectory, council: str, *, per_district: int, seed: int
) -> dict[str, tuple[str, ...]]:
    """Draw postcodes of each area that the council's framework serves, `per_district` of each of its districts."""
    areas = {area.code: list_districts(area) for area in list_served_areas(load_definition(council))}
    districts = dict.fromkeys(each for districts in areas.values() for each in districts)
    drawn = {each: draw_postcodes(directory, each, count=per_district, seed=seed) for each in districts}
    return {code: tuple(itertools.chain(*[drawn[each] for each in districts])) for code, districts in areas.items()}
