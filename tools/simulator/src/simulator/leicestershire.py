"""Leicestershire's invented market: providers of fourteen zones with rates of their own, and spot providers."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import Final

from contracts.ids import AreaCode, LotKey, TierKey
from contracts.values import Rating
from simulator.definitions import list_districts, list_served_areas, load_definition
from simulator.market import (
    TREE_NAMES,
    InventedMarket,
    InventedPlace,
    InventedProvider,
    InventedRate,
    ProviderCondition,
)
from simulator.postcodes import OUTWARD_CODES

COUNCIL: Final = "leicestershire"
HOME_CARE: Final = LotKey("home-care")
HARD_ZONE: Final = "bottesford"
"""Report 34: a zone that is hard to supply; it has one provider."""
_ZONE: Final = TierKey("zone")
_STARTED, _SECOND_ROUND = date(2021, 11, 1), date(2022, 11, 1)
"""Report 7 and 16: when the places of the two rounds began."""
_SPOT_PROVIDERS: Final = 6
_PENNY: Final = Decimal("0.01")


def build_leicestershire_market(*, seed: int) -> InventedMarket:
    """Build the market of this seed. Every provider names its own rates; no stage goes by a ranked list."""
    definition = load_definition(COUNCIL)
    zones = [area.code for area in list_served_areas(definition)]
    members = [_build_member(number, zones, seed) for number in range(2 * len(zones)) if number != len(zones)]
    spot = [_build_spot_provider(number, zones, seed) for number in range(_SPOT_PROVIDERS)]
    return InventedMarket(COUNCIL, definition.framework, _STARTED, (*members, *spot))


def _build_member(number: int, zones: Sequence[AreaCode], seed: int) -> InventedProvider:
    """Build a provider of one zone or two; the hard zone, the first one, is nobody's second zone."""
    chance = Random(f"{seed}/{COUNCIL}/{number}")
    home = number % len(zones)
    seats = dict.fromkeys((home, max(1, (home * 3 + 5) % len(zones))) if chance.random() < 0.4 else (home,))
    own = [zones[seat] for seat in seats]
    condition = _choose_condition(number)
    joined_on = _STARTED if number < len(zones) else _SECOND_ROUND
    return _build_provider(
        number + 1,
        f"{TREE_NAMES[number % len(TREE_NAMES)]} Home Care {number + 1:03}",
        own,
        places=tuple(InventedPlace(HOME_CARE, area, _ZONE, joined_on) for area in own),
        condition=condition,
        rating=chance.choice((Rating.GOOD, Rating.GOOD, Rating.OUTSTANDING, Rating.REQUIRES_IMPROVEMENT)),
        free_hours=0 if condition is ProviderCondition.FULL else chance.randrange(60, 300, 10),
        rates={area: _draw_rates(area, chance) for area in own},
    )


def _build_spot_provider(number: int, zones: Sequence[AreaCode], seed: int) -> InventedProvider:
    """Build a provider outside the framework that works in every zone."""
    chance = Random(f"{seed}/{COUNCIL}/spot/{number}")
    return _build_provider(
        101 + number,
        f"{TREE_NAMES[number]} Spot Care {101 + number}",
        [*zones[number:], *zones[:number]],
        places=(),
        condition=ProviderCondition.ORDINARY,
        rating=chance.choice((Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.INADEQUATE)),
        free_hours=chance.randrange(50, 200, 10),
        rates={},
    )


def _draw_rates(area: AreaCode, chance: Random) -> tuple[InventedRate, ...]:
    """Draw a rate between the lowest and the highest one of each line in the area's band."""
    definition = load_definition(COUNCIL)
    lines = [line for each in definition.service_types for line in definition.find_price_lines(each.service_type, area)]
    return tuple(
        InventedRate(line.service_type, line.item, rate=_draw_rate(line.rate, line.highest or line.rate, chance))
        for line in lines
    )


def _draw_rate(lowest: Decimal, highest: Decimal, chance: Random) -> Decimal:
    return (lowest + (highest - lowest) * chance.randint(0, 20) / 20).quantize(_PENNY)


def _choose_condition(number: int) -> ProviderCondition:
    special = {4: ProviderCondition.BY_PHONE, 10: ProviderCondition.FULL}
    return special.get(number % 13, ProviderCondition.ORDINARY)


def _build_provider(
    number: int,
    name: str,
    areas: Sequence[AreaCode],
    *,
    places: tuple[InventedPlace, ...],
    condition: ProviderCondition,
    rating: Rating,
    free_hours: int,
    rates: Mapping[str, tuple[InventedRate, ...]],
) -> InventedProvider:
    home = load_definition(COUNCIL).find_area(areas[0])
    assert home is not None, f"{areas[0]} is an area of the definition"
    outward_codes = OUTWARD_CODES[list_districts(home)[0]]
    return InventedProvider(
        council=COUNCIL,
        number=number,
        name=name,
        outward_code=outward_codes[number % len(outward_codes)],
        places=places,
        spot_areas=() if places else tuple(areas),
        rating=rating,
        turnover=1_000_000,
        condition=condition,
        free_hours=free_hours,
        rates=rates,
    )
