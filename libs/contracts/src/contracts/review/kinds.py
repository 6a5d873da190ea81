"""The kinds of packages that a definition can get, one of each kind that its stages can tell apart."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Final

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import PackageKind
from contracts.framework.titles import Titles
from contracts.framework.words import Area, Lot
from contracts.ids import BandKey, NeedKey
from contracts.review.phrases import join_words

_MOST_NAMED: Final = 4


def count_kinds(definition: FrameworkDefinition) -> int:
    """Returns how many kinds there are at most, without listing them."""
    bands, needs = 1 + len(definition.travel_bands), len(_list_needs_asked_for(definition))
    words = (
        (len(lot.areas or definition.areas), len(lot.service_types or definition.service_types), len(lot.routes))
        for lot in definition.lots
    )
    return sum(areas * types * (routes or len(definition.routes)) for areas, types, routes in words) * bands * needs


def list_kinds(definition: FrameworkDefinition) -> Iterator[PackageKind]:
    """Yields every combination of lot, area, service type and route that a lot serves.

    Each comes without needs, and once with each need and each travel band that a stage asks for.
    """
    for lot in definition.lots:
        yield from _list_kinds_of(definition, lot)


def describe_kinds(definition: FrameworkDefinition, kinds: Sequence[PackageKind]) -> str:
    """Describes many kinds of packages in one phrase; needs and travel bands where they are what the kinds share."""
    titles = Titles(definition)
    parts = [
        _name_some((titles.get_service_type(kind.service_type) for kind in kinds), "service types"),
        f"in {_name_some((titles.get_area(kind.area) for kind in kinds), 'areas')}",
        f"by {_name_some((titles.get_route(kind.route) for kind in kinds), 'routes')}",
    ]
    if all(kind.needs for kind in kinds):
        needs = (titles.get_need(need) for kind in kinds for need in kind.needs)
        parts.append(f"with a need of {' or '.join(dict.fromkeys(needs))}")
    bands = dict.fromkeys(kind.travel_band for kind in kinds)
    if None not in bands:
        parts.append(f"in travel band {' or '.join(str(band) for band in bands)}")
    return ", ".join(parts)


def _list_kinds_of(definition: FrameworkDefinition, lot: Lot) -> Iterator[PackageKind]:
    areas = [area for area in definition.areas if area.outside is None and lot.has_area(area.code)]
    service_types = definition.list_service_types(lot.lot)
    routes = [route for route in definition.routes if not lot.routes or route.route in lot.routes]
    needs = _list_needs_asked_for(definition)
    for area, service_type, route in product(areas, service_types, routes):
        for band, some in product(_list_travel_bands(definition, area), needs):
            yield PackageKind(
                lot=lot.lot,
                area=area.code,
                service_type=service_type,
                route=route.route,
                urgent=route.urgent,
                needs=some,
                travel_band=band,
            )


def _list_travel_bands(definition: FrameworkDefinition, area: Area) -> Iterable[BandKey | None]:
    return dict.fromkeys((area.travel_band, *(each.band for each in definition.travel_bands)))


def _list_needs_asked_for(definition: FrameworkDefinition) -> tuple[tuple[NeedKey, ...], ...]:
    asked_for = dict.fromkeys(need for stage in definition.sourcing for need in stage.when.needs)
    return ((), *((need,) for need in asked_for))


def _name_some(words: Iterable[str], what: str) -> str:
    found = list(dict.fromkeys(words))
    return join_words(found) if len(found) <= _MOST_NAMED else f"{len(found)} {what}"
