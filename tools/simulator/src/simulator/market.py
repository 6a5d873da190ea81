"""The invented market: 200 providers of the framework in Essex's twelve districts, and some outside the framework."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final
from uuid import UUID, uuid5

from contracts.values import Rating, ServiceType
from geography import ESSEX_DISTRICTS
from simulator.postcodes import OUTWARD_CODES

ID_NAMESPACE: Final = UUID("0197a3c0-5eed-7000-8000-000000000000")
"""Ids are derived from names, so that a repeated registration changes nothing."""
FRAMEWORK_PROVIDERS: Final = 200
"""Number of providers in the framework."""
SPOT_PROVIDERS: Final = 24
"""Number of providers outside the framework, two a district."""
TIER_ONE_A_DISTRICT: Final = 10
TREE_NAMES: Final = (
    "Alder",
    "Birch",
    "Cedar",
    "Elm",
    "Hazel",
    "Juniper",
    "Larch",
    "Maple",
    "Oak",
    "Rowan",
    "Willow",
    "Yew",
)
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


class ProviderCondition(StrEnum):
    """A condition that affects how a provider can be used."""

    ORDINARY = "ordinary"
    BY_PHONE = "has no system and is telephoned"
    FULL = "has declared no capacity"
    EMBARGOED = "is embargoed"


@dataclass(frozen=True)
class InventedProvider:
    """One provider: its office, its tier and the districts in which it works."""

    number: int
    name: str
    home_area: str
    tier: int | None
    """None: not in the framework; the provider sells on the spot market."""
    areas: tuple[str, ...]
    rating: Rating
    turnover: int
    condition: ProviderCondition
    free_hours: int
    service_types: tuple[ServiceType, ...]
    rate_number: int
    """The rate of the matrix that the provider has selected."""

    @property
    def provider_id(self) -> UUID:
        return uuid5(ID_NAMESPACE, self.name)

    @property
    def branch_id(self) -> UUID:
        return uuid5(ID_NAMESPACE, f"{self.name}/branch")

    @property
    def outward_code(self) -> str:
        """The outward code of the provider's office, which is all that is published."""
        return OUTWARD_CODES[self.home_area][self.number % len(OUTWARD_CODES[self.home_area])]

    @property
    def has_system(self) -> bool:
        return self.condition is not ProviderCondition.BY_PHONE


@dataclass(frozen=True)
class RankedList:
    """The order in which providers of a tier and district receive offers."""

    area: str
    tier: int
    ranking: tuple[UUID, ...]


@dataclass(frozen=True)
class InventedMarket:
    providers: tuple[InventedProvider, ...]
    lists: tuple[RankedList, ...]


def build_market(*, seed: int) -> InventedMarket:
    """Build the market of this seed."""
    numbers = range(1, FRAMEWORK_PROVIDERS + SPOT_PROVIDERS + 1)
    providers = tuple(_build_provider(number, Random(f"{seed}/provider/{number}")) for number in numbers)
    lists = tuple(_build_list(area.code, tier, providers, seed) for area in ESSEX_DISTRICTS for tier in (1, 2))
    return InventedMarket(providers, lists)


def _build_provider(number: int, chance: Random) -> InventedProvider:
    seat = number - 1
    home = seat % len(ESSEX_DISTRICTS)
    turn = seat // len(ESSEX_DISTRICTS)
    tier = None if number > FRAMEWORK_PROVIDERS else 1 if turn < _HOME_PROVIDERS else 2
    return InventedProvider(
        number=number,
        name=f"{TREE_NAMES[home]} Care {number:03}",
        home_area=ESSEX_DISTRICTS[home].code,
        tier=tier,
        areas=_choose_areas(home, turn, tier, chance),
        rating=chance.choice(_TIER_ONE_RATINGS if tier == 1 else _TIER_TWO_RATINGS if tier == 2 else _SPOT_RATINGS),
        turnover=chance.choice(_TURNOVERS),
        condition=_choose_condition(number),
        free_hours=0 if _choose_condition(number) is ProviderCondition.FULL else chance.randrange(150, 900, 10),
        service_types=tuple(ServiceType) if chance.random() < 0.8 else (ServiceType.PERSONAL_CARE,),
        rate_number=chance.randint(1, 4),
    )


def _choose_areas(home: int, turn: int, tier: int | None, chance: Random) -> tuple[str, ...]:
    """Choose one district or two. Three tier 1 providers of each district work in the next district too."""
    reaches_over = turn < TIER_ONE_A_DISTRICT - _HOME_PROVIDERS if tier == 1 else chance.random() < 0.4
    seats = (home, home + 1) if reaches_over else (home,)
    return tuple(ESSEX_DISTRICTS[seat % len(ESSEX_DISTRICTS)].code for seat in seats)


def _choose_condition(number: int) -> ProviderCondition:
    """Spread the conditions over the districts: 17 and 12 have no common factor."""
    special = {3: ProviderCondition.BY_PHONE, 11: ProviderCondition.FULL, 14: ProviderCondition.BY_PHONE}
    if number in {29, 64}:
        return ProviderCondition.EMBARGOED
    return special.get(number % 17, ProviderCondition.ORDINARY)


def _build_list(area: str, tier: int, providers: Sequence[InventedProvider], seed: int) -> RankedList:
    ranked = [provider.provider_id for provider in providers if provider.tier == tier and area in provider.areas]
    Random(f"{seed}/list/{area}/{tier}").shuffle(ranked)
    return RankedList(area, tier, tuple(ranked))
