"""Who may become a member where: the framework has to have the place, and the place has to have room.

Outside frameworks there is neither: a spot provider names the areas that it serves.
"""

from collections.abc import Iterator, Mapping, Sequence

from contracts.errors import FieldError, InvalidInput
from contracts.ids import AreaCode
from provider_registry.domain.errors import NoPlaceLeft
from provider_registry.domain.provider import Definitions, Place


def places_asked_for(wanted: Sequence[Place], definitions: Definitions) -> tuple[Place, ...]:
    """The places in order. Raises InvalidInput that names each one which no definition has, or which is doubled."""
    wrong = [error for position in range(len(wanted)) for error in _wrong(wanted, position, definitions)]
    if wrong:
        raise InvalidInput(*wrong)
    return tuple(sorted(wanted))


def spot_areas_asked_for(wanted: Sequence[AreaCode]) -> tuple[AreaCode, ...]:
    """The areas in order. Raises InvalidInput that names each one which is doubled."""
    doubled = [position for position, area in enumerate(wanted) if area in wanted[:position]]
    if doubled:
        raise InvalidInput(*(FieldError(f"#/areas/{each}", "is given twice; keep one of the two") for each in doubled))
    return tuple(sorted(wanted))


def check_room(new: Sequence[Place], members: Mapping[Place, int], definitions: Definitions) -> None:
    """Raises NoPlaceLeft that names each new place which `members` (how many others are there) fill already."""
    full = [place for place in new if _is_full(place, members.get(place, 0), definitions)]
    if full:
        raise NoPlaceLeft(f"{place}, which takes {members[place]} providers" for place in full)


def _wrong(wanted: Sequence[Place], position: int, definitions: Definitions) -> Iterator[FieldError]:
    place, pointer = wanted[position], f"#/memberships/{position}"
    definition = definitions.get(place.framework)
    if definition is None:
        yield FieldError(f"{pointer}/framework", "is not a framework of your council; publish its definition first")
        return
    if not definition.has_area(place.area):
        yield FieldError(f"{pointer}/area", "is not an area of this framework; its definition lists them")
    if definition.rules_of(place.tier) is None:
        yield FieldError(f"{pointer}/tier", "is not a tier of this framework; its definition lists them")
    if place in wanted[:position]:
        yield FieldError(pointer, "is given twice; keep one of the two")


def _is_full(place: Place, members: int, definitions: Definitions) -> bool:
    rules = definitions[place.framework].rules_of(place.tier)
    return rules is not None and rules.providers_per_area is not None and members >= rules.providers_per_area
