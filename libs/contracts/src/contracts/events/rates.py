"""Events of one provider's rates; topic `homecare.rates.v1`, all by pricing."""

from collections.abc import Iterable
from datetime import date
from typing import Self

from pydantic import Field, model_validator

from contracts.events.base import ProviderEvent
from contracts.ids import AreaCode, FrameworkKey, ItemKey, ProviderId, ServiceTypeKey, UnitKey
from contracts.values import Money, Value


class SelectedRate(Value):
    """One line of a selection: the number of a rate in the matrix, or the provider's own rate, in pounds."""

    service_type: ServiceTypeKey
    item: ItemKey
    unit: UnitKey
    number: int | None = Field(ge=1, description="rate 1, rate 2, … of the matrix; null for a rate of its own")
    rate: Money


class Selection(Value):
    """A provider's rates in one area from a day on, until a later selection takes over."""

    valid_from: date
    matrix_version: int = Field(ge=1, description="version of the definition whose matrix they were selected from")
    rates: tuple[SelectedRate, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def check_one_rate_per_item(self) -> Self:
        items = [each.item for each in self.rates]
        if len(set(items)) != len(items):
            message = "one rate for each item"
            raise ValueError(message)
        return self

    def find_rate(self, item: ItemKey) -> SelectedRate | None:
        return next((each for each in self.rates if each.item == item), None)


class RatesSelected(ProviderEvent):
    """All selections of a provider for one area that still matter, not a difference; the earliest day first."""

    framework: FrameworkKey
    area: AreaCode
    selections: tuple[Selection, ...] = Field(min_length=1)

    def find_selection_on(self, day: date) -> Selection | None:
        """Returns the selection that is valid on `day`; None before the first one begins."""
        return _find_newest(each for each in self.selections if each.valid_from <= day)


def make_rates_key(provider_id: ProviderId, framework: FrameworkKey, area: AreaCode) -> str:
    """Returns the projection key of a provider's rates in one area: `<provider>/<framework>/<area>`."""
    return f"{provider_id}/{framework}/{area}"


def _find_newest(selections: Iterable[Selection]) -> Selection | None:
    return max(selections, key=lambda each: each.valid_from, default=None)
