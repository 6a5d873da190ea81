"""Rules for the places of a provider: they exist in the framework, and no tier of an area has more than its cap.

Spot areas are outside frameworks and have no cap.
"""

from collections.abc import Iterator, Mapping, Sequence

from contracts.errors import FieldError, InvalidInput
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode
from provider_registry.domain.errors import NoPlaceLeft
from provider_registry.domain.places import FrameworkPlace, ProviderPlace
from provider_registry.domain.provider import Definitions


def find_unknown_words(asked: ProviderPlace, definition: FrameworkDefinition | None) -> Iterator[FieldError]:
    """Yields an error for each word of a place that the framework's definition does not have."""
    place = asked.place
    if definition is None:
        yield FieldError("framework", "is not a framework of your council; publish its definition first")
        return
    yield from _find_unknown_words_of_place(place, definition)
    lot = definition.find_lot(place.lot)
    for position, service_type in enumerate(asked.service_types):
        if lot is not None and service_type not in definition.list_service_types(place.lot):
            yield FieldError(f"service_types/{position}", "is not a service type of this lot; see its definition")
        if service_type in asked.service_types[:position]:
            yield FieldError(f"service_types/{position}", "is given twice; keep one of the two")


def _find_unknown_words_of_place(place: FrameworkPlace, definition: FrameworkDefinition) -> Iterator[FieldError]:
    lot, area, tier = definition.find_lot(place.lot), definition.find_area(place.area), definition.find_tier(place.tier)
    if lot is None:
        yield FieldError("lot", "is not a lot of this framework; its definition lists them")
    if area is None:
        yield FieldError("area", "is not an area of this framework; its definition lists them")
    elif area.outside is not None:
        yield FieldError("area", f"is not served by this framework: {area.outside}")
    elif lot is not None and not lot.has_area(place.area):
        yield FieldError("area", "is not an area of this lot; the definition lists them")
    if tier is None:
        yield FieldError("tier", "is not a tier of this framework; its definition lists them")
    elif lot is not None and not tier.exists_in(place.lot):
        yield FieldError("tier", "is not a tier of this lot; the definition lists them")


def find_duplicate(places: Sequence[FrameworkPlace], position: int) -> Iterator[FieldError]:
    if places[position] in places[:position]:
        yield FieldError("", "is given twice; keep one of the two")


def validate_spot_areas(areas: Sequence[AreaCode]) -> tuple[AreaCode, ...]:
    """Returns the areas in order. Raises InvalidInput naming each duplicate."""
    doubled = [position for position, area in enumerate(areas) if area in areas[:position]]
    if doubled:
        raise InvalidInput(*(FieldError(f"#/areas/{each}", "is given twice; keep one of the two") for each in doubled))
    return tuple(sorted(areas))


def check_places_are_free(
    new: Sequence[FrameworkPlace], held: Mapping[FrameworkPlace, int], definitions: Definitions
) -> None:
    """Raises NoPlaceLeft naming each new place whose cap is reached; `held` counts the other providers there."""
    full = [place for place in new if _is_full(place, held.get(place, 0), definitions)]
    if full:
        raise NoPlaceLeft(f"{place}, which takes {held[place]} providers" for place in full)


def _is_full(place: FrameworkPlace, held: int, definitions: Definitions) -> bool:
    tier = definitions[place.framework].find_tier(place.tier)
    return tier is not None and tier.providers_per_area is not None and held >= tier.providers_per_area
