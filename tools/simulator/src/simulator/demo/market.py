"""The market of the demonstration: smaller than the real one, so that its lists run out and packages go on."""

from random import Random
from typing import Final

from contracts.values import Rating, ServiceType
from geography import ESSEX_DISTRICTS
from simulator.market import TREES, InventedProvider, Market, RankedList, Standing

TIER_ONE, TIER_TWO, SPOT = 4, 3, 2
"""Providers a district that have their office there."""
EACH: Final = TIER_ONE + TIER_TWO + SPOT
RELUCTANT: Final = frozenset({2, 6, 11})
"""Districts, by their place in the list, in which hardly anybody takes anything."""
_FREE_HOURS: Final = {1: range(40, 121, 5), 2: range(30, 101, 5), None: range(50, 101, 5)}
_RATINGS: Final = {
    1: (Rating.GOOD, Rating.GOOD, Rating.OUTSTANDING),
    2: (Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.REQUIRES_IMPROVEMENT),
    None: (Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.INADEQUATE, Rating.NOT_RATED),
}


def small_market(*, seed: int) -> Market:
    """The demonstration's market of one seed."""
    providers = tuple(_provider(number, seed) for number in range(1, EACH * len(ESSEX_DISTRICTS) + 1))
    lists = tuple(_list(area.code, tier, providers, seed) for area in ESSEX_DISTRICTS for tier in (1, 2))
    return Market(providers, lists)


def is_reluctant(area: str) -> bool:
    return any(ESSEX_DISTRICTS[each].code == area for each in RELUCTANT)


def _provider(number: int, seed: int) -> InventedProvider:
    chance = Random(f"{seed}/demo provider/{number}")
    home, seat = divmod(number - 1, EACH)
    tier = 1 if seat < TIER_ONE else 2 if seat < TIER_ONE + TIER_TWO else None
    standing = _standing(number)
    return InventedProvider(
        number=number,
        name=f"{TREES[home]} Care {number:03}",
        home=ESSEX_DISTRICTS[home].code,
        tier=tier,
        areas=_areas(home, seat),
        rating=chance.choice(_RATINGS[tier]),
        turnover=chance.randrange(300_000, 4_000_001, 100_000),
        standing=standing,
        free_hours=0 if standing is Standing.FULL else chance.choice(_FREE_HOURS[tier]),
        service_types=tuple(ServiceType) if chance.random() < 0.7 else (ServiceType.PERSONAL_CARE,),
        rate_number=chance.randint(1, 4),
    )


def _areas(home: int, seat: int) -> tuple[str, ...]:
    """Of each kind the last one works in the next district too."""
    reaches_over = seat in {TIER_ONE - 1, TIER_ONE + TIER_TWO - 1}
    seats = (home, home + 1) if reaches_over else (home,)
    return tuple(ESSEX_DISTRICTS[each % len(ESSEX_DISTRICTS)].code for each in seats)


def _standing(number: int) -> Standing:
    """11 and 9 have no common factor: each kind is spread over the districts and tiers."""
    special = {4: Standing.BY_PHONE, 9: Standing.FULL}
    return special.get(number % 11, Standing.ORDINARY)


def _list(area: str, tier: int, providers: tuple[InventedProvider, ...], seed: int) -> RankedList:
    ranked = [each.provider_id for each in providers if each.tier == tier and area in each.areas]
    Random(f"{seed}/demo list/{area}/{tier}").shuffle(ranked)
    return RankedList(area, tier, tuple(ranked))
