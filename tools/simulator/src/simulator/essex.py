"""Essex's invented market: 200 providers of the framework in its twelve districts, and some outside the framework."""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Final

from contracts.example_words import LOT, ServiceTypes, Tiers
from contracts.ids import ServiceTypeKey, TierKey
from contracts.values import Rating
from devstack.councils import DEFAULT_COUNCIL
from simulator.districts import ESSEX_DISTRICTS
from simulator.market import (
    TREE_NAMES,
    InventedMarket,
    InventedPlace,
    InventedProvider,
    InventedRate,
    ProviderCondition,
    RankedList,
)
from simulator.postcodes import OUTWARD_CODES

FRAMEWORK: Final = "essex-live-at-home-2025"
LIVE_FROM: Final = date(2025, 11, 9)
"""The framework's first day (its definition's `runs_from`)."""
FRAMEWORK_PROVIDERS: Final = 200
"""Number of providers in the framework."""
SPOT_PROVIDERS: Final = 24
"""Number of providers outside the framework, two a district."""
TIER_ONE_A_DISTRICT: Final = 10
_HOME_PROVIDERS: Final = 7
"""How many of a district's ten tier 1 providers have their office there; the others are in the district before."""
_TURNOVERS: Final = range(300_000, 4_000_001, 100_000)
_TIER_ONE_RATINGS: Final = (Rating.GOOD, Rating.GOOD, Rating.GOOD, Rating.OUTSTANDING)
_SPOT_RATINGS: Final = (Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.INADEQUATE, Rating.NOT_RATED)
_TIER_TWO_RATINGS: Final = (
    Rating.GOOD,
    Rating.GOOD,
    Rating.REQUIRES_IMPROVEMENT,
    Rating.REQUIRES_IMPROVEMENT,
    Rating.NOT_RATED,
)
_RATINGS: Final = {Tiers.ONE: _TIER_ONE_RATINGS, Tiers.TWO: _TIER_TWO_RATINGS, None: _SPOT_RATINGS}


def build_essex_market(*, seed: int) -> InventedMarket:
    """Build the market of this seed."""
    numbers = range(1, FRAMEWORK_PROVIDERS + SPOT_PROVIDERS + 1)
    providers = tuple(_build_provider(number, Random(f"{seed}/provider/{number}")) for number in numbers)
    return assemble_essex_market(providers, seed=f"{seed}/list")


def assemble_essex_market(providers: Sequence[InventedProvider], *, seed: str) -> InventedMarket:
    """Put the providers into a market, with a ranked list for each district and tier in an order of this seed."""
    lists = tuple(_build_list(area.code, tier, providers, seed) for area in ESSEX_DISTRICTS for tier in Tiers.ALL)
    return InventedMarket(DEFAULT_COUNCIL, FRAMEWORK, LIVE_FROM, tuple(providers), lists, checks_location=True)


def build_essex_provider(
    *,
    number: int,
    home: int,
    tier: TierKey | None,
    areas: tuple[str, ...],
    rating: Rating,
    turnover: int,
    condition: ProviderCondition,
    free_hours: int,
    service_types: tuple[ServiceTypeKey, ...],
    rate_number: int,
) -> InventedProvider:
    """Build a provider with its office in the district at position `home`; without a tier it is a spot provider."""
    rates = tuple(InventedRate(each, number=rate_number) for each in service_types)
    outward_codes = OUTWARD_CODES[ESSEX_DISTRICTS[home].code]
    return InventedProvider(
        council=DEFAULT_COUNCIL,
        number=number,
        name=f"{TREE_NAMES[home]} Care {number:03}",
        outward_code=outward_codes[number % len(outward_codes)],
        places=()
        if tier is None
        else tuple(InventedPlace(LOT, area, tier, LIVE_FROM, service_types) for area in areas),
        spot_areas=areas if tier is None else (),
        rating=rating,
        turnover=turnover,
        condition=condition,
        free_hours=free_hours,
        rates={} if tier is None else dict.fromkeys(areas, rates),
    )


def _build_provider(number: int, chance: Random) -> InventedProvider:
    seat = number - 1
    home = seat % len(ESSEX_DISTRICTS)
    turn = seat // len(ESSEX_DISTRICTS)
    tier = None if number > FRAMEWORK_PROVIDERS else Tiers.ONE if turn < _HOME_PROVIDERS else Tiers.TWO
    condition = _choose_condition(number)
    return build_essex_provider(
        number=number,
        home=home,
        tier=tier,
        areas=_choose_areas(home, turn, tier, chance),
        rating=chance.choice(_RATINGS[tier]),
        turnover=chance.choice(_TURNOVERS),
        condition=condition,
        free_hours=0 if condition is ProviderCondition.FULL else chance.randrange(150, 900, 10),
        service_types=ServiceTypes.ALL if chance.random() < 0.8 else (ServiceTypes.PERSONAL_CARE,),
        rate_number=chance.randint(1, 4),
    )


def _choose_areas(home: int, turn: int, tier: TierKey | None, chance: Random) -> tuple[str, ...]:
    """Choose one district or two. Three tier 1 providers of each district work in the next district too."""
    reaches_over = turn < TIER_ONE_A_DISTRICT - _HOME_PROVIDERS if tier == Tiers.ONE else chance.random() < 0.4
    seats = (home, home + 1) if reaches_over else (home,)
    return tuple(ESSEX_DISTRICTS[seat % len(ESSEX_DISTRICTS)].code for seat in seats)


def _choose_condition(number: int) -> ProviderCondition:
    """Spread the conditions over the districts: 17 and 12 have no common factor."""
    special = {3: ProviderCondition.BY_PHONE, 11: ProviderCondition.FULL, 14: ProviderCondition.BY_PHONE}
    if number in {29, 64}:
        return ProviderCondition.EMBARGOED
    return special.get(number % 17, ProviderCondition.ORDINARY)


def _build_list(area: str, tier: TierKey, providers: Sequence[InventedProvider], seed: str) -> RankedList:
    ranked = [provider.provider_id for provider in providers if provider.tier == tier and area in provider.areas]
    Random(f"{seed}/{area}/{tier}").shuffle(ranked)
    return RankedList(LOT, area, tier, tuple(ranked))
