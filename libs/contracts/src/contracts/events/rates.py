"""Events of one provider's rates; topic `homecare.rates.v1`, all by pricing."""

from collections.abc import Iterable
from datetime import date
from typing import Self

from pydantic import Field, model_validator

from contracts.events.base import ProviderEvent
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from contracts.values import Money, PriceUnit, ServiceType, Value


class SelectedRate(Value):
    """One line of a selection: the number of a rate in the matrix, and its amount in pounds."""

    service_type: ServiceType
    unit: PriceUnit
    number: int = Field(ge=1, description="rate 1, rate 2, … of the matrix")
    rate: Money


class Selection(Value):
    """A provider's rates in one area from a day on, until a later selection takes over."""

    valid_from: date
    matrix_version: int = Field(ge=1, description="version of the definition whose matrix they were selected from")
    rates: tuple[SelectedRate, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def check_one_rate_per_service_type(self) -> Self:
        kinds = [each.service_type for each in self.rates]
        if len(set(kinds)) != len(kinds):
            message = "one rate for each service type"
            raise ValueError(message)
        return self

    def find_rate(self, service_type: ServiceType) -> SelectedRate | None:
        return next((each for each in self.rates if each.service_type is service_type), None)


class RatesSelected(ProviderEvent):
    """All selections of a provider for one area that still matter, not a difference; the earliest day first."""

    framework: FrameworkKey
    area: AreaCode
    selections: tuple[Selection, ...] = Field(min_length=1)

    def find_selection_on(self, day: date) -> Selection | None:
        """Returns the selection that is valid on `day`; None before the first one begins."""
        return _find_newest(each for each in self.selections if each.valid_from <= day)


def make_rates_key(provider_id: ProviderId, framework: FrameworkKey, area: AreaCode) -> str:
    """Returns the projection key of a provider's rates in one area: `<provider>/essex-live-at-home-2025/E07000071`."""
    return f"{provider_id}/{framework}/{area}"


def _find_newest(selections: Iterable[Selection]) -> Selection | None:
    return max(selections, key=lambda each: each.valid_from, default=None)
