"""Rules for the rates that a provider selects from a price matrix."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts.errors import FieldError, InvalidInput
from contracts.events.rates import Selection
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from pricing.domain.rate_matrix import RateChoice, RateMatrix

MAX_PENDING: Final = 12
"""Selections of one scope for later days. Rates are reviewed yearly, and each event repeats what is pending."""


@dataclass(frozen=True)
class RateScope:
    """Scope of a selection: one provider, one framework, one area."""

    provider_id: ProviderId
    framework: FrameworkKey
    area: AreaCode


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
    ]
    matrix = RateMatrix(definition, scope.area)
    if definition.prices.are_set_by_providers and definition.has_area(scope.area):
        errors += matrix.check_choices(choices)
    if errors:
        raise InvalidInput(*errors)
    rates = tuple(matrix.to_selected_rate(each) for each in choices)
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
    if not definition.prices.are_set_by_providers:
        yield FieldError("path:framework", "has rate 1 for every provider; rates cannot be selected")
    area = definition.find_area(scope.area)
    if area is None:
        yield FieldError("path:area", "is not an area of this framework; its definition lists them")
    elif area.outside is not None:
        yield FieldError("path:area", f"is not served by this framework: {area.outside}")


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
