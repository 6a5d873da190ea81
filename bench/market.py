"""The market of the measurements: every provider has a system, sufficient capacity and a good rating."""

from pathlib import Path
from typing import Final

from contracts.values import Rating, ServiceType
from devstack.home import FRAMEWORK_FILES
from geography import ESSEX_DISTRICTS
from simulator.market import TREE_NAMES, InventedMarket, InventedProvider, ProviderCondition, RankedList

A_DISTRICT: Final = 10
"""Providers on each ranked list, as many as Essex has (Briefing 2)."""
_URGENT_BEFORE: Final = "urgent: PT30M"
_URGENT: Final = "urgent: PT1M"


def build_definitions() -> list[bytes]:
    """Read Essex's definitions with one minute to answer an urgent offer, so that expiries can be measured."""
    return [_replace_urgent_deadline(file) for file in FRAMEWORK_FILES]


def _replace_urgent_deadline(file: Path) -> bytes:
    text = file.read_text()
    if _URGENT_BEFORE not in text:
        raise ValueError(f"{file.name} does not contain '{_URGENT_BEFORE}'; adapt bench/market.py")
    return text.replace(_URGENT_BEFORE, _URGENT).encode()


def build_market() -> InventedMarket:
    """Build a market with ten providers a district, each on one list."""
    providers = tuple(_build_provider(number) for number in range(A_DISTRICT * len(ESSEX_DISTRICTS)))
    return InventedMarket(providers, tuple(_build_list(area.code, providers) for area in ESSEX_DISTRICTS))


def _build_provider(number: int) -> InventedProvider:
    district, _ = divmod(number, A_DISTRICT)
    return InventedProvider(
        number=number,
        name=f"{TREE_NAMES[district]} Care {number:03}",
        home_area=ESSEX_DISTRICTS[district].code,
        tier=1,
        areas=(ESSEX_DISTRICTS[district].code,),
        rating=Rating.GOOD,
        turnover=1_000_000,
        condition=ProviderCondition.ORDINARY,
        free_hours=90_000,
        service_types=tuple(ServiceType),
        rate_number=1,
    )


def _build_list(area: str, providers: tuple[InventedProvider, ...]) -> RankedList:
    return RankedList(area, 1, tuple(each.provider_id for each in providers if area in each.areas))
