"""Rules for the rates that a provider selects from a price matrix."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts.errors import FieldError, InvalidInput
from contracts.events.rates import SelectedRate, Selection
from contracts.framework import FrameworkDefinition, MatrixLine
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from contracts.values import ServiceType

MAX_PENDING: Final = 12
"""Selections of one scope for later days. Rates are reviewed yearly, and each event repeats what is pending."""


@dataclass(frozen=True)
class RateScope:
    """Scope of a selection: one provider, one framework, one area."""

    provider_id: ProviderId
    framework: FrameworkKey
    area: AreaCode


@dataclass(frozen=True)
class RateChoice:
    """Choice of rate `number` of the matrix, counted from 1, for one service type."""

    service_type: ServiceType
    number: int


def build_selection(
    choices: Sequence[RateChoice],
    definition: FrameworkDefinition,
    scope: RateScope,
    *,
    valid_from: date,
    existing: Sequence[Selection],
    today: date,
) -> Selection:
    """Builds a selection with rates in pounds. Raises InvalidInput that lists every invalid field."""
    errors = [
        *_check_scope(definition, scope),
        *_check_first_day(valid_from, existing, today),
        *_check_number_pending(valid_from, existing, today),
        *_check_choices(choices, definition),
    ]
    if errors:
        raise InvalidInput(*errors)
    rates = tuple(_to_selected_rate(each, definition) for each in choices)
    return Selection(valid_from=valid_from, matrix_version=definition.version, rates=rates)


def add_selection(existing: Iterable[Selection], selection: Selection) -> tuple[Selection, ...]:
    """Returns all selections, earliest day first. `selection` replaces an earlier one for the same day."""
    others = (each for each in existing if each.valid_from != selection.valid_from)
    return tuple(sorted((*others, selection), key=lambda each: each.valid_from))


def filter_relevant(selections: Sequence[Selection], *, today: date) -> tuple[Selection, ...]:
    """Returns the selection in force today and the future ones, earliest day first.

    An offer uses the selection of the day on which it is made, so older selections are not needed again.
    """
    begun = [each for each in selections if each.valid_from <= today]
    return (*begun[-1:], *(each for each in selections if each.valid_from > today))


def _check_scope(definition: FrameworkDefinition, scope: RateScope) -> Iterable[FieldError]:
    if not definition.prices.selected_by_providers:
        yield FieldError("path:framework", "has rate 1 for every provider; rates cannot be selected")
    if not definition.has_area(scope.area):
        yield FieldError("path:area", "is not an area of this framework; its definition lists them")


def _check_first_day(valid_from: date, existing: Sequence[Selection], today: date) -> Iterable[FieldError]:
    if existing and valid_from < today:
        detail = f"must be {today.isoformat()} or later: only a first selection can begin in the past"
        yield FieldError("#/valid_from", detail)


def _check_number_pending(valid_from: date, existing: Sequence[Selection], today: date) -> Iterable[FieldError]:
    pending = {each.valid_from for each in existing if each.valid_from > today}
    if valid_from > today and valid_from not in pending and len(pending) >= MAX_PENDING:
        detail = (
            f"would be one more than the {MAX_PENDING} selections for later days that an area can have; "
            "give the day of one of them to replace it, or wait until one begins"
        )
        yield FieldError("#/valid_from", detail)


def _check_choices(choices: Sequence[RateChoice], definition: FrameworkDefinition) -> Iterable[FieldError]:
    for position, choice in enumerate(choices):
        pointer = f"#/rates/{position}"
        if choice.service_type in [each.service_type for each in choices[:position]]:
            yield FieldError(f"{pointer}/service_type", "is listed twice; remove one")
            continue
        line = definition.prices.find_matrix_line(choice.service_type)
        if line is None:
            yield FieldError(f"{pointer}/service_type", "has no line in the framework's matrix; remove it")
        elif line.find_rate(choice.number) is None:
            detail = f"must be from 1 to {_get_highest_number(line)}, the rates of this service type"
            yield FieldError(f"{pointer}/number", detail)


def _get_highest_number(line: MatrixLine) -> int:
    return 1 + len(line.further_rates)


def _to_selected_rate(choice: RateChoice, definition: FrameworkDefinition) -> SelectedRate:
    line = definition.prices.find_matrix_line(choice.service_type)
    rate = None if line is None else line.find_rate(choice.number)
    assert line is not None, "choices are checked before they are converted"
    assert rate is not None, "choices are checked before they are converted"
    return SelectedRate(service_type=choice.service_type, unit=line.unit, number=choice.number, rate=rate)
