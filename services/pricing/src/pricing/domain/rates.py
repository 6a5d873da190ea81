"""Which rates a provider may select, and which of its selections still matter."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.errors import FieldError, InvalidInput
from contracts.events.rates import SelectedRate, Selection
from contracts.framework import FrameworkDefinition, MatrixLine
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from contracts.values import ServiceType


@dataclass(frozen=True)
class Place:
    """Where rates are selected: by one provider for one area of one framework."""

    provider_id: ProviderId
    framework: FrameworkKey
    area: AreaCode


@dataclass(frozen=True)
class Choice:
    """Rate `number` of the matrix, counted from 1, for one service type."""

    service_type: ServiceType
    number: int


def select(
    choices: Sequence[Choice],
    definition: FrameworkDefinition,
    place: Place,
    *,
    valid_from: date,
    standing: Sequence[Selection],
    today: date,
) -> Selection:
    """The choices as a selection, in pounds. Raises InvalidInput for everything that is wrong with it at once."""
    wrong = [
        *_wrong_place(definition, place),
        *_wrong_day(valid_from, standing, today),
        *_wrong_choices(choices, definition),
    ]
    if wrong:
        raise InvalidInput(*wrong)
    rates = tuple(_in_pounds(each, definition) for each in choices)
    return Selection(valid_from=valid_from, matrix_version=definition.version, rates=rates)


def with_selection(standing: Iterable[Selection], selection: Selection) -> tuple[Selection, ...]:
    """All selections after this one, which replaces an earlier one for the same day; the earliest day first."""
    others = (each for each in standing if each.valid_from != selection.valid_from)
    return tuple(sorted((*others, selection), key=lambda each: each.valid_from))


def that_matter(selections: Sequence[Selection], *, today: date) -> tuple[Selection, ...]:
    """The selection that counts today and those that are still to come; the earliest day first.

    An offer takes the selection of the day on which it is made, so nobody asks for an older one again.
    """
    begun = [each for each in selections if each.valid_from <= today]
    return (*begun[-1:], *(each for each in selections if each.valid_from > today))


def _wrong_place(definition: FrameworkDefinition, place: Place) -> Iterable[FieldError]:
    if not definition.prices.selected_by_providers:
        yield FieldError("path:framework", "has rate 1 for every provider; there is nothing to select")
    if not definition.has_area(place.area):
        yield FieldError("path:area", "is not an area of this framework; its definition lists them")


def _wrong_day(valid_from: date, standing: Sequence[Selection], today: date) -> Iterable[FieldError]:
    if standing and valid_from < today:
        detail = f"must be {today.isoformat()} or later: only a first selection can begin in the past"
        yield FieldError("#/valid_from", detail)


def _wrong_choices(choices: Sequence[Choice], definition: FrameworkDefinition) -> Iterable[FieldError]:
    for position, choice in enumerate(choices):
        place = f"#/rates/{position}"
        if choice.service_type in [each.service_type for each in choices[:position]]:
            yield FieldError(f"{place}/service_type", "is given twice; keep one of the two")
            continue
        line = definition.prices.line_for(choice.service_type)
        if line is None:
            yield FieldError(f"{place}/service_type", "has no line in the framework's matrix; take it out")
        elif line.rate_numbered(choice.number) is None:
            detail = f"the matrix goes to rate {_last_number(line)} for this service type; choose one from 1 on"
            yield FieldError(f"{place}/number", detail)


def _last_number(line: MatrixLine) -> int:
    return 1 + len(line.further_rates)


def _in_pounds(choice: Choice, definition: FrameworkDefinition) -> SelectedRate:
    line = definition.prices.line_for(choice.service_type)
    rate = None if line is None else line.rate_numbered(choice.number)
    assert line is not None, "choices are looked at before they are taken"
    assert rate is not None, "choices are looked at before they are taken"
    return SelectedRate(service_type=choice.service_type, unit=line.unit, number=choice.number, rate=rate)
