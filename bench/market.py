"""The market of the measurements: every provider has a system, sufficient capacity and a good rating."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from contracts.example_words import LOT, ServiceTypes, Tiers
from contracts.values import Rating
from devstack.home import FRAMEWORK_FILES
from simulator.districts import ESSEX_DISTRICTS
from simulator.essex import assemble_essex_market, build_essex_provider
from simulator.market import InventedMarket, InventedProvider, ProviderCondition, RankedList

A_DISTRICT: Final = 10
"""Providers on each ranked list, as many as Essex has (Briefing 2)."""
_SHORTER: Final = {"urgent: PT30M": "urgent: PT2M", "undeliverable_after: PT2M": "undeliverable_after: PT1M"}


def build_definitions() -> list[bytes]:
    """Read Essex's definitions with two minutes to answer an urgent offer, so that expiries can be measured."""
    return [_shorten_times(file) for file in FRAMEWORK_FILES]


def _shorten_times(file: Path) -> bytes:
    text = file.read_text()
    for before, after in _SHORTER.items():
        if before not in text:
            raise ValueError(f"{file.name} does not contain '{before}'; adapt bench/market.py")
        text = text.replace(before, after)
    return text.encode()


def build_market() -> InventedMarket:
    """Build a market with ten providers a district, each on one list."""
    providers = tuple(_build_provider(number) for number in range(A_DISTRICT * len(ESSEX_DISTRICTS)))
    lists = tuple(_build_list(area.code, providers) for area in ESSEX_DISTRICTS)
    return replace(assemble_essex_market(providers, seed=""), lists=lists)


def _build_provider(number: int) -> InventedProvider:
    district, _ = divmod(number, A_DISTRICT)
    return build_essex_provider(
        number=number,
        home=district,
        tier=Tiers.ONE,
        areas=(ESSEX_DISTRICTS[district].code,),
        rating=Rating.GOOD,
        turnover=1_000_000,
        condition=ProviderCondition.ORDINARY,
        free_hours=90_000,
        service_types=ServiceTypes.ALL,
        rate_number=1,
    )


def _build_list(area: str, providers: tuple[InventedProvider, ...]) -> RankedList:
    return RankedList(LOT, area, Tiers.ONE, tuple(each.provider_id for each in providers if area in each.areas))
