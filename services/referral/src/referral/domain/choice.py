"""Checks that exactly one framework, lot and area applies to a request; every refusal says what to choose from."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from contracts.errors import FieldError
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Area
from contracts.ids import AreaCode
from referral.domain.options import ChoiceField, Option, list_options
from referral.domain.request import InvalidPostcode, LocatedPostcode, ReferralRequest, UnlocatedPostcode

POSTCODE_POINTER = "#/person/address/postcode"


def check_choice(
    request: ReferralRequest, in_force: Sequence[FrameworkDefinition], options: Sequence[Option]
) -> Iterable[FieldError]:
    """Yields what is wrong unless `options`, all that the request leaves, is exactly one."""
    named = [each for each in in_force if request.framework in {None, each.framework}]
    if not in_force:
        yield FieldError("#/framework", "no framework of your council is in force today")
    elif not named:
        choices = join_choices(each.framework for each in in_force)
        yield FieldError("#/framework", f"is not a framework of your council that is in force; choose {choices}")
    else:
        errors = [*_check_words(request, named, options), *_check_area(request, named)]
        yield from errors or _check_number(request, named, options)


def check_postcode(request: ReferralRequest) -> Iterable[FieldError]:
    """Yields an error for a postcode from which no outward code or no district can be read, if that is needed."""
    match request.postcode_result:
        case InvalidPostcode(detail=detail):
            yield FieldError(POSTCODE_POINTER, detail)
        case UnlocatedPostcode(detail=detail) if request.area is None:
            yield FieldError(POSTCODE_POINTER, detail)
        case _:
            return


def join_choices(choices: Iterable[str]) -> str:
    return " or ".join(sorted(set(choices)))


def _check_words(
    request: ReferralRequest, named: Sequence[FrameworkDefinition], options: Sequence[Option]
) -> Iterable[FieldError]:
    """Yields every word that none of the frameworks declares; needs must be declared by the one that applies."""
    service_types = [each.service_type for definition in named for each in definition.service_types]
    routes = [each.route for definition in named for each in definition.routes]
    lots = [each.lot for definition in named for each in definition.lots]
    yield from _check_word(ChoiceField.SERVICE_TYPE, request.service_type, service_types, named)
    yield from _check_word(ChoiceField.ROUTE, request.route, routes, named)
    yield from _check_word(ChoiceField.LOT, request.lot, lots, named)
    declaring = [options[0].definition] if len(options) == 1 else named
    needs = [need for definition in declaring for need in definition.needs]
    for position, need in enumerate(request.needs):
        yield from _check_word(f"#/needs/{position}", need, needs, declaring)


def _check_word(
    pointer: str, word: str | None, declared: Sequence[str], definitions: Sequence[FrameworkDefinition]
) -> Iterable[FieldError]:
    if word is not None and word not in declared:
        remedy = f"choose {join_choices(declared)}" if declared else "leave it out"
        yield FieldError(pointer, f"is not declared by {_name_frameworks(definitions)}; {remedy}")


def _check_area(request: ReferralRequest, named: Sequence[FrameworkDefinition]) -> Iterable[FieldError]:
    if request.area is not None:
        yield from _check_requested_area(request, request.area, named)
        return
    match request.postcode_result:
        case UnlocatedPostcode():
            detail = "is required because the postcode has no known district"
            yield FieldError(ChoiceField.AREA, f"{detail}; choose {_list_areas(request, named)}")
        case LocatedPostcode(district=district):
            areas = [area for each in named for area in each.areas if area.covers_district(district)]
            if all(area.outside is not None for area in areas):
                detail = areas[0].outside if areas else f"is in no area of {_name_frameworks(named)}"
                remedy = f"give in `area` where care is given: {_list_areas(request, named)}"
                yield FieldError(POSTCODE_POINTER, f"{detail}; {remedy}")
        case InvalidPostcode():
            return


def _check_requested_area(
    request: ReferralRequest, code: AreaCode, named: Sequence[FrameworkDefinition]
) -> Iterable[FieldError]:
    """An area that does not cover the district of the postcode needs to be confirmed."""
    areas: list[Area] = [area for each in named if (area := each.find_area(code)) is not None]
    if all(area.outside is not None for area in areas):
        frameworks = _name_frameworks(named)
        detail = f"is outside {frameworks}: {areas[0].outside}" if areas else f"is not an area of {frameworks}"
        yield FieldError(ChoiceField.AREA, f"{detail}; choose {_list_areas(request, named)}")
        return
    district = request.district
    is_covered = district is None or any(area.covers_district(district) for area in areas)
    if not is_covered and not request.area_confirmed:
        yield FieldError(
            ChoiceField.AREA,
            "does not cover the district of the postcode; leave it out, or set area_confirmed if care is given there",
        )


def _check_number(
    request: ReferralRequest, named: Sequence[FrameworkDefinition], options: Sequence[Option]
) -> Iterable[FieldError]:
    is_area_known = request.area is not None or request.district is not None
    if not options and is_area_known:
        yield _explain_no_option(request, named)
    if len(options) > 1:
        yield from _explain_several_options(options)


def _explain_no_option(request: ReferralRequest, named: Sequence[FrameworkDefinition]) -> FieldError:
    """Returns an error about the first field whose change alone leaves an option, with the values that do."""
    detail = "does not go with the other ones of service type, route, lot and area"
    for field in ChoiceField:
        if field is ChoiceField.LOT and request.lot is None:
            continue
        choices = [option.describe(field) for option in list_options(request, named, ignoring=field)]
        if choices:
            return FieldError(field, f"{detail}; choose {join_choices(choices)}")
    service_types = join_choices(each.service_type for definition in named for each in definition.service_types)
    return FieldError(ChoiceField.SERVICE_TYPE, f"{detail}; choose {service_types}, and change the others")


def _explain_several_options(options: Sequence[Option]) -> Iterable[FieldError]:
    frameworks = {option.definition.framework for option in options}
    if len(frameworks) > 1:
        yield FieldError(
            "#/framework", f"is required because several frameworks apply; choose {join_choices(frameworks)}"
        )
        return
    lots_of_area, areas_of_lot = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for option in options:
        lots_of_area[option.area.code].add(option.lot.lot)
        areas_of_lot[option.lot.lot].add(option.area.code)
    has_several_areas = any(len(areas) > 1 for areas in areas_of_lot.values())
    if any(len(lots) > 1 for lots in lots_of_area.values()) or not has_several_areas:
        yield _require(ChoiceField.LOT, "several lots apply", options)
    if has_several_areas:
        yield _require(ChoiceField.AREA, "the district of the postcode has several areas", options)


def _require(field: ChoiceField, because: str, options: Sequence[Option]) -> FieldError:
    choices = join_choices(option.describe(field) for option in options)
    return FieldError(field, f"is required because {because}; choose {choices}")


def _list_areas(request: ReferralRequest, named: Sequence[FrameworkDefinition]) -> str:
    """Returns the areas in which the requested service is called off, otherwise all that the frameworks serve."""
    fitting = [option.describe(ChoiceField.AREA) for option in list_options(request, named, ignoring=ChoiceField.AREA)]
    served = [f"{area.code} ({area.name})" for each in named for area in each.areas if area.outside is None]
    return join_choices(fitting or served)


def _name_frameworks(definitions: Sequence[FrameworkDefinition]) -> str:
    return join_choices(each.framework for each in definitions)
