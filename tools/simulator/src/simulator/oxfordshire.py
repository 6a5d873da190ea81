"""Oxfordshire's market: the document's providers of lots 1A and 2, and invented zonal providers of lot 1B."""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any, Final

import yaml

from contracts.ids import AreaCode, LotKey, ServiceTypeKey, TierKey
from contracts.values import Rating
from devstack.home import FRAMEWORKS
from simulator.definitions import list_districts, load_definition
from simulator.market import TREE_NAMES, InventedMarket, InventedPlace, InventedProvider, ProviderCondition
from simulator.postcodes import OUTWARD_CODES

COUNCIL: Final = "oxfordshire"
REABLEMENT, LONG_TERM, EXTRA_CARE = LotKey("lot-1a"), LotKey("lot-1b"), LotKey("lot-2")
_PLACES: Final = FRAMEWORKS / "places" / "oxfordshire-live-well-at-home.yaml"
_ZONAL_PROVIDERS, _ACCREDITED_PROVIDERS = 30, 8
_ZONES: Final = 13
_STARTED: Final = date(2021, 8, 18)
"""The framework's first day (its definition's `runs_from`)."""
_JOINING_DAYS: Final = (date(2021, 8, 18), date(2021, 8, 18), date(2022, 2, 1), date(2022, 9, 1), date(2023, 6, 1))
_ACCREDITED_FROM: Final = date(2025, 4, 1)
"""Report 29: the accredited providers begin with the extension."""
_HOME_CARE: Final = ServiceTypeKey("home-care")


def build_oxfordshire_market(*, seed: int) -> InventedMarket:
    """Build the market of this seed. The framework sets the rates, and no stage goes by a ranked list."""
    named = _build_named_providers()
    first = len(named) + 1
    zonal = [_build_zonal_provider(number, first + number, seed) for number in range(_ZONAL_PROVIDERS)]
    framework = load_definition(COUNCIL).framework
    return InventedMarket(COUNCIL, framework, _STARTED, (*named, *zonal))


def _build_named_providers() -> Sequence[InventedProvider]:
    """Build the document's providers, each with all its places."""
    places: dict[str, list[InventedPlace]] = {}
    read: list[dict[str, Any]] = yaml.safe_load(_PLACES.read_text(encoding="utf-8"))[
        "places"
    ]  # checked by the registry
    for each in read:
        place = InventedPlace(each["lot"], each["area"], each["tier"], _STARTED, number=each["number"])
        places.setdefault(each["provider"], []).append(place)
    return [
        _build_provider(number, name, tuple(places[name]), rating=Rating.GOOD, free_hours=400)
        for number, name in enumerate(places, start=1)
    ]


def _build_zonal_provider(position: int, number: int, seed: int) -> InventedProvider:
    """Build a provider of two zones. The first ones are accredited in both."""
    chance = Random(f"{seed}/{COUNCIL}/{position}")
    is_accredited = position < _ACCREDITED_PROVIDERS
    tier = TierKey("accredited" if is_accredited else "zone")
    joined_on = _ACCREDITED_FROM if is_accredited else chance.choice(_JOINING_DAYS)
    service_types = () if chance.random() < 0.7 else (_HOME_CARE,)
    zones = dict.fromkeys((position % _ZONES, (position * 5 + 3) % _ZONES))
    return _build_provider(
        number,
        f"{TREE_NAMES[position % len(TREE_NAMES)]} Zonal Care {number:03}",
        tuple(InventedPlace(LONG_TERM, f"zone-{zone + 1}", tier, joined_on, service_types) for zone in zones),
        rating=chance.choice((Rating.GOOD, Rating.GOOD, Rating.OUTSTANDING, Rating.REQUIRES_IMPROVEMENT)),
        free_hours=chance.randrange(60, 300, 10),
        condition=_choose_condition(position),
    )


def _choose_condition(position: int) -> ProviderCondition:
    special = {5: ProviderCondition.BY_PHONE, 8: ProviderCondition.FULL}
    return special.get(position % 11, ProviderCondition.ORDINARY)


def _build_provider(
    number: int,
    name: str,
    places: tuple[InventedPlace, ...],
    *,
    rating: Rating,
    free_hours: int,
    condition: ProviderCondition = ProviderCondition.ORDINARY,
) -> InventedProvider:
    area = load_definition(COUNCIL).find_area(AreaCode(places[0].area))
    assert area is not None, f"{places[0].area} is an area of the definition"
    outward_codes = OUTWARD_CODES[list_districts(area)[0]]
    return InventedProvider(
        council=COUNCIL,
        number=number,
        name=name,
        outward_code=outward_codes[number % len(outward_codes)],
        places=places,
        spot_areas=(),
        rating=rating,
        turnover=1_000_000,
        condition=condition,
        free_hours=0 if condition is ProviderCondition.FULL else free_hours,
    )
