"""The lines of a framework's price matrix that hold in one area, and the rates that a provider chooses of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from contracts.errors import FieldError
from contracts.events.rates import SelectedRate
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.ids import AreaCode, ItemKey, ServiceTypeKey


@dataclass(frozen=True)
class RateChoice:
    """Choice of one line of the matrix: rate `number` of it, counted from 1, or the provider's own rate in pounds."""

    service_type: ServiceTypeKey
    item: ItemKey
    number: int | None = None
    rate: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.number is None) == (self.rate is None):
            message = "give either number or rate"
            raise ValueError(message)


@dataclass(frozen=True)
class RateMatrix:
    """The matrix of a framework whose providers set their rates, in the price band of an area."""

    definition: FrameworkDefinition
    area: AreaCode

    def check_choices(self, choices: Sequence[RateChoice]) -> Iterable[FieldError]:
        """Yields every choice that is wrong, and every service type of which a line is missing."""
        for position, choice in enumerate(choices):
            pointer = f"#/rates/{position}"
            if choice.item in [each.item for each in choices[:position]]:
                yield FieldError(pointer, f"names the item {choice.item} a second time; remove one of the two")
            else:
                yield from self._check_choice(choice, pointer)
        for service_type in dict.fromkeys(each.service_type for each in choices):
            yield from self._check_completeness(service_type, {each.item for each in choices})

    def to_selected_rate(self, choice: RateChoice) -> SelectedRate:
        """Returns the chosen rate in pounds; the choice has been checked."""
        line = self._find_line(choice)
        assert line is not None, "choices are checked before they are converted"
        rate = choice.rate if choice.number is None else line.find_rate(choice.number)
        assert rate is not None, "choices are checked before they are converted"
        return SelectedRate(
            service_type=choice.service_type, item=choice.item, unit=line.unit, number=choice.number, rate=rate
        )

    def _list_lines(self, service_type: ServiceTypeKey) -> Sequence[MatrixLine]:
        return self.definition.find_price_lines(service_type, self.area)

    def _find_line(self, choice: RateChoice) -> MatrixLine | None:
        return next((line for line in self._list_lines(choice.service_type) if line.item_key == choice.item), None)

    def _check_choice(self, choice: RateChoice, pointer: str) -> Iterable[FieldError]:
        lines, line = self._list_lines(choice.service_type), self._find_line(choice)
        if not lines:
            yield FieldError(f"{pointer}/service_type", "has no line in the framework's matrix; remove it")
        elif line is None:
            items = " or ".join(each.item_key for each in lines)
            yield FieldError(f"{pointer}/item", f"is not a line of this service type; choose {items}")
        elif self.definition.prices.rates_set_by is RatesSetBy.PROVIDER:
            yield from _check_own_rate(choice, line, pointer)
        else:
            yield from _check_number(choice, line, pointer)

    def _check_completeness(self, service_type: ServiceTypeKey, chosen: set[ItemKey]) -> Iterable[FieldError]:
        items = [line.item_key for line in self._list_lines(service_type)]
        missing = [item for item in items if item not in chosen]
        if missing and len(missing) < len(items):
            detail = f"lacks {' and '.join(missing)}; {service_type} is paid by all of its lines"
            yield FieldError("#/rates", detail)


def _check_number(choice: RateChoice, line: MatrixLine, pointer: str) -> Iterable[FieldError]:
    highest = 1 + len(line.further_rates)
    if choice.number is None:
        yield FieldError(f"{pointer}/rate", f"cannot be named in this framework; give number, from 1 to {highest}")
    elif line.find_rate(choice.number) is None:
        yield FieldError(f"{pointer}/number", f"must be from 1 to {highest}, the rates of this item")


def _check_own_rate(choice: RateChoice, line: MatrixLine, pointer: str) -> Iterable[FieldError]:
    highest = line.rate if line.highest is None else line.highest
    limits = f"from {line.rate:.2f} to {highest:.2f}, the lowest and the highest rate of this item in this area"
    if choice.rate is None:
        yield FieldError(f"{pointer}/number", f"is not used in this framework; give your own rate, {limits}")
    elif not line.rate <= choice.rate <= highest:
        yield FieldError(f"{pointer}/rate", f"must be {limits}")
