"""The market of the measurements: every provider has a system, room for everything and a good rating."""

from pathlib import Path
from typing import Final

from contracts.values import Rating, ServiceType
from devstack.home import FRAMEWORK_FILES
from geography import ESSEX_DISTRICTS
from simulator.market import TREES, InventedProvider, Market, RankedList, Standing

A_DISTRICT: Final = 10
"""Providers on each ranked list, as many as Essex has (Briefing 2)."""
_URGENT_BEFORE: Final = "urgent: PT30M"
_URGENT: Final = "urgent: PT1M"


def build_definitions() -> list[bytes]:
    """Essex's, with one minute to answer an urgent offer, so that an expiry can be waited for."""
    return [_shorten_urgent_deadline(file) for file in FRAMEWORK_FILES]


def _shorten_urgent_deadline(file: Path) -> bytes:
    text = file.read_text()
    if _URGENT_BEFORE not in text:
        raise ValueError(f"{file.name} does not say '{_URGENT_BEFORE}' any more")
    return text.replace(_URGENT_BEFORE, _URGENT).encode()


def build_market() -> Market:
    """Ten providers a district, each on one list only."""
    providers = tuple(_build_provider(number) for number in range(A_DISTRICT * len(ESSEX_DISTRICTS)))
    return Market(providers, tuple(_build_list(area.code, providers) for area in ESSEX_DISTRICTS))


def _build_provider(number: int) -> InventedProvider:
    district, _ = divmod(number, A_DISTRICT)
    return InventedProvider(
        number=number,
        name=f"{TREES[district]} Care {number:03}",
        home=ESSEX_DISTRICTS[district].code,
        tier=1,
        areas=(ESSEX_DISTRICTS[district].code,),
        rating=Rating.GOOD,
        turnover=1_000_000,
        standing=Standing.ORDINARY,
        free_hours=90_000,
        service_types=tuple(ServiceType),
        rate_number=1,
    )


def _build_list(area: str, providers: tuple[InventedProvider, ...]) -> RankedList:
    return RankedList(area, 1, tuple(each.provider_id for each in providers if area in each.areas))
