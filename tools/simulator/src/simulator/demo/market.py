"""The markets of the demonstration; Essex's is small, so that packages move to the next stage."""

from functools import lru_cache
from random import Random
from typing import Final
from uuid import UUID

from contracts.example_words import ServiceTypes, Tiers
from contracts.framework.stages import OpenList
from contracts.ids import AreaCode, TierKey
from contracts.values import Rating
from devstack.councils import COUNCILS, DEFAULT_COUNCIL
from simulator import oxfordshire
from simulator.councils import MARKET_BUILDERS
from simulator.definitions import load_definition
from simulator.districts import ESSEX_DISTRICTS
from simulator.essex import assemble_essex_market, build_essex_provider
from simulator.market import InventedMarket, InventedProvider, ProviderCondition

TIER_ONE_PROVIDERS, TIER_TWO_PROVIDERS, SPOT_PROVIDERS = 4, 3, 2
"""Providers with an office in each district."""
PROVIDERS_PER_DISTRICT: Final = TIER_ONE_PROVIDERS + TIER_TWO_PROVIDERS + SPOT_PROVIDERS
RELUCTANT_DISTRICTS: Final = frozenset({2, 6, 11})
"""Districts, by position in the list, whose providers accept few offers."""
RELUCTANT_ZONES: Final = frozenset({"bottesford", "melton", "castle-donington"})
"""Leicestershire's hard zones, so that packages reach the neighbours and the providers outside the framework."""
_FREE_HOURS: Final = {Tiers.ONE: range(40, 121, 5), Tiers.TWO: range(30, 101, 5), None: range(50, 101, 5)}
_RATINGS: Final = {
    Tiers.ONE: (Rating.GOOD, Rating.GOOD, Rating.OUTSTANDING),
    Tiers.TWO: (Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.REQUIRES_IMPROVEMENT),
    None: (Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.INADEQUATE, Rating.NOT_RATED),
}


def build_demo_market(council: str, *, seed: int) -> InventedMarket:
    """Build the demonstration's market of a council."""
    return _build_small_essex_market(seed) if council == DEFAULT_COUNCIL else MARKET_BUILDERS[council](seed=seed)


@lru_cache
def is_keen(area: str) -> bool:
    """Return whether the providers of an area accept most offers: they are few, and expected to take all work."""
    definition = load_definition(oxfordshire.COUNCIL)
    few = (definition.find_lot(oxfordshire.REABLEMENT), definition.find_lot(oxfordshire.EXTRA_CARE))
    return any(lot is not None and area in lot.areas for lot in few)


@lru_cache
def has_dated_lists(area: str) -> bool:
    """Return whether the available packages of an area go out on lists of fixed days."""
    definitions = (load_definition(council) for council in COUNCILS)
    return any(
        definition.has_area(AreaCode(area))
        and any(isinstance(stage, OpenList) and stage.issued is not None for stage in definition.sourcing)
        for definition in definitions
    )


def find_provider_to_refuse(market: InventedMarket, area: str, chance: Random) -> UUID:
    """Return a provider that would get an early offer, so that the refusal has an effect."""
    if not market.lists:
        members = [each for each in market.providers if any(place.area == area for place in each.places)]
        return members[0].provider_id
    tier = Tiers.TWO if is_reluctant(area) and chance.random() < 0.3 else Tiers.ONE
    return next(each.ranking[0] for each in market.lists if (each.area, each.tier) == (area, tier))


def _build_small_essex_market(seed: int) -> InventedMarket:
    providers = tuple(
        _build_provider(number, seed) for number in range(1, PROVIDERS_PER_DISTRICT * len(ESSEX_DISTRICTS) + 1)
    )
    return assemble_essex_market(providers, seed=f"{seed}/demo list")


def is_reluctant(area: str) -> bool:
    return area in RELUCTANT_ZONES or any(ESSEX_DISTRICTS[each].code == area for each in RELUCTANT_DISTRICTS)


def _build_provider(number: int, seed: int) -> InventedProvider:
    chance = Random(f"{seed}/demo provider/{number}")
    home, seat = divmod(number - 1, PROVIDERS_PER_DISTRICT)
    tier = _choose_tier(seat)
    condition = _choose_condition(number)
    return build_essex_provider(
        number=number,
        home=home,
        tier=tier,
        areas=_choose_areas(home, seat),
        rating=chance.choice(_RATINGS[tier]),
        turnover=chance.randrange(300_000, 4_000_001, 100_000),
        condition=condition,
        free_hours=0 if condition is ProviderCondition.FULL else chance.choice(_FREE_HOURS[tier]),
        service_types=ServiceTypes.ALL if chance.random() < 0.7 else (ServiceTypes.PERSONAL_CARE,),
        rate_number=chance.randint(1, 4),
    )


def _choose_tier(seat: int) -> TierKey | None:
    if seat < TIER_ONE_PROVIDERS:
        return Tiers.ONE
    return Tiers.TWO if seat < TIER_ONE_PROVIDERS + TIER_TWO_PROVIDERS else None


def _choose_areas(home: int, seat: int) -> tuple[str, ...]:
    """Choose one district or two. The last provider of each tier works in the next district too."""
    reaches_over = seat in {TIER_ONE_PROVIDERS - 1, TIER_ONE_PROVIDERS + TIER_TWO_PROVIDERS - 1}
    seats = (home, home + 1) if reaches_over else (home,)
    return tuple(ESSEX_DISTRICTS[each % len(ESSEX_DISTRICTS)].code for each in seats)


def _choose_condition(number: int) -> ProviderCondition:
    """Spread the conditions over districts and tiers: 11 and 9 have no common factor."""
    special = {4: ProviderCondition.BY_PHONE, 9: ProviderCondition.FULL}
    return special.get(number % 11, ProviderCondition.ORDINARY)
