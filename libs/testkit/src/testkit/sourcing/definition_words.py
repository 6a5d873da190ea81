"""Finds the keys of a definition's words by the titles that the council uses, for the scenario tables.

Titles are compared without regard to case. Each function raises LookupError for a title that the definition does not
have.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from contracts.definitions import read_definition
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Area, Lot, Route, ServiceType
from contracts.ids import AreaCode, GroupKey, NeedKey, TierKey

ValueT = TypeVar("ValueT")

FOLDER: Final = Path(__file__).parents[5] / "frameworks"


@cache
def read_framework(name: str) -> FrameworkDefinition:
    """Reads the definition `frameworks/<name>.yaml` of the repository."""
    path = FOLDER / f"{name}.yaml"
    if not path.exists():
        message = f"there is no definition {path.name}"
        raise LookupError(message)
    return read_definition(path.read_text(encoding="utf-8"), source=path.name)


def find_area(definition: FrameworkDefinition, name: str) -> Area:
    return _get(((area.name, area) for area in definition.areas), name)


def find_service_type(definition: FrameworkDefinition, title: str) -> ServiceType:
    return _get(((each.title, each) for each in definition.service_types), title)


def find_route(definition: FrameworkDefinition, title: str) -> Route:
    return _get(((route.title, route) for route in definition.routes), title)


def find_tier(definition: FrameworkDefinition, title: str) -> TierKey:
    """Finds a tier by its title in the singular or in the plural."""
    titles = ((_to_singular(tier.title), tier.tier) for tier in definition.tiers)
    return _get(titles, _to_singular(title))


def find_group(definition: FrameworkDefinition, title: str) -> GroupKey:
    """Finds a group of ranked lists by its title, or by the first words of it."""
    titles = ((group.title[: len(title)], group.group) for group in definition.list_groups)
    return _get(titles, title)


def find_needs(definition: FrameworkDefinition, titles: str) -> tuple[NeedKey, ...]:
    """Finds skills and circumstances of the home by their titles, which are separated by commas."""
    named = [
        *((each.title, each.skill) for each in definition.skills),
        *((each.title, each.circumstance) for each in definition.circumstances),
    ]
    return tuple(_get(named, title) for title in titles.split(", "))


def find_lot(definition: FrameworkDefinition, title: str) -> Lot:
    """Finds a lot by its title, or by the first word of it."""
    titles = ((name, lot) for lot in definition.lots for name in (lot.title, lot.title.partition(" ")[0]))
    return _get(titles, title)


def find_lot_of_place(definition: FrameworkDefinition, area: AreaCode, tier: TierKey) -> Lot:
    lots = [lot for lot in definition.lots if definition.has_place(lot.lot, area, tier)]
    return _get(((tier, lot) for lot in lots), tier)


def _to_singular(title: str) -> str:
    return title.removesuffix("s")


def _get(named: Iterable[tuple[str, ValueT]], title: str) -> ValueT:
    known = [(name.lower(), value) for name, value in named]
    found = next((value for name, value in known if name == title.lower()), None)
    if found is None:
        message = f"'{title}' is none of {', '.join(name for name, _ in known)}"
        raise LookupError(message)
    return found
