"""Rules of membership: the place exists in the framework, and its cap is not reached.

Spot areas are outside frameworks and have no cap.
"""

from collections.abc import Iterator, Mapping, Sequence

from contracts.errors import FieldError, InvalidInput
from contracts.ids import AreaCode
from provider_registry.domain.errors import NoPlaceLeft
from provider_registry.domain.provider import Definitions, FrameworkPlace


def validate_places(places: Sequence[FrameworkPlace], definitions: Definitions) -> tuple[FrameworkPlace, ...]:
    """Returns the places in order. Raises InvalidInput naming each unknown or duplicate place."""
    wrong = [error for position in range(len(places)) for error in _find_place_errors(places, position, definitions)]
    if wrong:
        raise InvalidInput(*wrong)
    return tuple(sorted(places))


def validate_spot_areas(areas: Sequence[AreaCode]) -> tuple[AreaCode, ...]:
    """Returns the areas in order. Raises InvalidInput naming each duplicate."""
    doubled = [position for position, area in enumerate(areas) if area in areas[:position]]
    if doubled:
        raise InvalidInput(*(FieldError(f"#/areas/{each}", "is given twice; keep one of the two") for each in doubled))
    return tuple(sorted(areas))


def check_places_are_free(
    new: Sequence[FrameworkPlace], members: Mapping[FrameworkPlace, int], definitions: Definitions
) -> None:
    """Raises NoPlaceLeft naming each new place whose cap is reached; `members` counts the other members."""
    full = [place for place in new if _is_full(place, members.get(place, 0), definitions)]
    if full:
        raise NoPlaceLeft(f"{place}, which takes {members[place]} providers" for place in full)


def _find_place_errors(
    places: Sequence[FrameworkPlace], position: int, definitions: Definitions
) -> Iterator[FieldError]:
    place, pointer = places[position], f"#/memberships/{position}"
    definition = definitions.get(place.framework)
    if definition is None:
        yield FieldError(f"{pointer}/framework", "is not a framework of your council; publish its definition first")
        return
    if not definition.has_area(place.area):
        yield FieldError(f"{pointer}/area", "is not an area of this framework; its definition lists them")
    if definition.find_tier_rules(place.tier) is None:
        yield FieldError(f"{pointer}/tier", "is not a tier of this framework; its definition lists them")
    if place in places[:position]:
        yield FieldError(pointer, "is given twice; keep one of the two")


def _is_full(place: FrameworkPlace, members: int, definitions: Definitions) -> bool:
    rules = definitions[place.framework].find_tier_rules(place.tier)
    return rules is not None and rules.providers_per_area is not None and members >= rules.providers_per_area
