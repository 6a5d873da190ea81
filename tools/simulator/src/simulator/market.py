"""Invented providers over Essex's twelve districts, two hundred of the framework and some outside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final
from uuid import UUID, uuid5

from contracts.values import Rating, ServiceType
from geography import ESSEX_DISTRICTS
from simulator.postcodes import OUTWARD

NAMES: Final = UUID("0197a3c0-5eed-7000-8000-000000000000")
"""Ids are made from names, so that a second registration is the same one."""
PROVIDERS: Final = 200
"""Of the framework."""
SPOT_PROVIDERS: Final = 24
"""Outside the framework, two a district."""
TIER_ONE_A_DISTRICT: Final = 10
TREES: Final = ("Alder", "Birch", "Cedar", "Elm", "Hazel", "Juniper", "Larch", "Maple", "Oak", "Rowan", "Willow", "Yew")
_AT_HOME: Final = 7
"""Of a district's ten tier 1 providers, so many have their office there; the others come from a neighbour."""
_TURNOVERS: Final = range(300_000, 4_000_001, 100_000)
_GOOD_ENOUGH: Final = (Rating.GOOD, Rating.GOOD, Rating.GOOD, Rating.OUTSTANDING)
_SPOT: Final = (Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.INADEQUATE, Rating.NOT_RATED)
_ANY: Final = (Rating.GOOD, Rating.GOOD, Rating.REQUIRES_IMPROVEMENT, Rating.REQUIRES_IMPROVEMENT, Rating.NOT_RATED)


class Standing(StrEnum):
    """What is special about a provider."""

    ORDINARY = "ordinary"
    BY_PHONE = "has no system; is telephoned"
    FULL = "has declared that it has no capacity"
    EMBARGOED = "gets no new work"


@dataclass(frozen=True)
class InventedProvider:
    """One provider: where its office is, in which districts it stands on which tier's list."""

    number: int
    name: str
    home: str
    tier: int | None
    """None: no place in the framework; it sells to the council on the spot market."""
    areas: tuple[str, ...]
    rating: Rating
    turnover: int
    standing: Standing
    free_hours: int
    service_types: tuple[ServiceType, ...]
    rate_number: int
    """Which rate of the matrix it has selected."""

    @property
    def provider_id(self) -> UUID:
        return uuid5(NAMES, self.name)

    @property
    def branch_id(self) -> UUID:
        return uuid5(NAMES, f"{self.name}/branch")

    @property
    def outward_code(self) -> str:
        """Where its office is, as coarse as it is ever told."""
        return OUTWARD[self.home][self.number % len(OUTWARD[self.home])]

    @property
    def has_system(self) -> bool:
        return self.standing is not Standing.BY_PHONE


@dataclass(frozen=True)
class RankedList:
    """The order in which a tier of a district is called off."""

    area: str
    tier: int
    ranking: tuple[UUID, ...]


@dataclass(frozen=True)
class Market:
    providers: tuple[InventedProvider, ...]
    lists: tuple[RankedList, ...]


def invented_market(*, seed: int) -> Market:
    """The market of one seed."""
    numbers = range(1, PROVIDERS + SPOT_PROVIDERS + 1)
    providers = tuple(_provider(number, Random(f"{seed}/provider/{number}")) for number in numbers)
    lists = tuple(_list(area.code, tier, providers, seed) for area in ESSEX_DISTRICTS for tier in (1, 2))
    return Market(providers, lists)


def _provider(number: int, chance: Random) -> InventedProvider:
    seat = number - 1
    home = seat % len(ESSEX_DISTRICTS)
    turn = seat // len(ESSEX_DISTRICTS)
    tier = None if number > PROVIDERS else 1 if turn < _AT_HOME else 2
    return InventedProvider(
        number=number,
        name=f"{TREES[home]} Care {number:03}",
        home=ESSEX_DISTRICTS[home].code,
        tier=tier,
        areas=_areas(home, turn, tier, chance),
        rating=chance.choice(_GOOD_ENOUGH if tier == 1 else _ANY if tier == 2 else _SPOT),
        turnover=chance.choice(_TURNOVERS),
        standing=_standing(number),
        free_hours=0 if _standing(number) is Standing.FULL else chance.randrange(150, 900, 10),
        service_types=tuple(ServiceType) if chance.random() < 0.8 else (ServiceType.PERSONAL_CARE,),
        rate_number=chance.randint(1, 4),
    )


def _areas(home: int, turn: int, tier: int | None, chance: Random) -> tuple[str, ...]:
    """Three of a district's tier 1 providers work in the next district too, and so fill the ten."""
    reaches_over = turn < TIER_ONE_A_DISTRICT - _AT_HOME if tier == 1 else chance.random() < 0.4
    seats = (home, home + 1) if reaches_over else (home,)
    return tuple(ESSEX_DISTRICTS[seat % len(ESSEX_DISTRICTS)].code for seat in seats)


def _standing(number: int) -> Standing:
    """Few of each kind, and spread over the districts: 17 and 12 have no common factor."""
    special = {3: Standing.BY_PHONE, 11: Standing.FULL, 14: Standing.BY_PHONE}
    if number in {29, 64}:
        return Standing.EMBARGOED
    return special.get(number % 17, Standing.ORDINARY)


def _list(area: str, tier: int, providers: Sequence[InventedProvider], seed: int) -> RankedList:
    ranked = [provider.provider_id for provider in providers if provider.tier == tier and area in provider.areas]
    Random(f"{seed}/list/{area}/{tier}").shuffle(ranked)
    return RankedList(area, tier, tuple(ranked))
