"""Request bodies about places, and their conversion to domain values."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from contracts.values import PlaceState
from provider_registry.domain.asked_places import AskedPlace
from provider_registry.domain.places import FrameworkPlace
from service_runtime.http.text_fields import (
    AreaName,
    Day,
    FrameworkName,
    LotName,
    Reason,
    RequestBody,
    ServiceTypeName,
    TierName,
)
from service_runtime.http.value_rules import check_whole_number

PlaceNumber = Annotated[int, Field(ge=1, le=1_000), BeforeValidator(check_whole_number)]


class PlaceKeyIn(RequestBody):
    framework: FrameworkName
    lot: LotName
    area: AreaName
    tier: TierName

    def to_place(self) -> FrameworkPlace:
        return FrameworkPlace(self.framework, self.lot, self.area, self.tier)


class PlaceIn(PlaceKeyIn):
    """A place. Omitted days of application, award and joining, and an omitted state, stay as they are."""

    service_types: list[ServiceTypeName] = Field(
        default_factory=list[ServiceTypeName], max_length=100, description="empty: all of the lot"
    )
    number: PlaceNumber | None = Field(default=None, description="its turn, where the framework numbers its providers")
    applied_on: Day | None = None
    awarded_on: Day | None = None
    joined_on: Day | None = Field(
        default=None,
        description="first day; new and omitted: the start of a closed framework, else today or when places begin",
    )
    until: Day | None = Field(default=None, description="last day; null: as long as the framework runs")
    existing_until: Day | None = Field(
        default=None,
        description="an interim provider keeps what it has until this day and takes nothing new, save by exception",
    )
    state: PlaceState | None = Field(default=None, description="new and omitted: active")

    def to_asked_place(self) -> AskedPlace:
        return AskedPlace(
            place=self.to_place(),
            service_types=tuple(self.service_types),
            number=self.number,
            applied_on=self.applied_on,
            awarded_on=self.awarded_on,
            joined_on=self.joined_on,
            until=self.until,
            existing_until=self.existing_until,
            state=self.state,
        )


class PlacesIn(RequestBody):
    """All places of the provider. An ended one has the state left; an omitted one is deleted, as a mistake is."""

    places: list[PlaceIn] = Field(max_length=500)


class PlaceKeysIn(RequestBody):
    places: list[PlaceKeyIn] = Field(min_length=1, max_length=500)


class RequestedPlaceIn(PlaceIn):
    """A place that the framework's rules do not allow one officer to give."""

    because: Reason = Field(description="a code or a ticket's number, no names")
