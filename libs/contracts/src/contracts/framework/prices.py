"""Prices of a framework: the matrix, and who sets a provider's rates."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from contracts.framework.words import KEY_PATTERN
from contracts.ids import BandKey, ItemKey, ServiceTypeKey, UnitKey
from contracts.values import Money, Value


class RatesSetBy(StrEnum):
    """Who sets the rates of a provider."""

    FRAMEWORK = "framework"
    """Rate 1 of the matrix holds for every provider."""
    SELECTION = "selection"
    """Each provider selects one of the rates of a line, by area."""
    PROVIDER = "provider"
    """Each provider names its own rate, by area, between the lowest and the highest rate of a line."""


class MatrixLine(Value):
    """One line of the price matrix, in pounds for a unit. A service type with several lines is paid by all of them."""

    service_type: ServiceTypeKey
    item: ItemKey | None = Field(default=None, pattern=KEY_PATTERN, description="names one of several lines")
    band: BandKey | None = Field(default=None, pattern=KEY_PATTERN, description="only in areas of this price band")
    unit: UnitKey
    rate: Money = Field(description="rate 1; where providers name their own rates, the lowest one")
    further_rates: tuple[Money, ...] = Field(default=(), max_length=20, description="rate 2, rate 3, …")
    highest: Money | None = Field(default=None, description="where providers name their own rates: the highest one")
    each_carer: bool = Field(default=True, description="false: a week or an episode costs the same for two carers")

    @model_validator(mode="after")
    def check_highest_is_not_below_the_lowest(self) -> Self:
        if self.highest is not None and self.highest < self.rate:
            message = "highest must not be below rate, the lowest one"
            raise ValueError(message)
        return self

    @property
    def item_key(self) -> ItemKey:
        return self.item or ItemKey(self.service_type)

    def find_rate(self, number: int) -> Decimal | None:
        """Returns rate `number` of this line, counted from 1, or None if the line has fewer rates."""
        rates = (self.rate, *self.further_rates)
        return rates[number - 1] if 1 <= number <= len(rates) else None


class Prices(Value):
    invented: bool = Field(description="true where the council's real matrix is not public")
    price_list: str = Field(min_length=1, max_length=60)
    rates_set_by: RatesSetBy = RatesSetBy.FRAMEWORK
    matrix: tuple[MatrixLine, ...] = Field(min_length=1)

    @property
    def are_set_by_providers(self) -> bool:
        """True where each provider selects or names its rates."""
        return self.rates_set_by is not RatesSetBy.FRAMEWORK

    def list_lines(self, service_type: ServiceTypeKey, band: BandKey | None) -> Sequence[MatrixLine]:
        """Returns the lines of a service type: of the band where it has any, else those without a band."""
        lines = [line for line in self.matrix if line.service_type == service_type]
        return [line for line in lines if band is not None and line.band == band] or [
            line for line in lines if line.band is None
        ]
