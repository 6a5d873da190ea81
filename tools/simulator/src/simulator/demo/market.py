"""The market of the demonstration, which is small so that lists are exhausted and packages move to the next stage."""

from random import Random
from typing import Final

from contracts.values import Rating, ServiceType
from geography import ESSEX_DISTRICTS
from simulator.market import TREE_NAMES, InventedMarket, InventedProvider, ProviderCondition, RankedList

TIER_ONE_PROVIDERS, TIER_TWO_PROVIDERS, SPOT_PROVIDERS = 4, 3, 2
"""Providers with an office in each district."""
PROVIDERS_PER_DISTRICT: Final = TIER_ONE_PROVIDERS + TIER_TWO_PROVIDERS + SPOT_PROVIDERS
RELUCTANT_DISTRICTS: Final = frozenset({2, 6, 11})
"""Districts, by position in the list, whose providers accept few offers."""
_FREE_HOURS: Final = {1: range(40, 121, 5), 2: range(30, 101, 5), None: range(50, 101, 5)}
_RATINGS: Final = {
    1: (Rating.GOOD, Rating.GOOD, Rating.OUTSTANDING),
    2: (Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.REQUIRES_IMPROVEMENT),
    None: (Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.INADEQUATE, Rating.NOT_RATED),
}


def build_demo_market(*, seed: int) -> InventedMarket:
    """Build the demonstration's market of this seed."""
    providers = tuple(
        _build_provider(number, seed) for number in range(1, PROVIDERS_PER_DISTRICT * len(ESSEX_DISTRICTS) + 1)
    )
    lists = tuple(_build_list(area.code, tier, providers, seed) for area in ESSEX_DISTRICTS for tier in (1, 2))
    return InventedMarket(providers, lists)


def is_reluctant(area: str) -> bool:
    return any(ESSEX_DISTRICTS[each].code == area for each in RELUCTANT_DISTRICTS)


def _build_provider(number: int, seed: int) -> InventedProvider:
    chance = Random(f"{seed}/demo provider/{number}")
    home, seat = divmod(number - 1, PROVIDERS_PER_DISTRICT)
    tier = 1 if seat < TIER_ONE_PROVIDERS else 2 if seat < TIER_ONE_PROVIDERS + TIER_TWO_PROVIDERS else None
    condition = _choose_condition(number)
    return InventedProvider(
        number=number,
        name=f"{TREE_NAMES[home]} Care {number:03}",
        home_area=ESSEX_DISTRICTS[home].code,
        tier=tier,
        areas=_choose_areas(home, seat),
        rating=chance.choice(_RATINGS[tier]),
        turnover=chance.randrange(300_000, 4_000_001, 100_000),
        condition=condition,
        free_hours=0 if condition is ProviderCondition.FULL else chance.choice(_FREE_HOURS[tier]),
        service_types=tuple(ServiceType) if chance.random() < 0.7 else (ServiceType.PERSONAL_CARE,),
        rate_number=chance.randint(1, 4),
    )


def _choose_areas(home: int, seat: int) -> tuple[str, ...]:
    """Choose one district or two. The last provider of each tier works in the next district too."""
    reaches_over = seat in {TIER_ONE_PROVIDERS - 1, TIER_ONE_PROVIDERS + TIER_TWO_PROVIDERS - 1}
    seats = (home, home + 1) if reaches_over else (home,)
    return tuple(ESSEX_DISTRICTS[each % len(ESSEX_DISTRICTS)].code for each in seats)


def _choose_condition(number: int) -> ProviderCondition:
    """Spread the conditions over districts and tiers: 11 and 9 have no common factor."""
    special = {4: ProviderCondition.BY_PHONE, 9: ProviderCondition.FULL}
    return special.get(number % 11, ProviderCondition.ORDINARY)


def _build_list(area: str, tier: int, providers: tuple[InventedProvider, ...], seed: int) -> RankedList:
    ranked = [each.provider_id for each in providers if each.tier == tier and area in each.areas]
    Random(f"{seed}/demo list/{area}/{tier}").shuffle(ranked)
    return RankedList(area, tier, tuple(ranked))
