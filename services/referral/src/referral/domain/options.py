"""The frameworks, lots and areas under which a requested package can be sourced."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Area, Lot, Route
from contracts.ids import RouteKey, ServiceTypeKey
from referral.domain.request import ReferralRequest


class ChoiceField(StrEnum):
    """The fields of a request that select the lot; the value is the pointer to it."""

    LOT = "#/lot"
    ROUTE = "#/route"
    SERVICE_TYPE = "#/service_type"
    AREA = "#/area"


@dataclass(frozen=True)
class Option:
    """One framework, lot and area that can have the package, with its service type and route."""

    definition: FrameworkDefinition
    lot: Lot
    area: Area
    service_type: ServiceTypeKey
    route: Route

    def describe(self, field: ChoiceField) -> str:
        """Returns the option's value of a field, with its title where the key tells people little."""
        match field:
            case ChoiceField.LOT:
                return f"{self.lot.lot} ({self.lot.title})"
            case ChoiceField.ROUTE:
                return self.route.route
            case ChoiceField.SERVICE_TYPE:
                return self.service_type
            case ChoiceField.AREA:
                return f"{self.area.code} ({self.area.name})"


def list_options(
    request: ReferralRequest, definitions: Iterable[FrameworkDefinition], *, ignoring: ChoiceField | None = None
) -> Sequence[Option]:
    """Returns all options that the request leaves; with `ignoring` those that it would leave without this field."""
    return [
        Option(definition, lot, area, service_type, route)
        for definition in definitions
        if request.framework in {None, definition.framework}
        for area in _list_areas(request, definition, ignoring)
        for service_type in _list_service_types(request, definition, ignoring)
        for route in _list_routes(request, definition, ignoring)
        for lot in definition.lots
        if ignoring is ChoiceField.LOT or request.lot in {None, lot.lot}
        if lot.serves(area.code, service_type, route.route)
    ]


def _list_areas(
    request: ReferralRequest, definition: FrameworkDefinition, ignoring: ChoiceField | None
) -> Sequence[Area]:
    """Returns the requested area, otherwise those of the postcode's district; areas outside are left out."""
    served = [area for area in definition.areas if area.outside is None]
    if ignoring is ChoiceField.AREA:
        return served
    if request.area is not None:
        return [area for area in served if area.code == request.area]
    district = request.district
    return [] if district is None else [area for area in served if area.covers_district(district)]


def _list_service_types(
    request: ReferralRequest, definition: FrameworkDefinition, ignoring: ChoiceField | None
) -> Sequence[ServiceTypeKey]:
    declared = [each.service_type for each in definition.service_types]
    return [key for key in declared if ignoring is ChoiceField.SERVICE_TYPE or key == request.service_type]


def _list_routes(
    request: ReferralRequest, definition: FrameworkDefinition, ignoring: ChoiceField | None
) -> Sequence[Route]:
    wanted: RouteKey = request.route or definition.usual_route.route
    return [route for route in definition.routes if ignoring is ChoiceField.ROUTE or route.route == wanted]
