"""Rules for selections of rates, and the selections that are published."""

from datetime import date, timedelta

import pytest

from contracts.errors import InvalidInput
from contracts.events.rates import RatesSelected, Selection
from contracts.example_words import ServiceTypes, Units
from contracts.examples import COLCHESTER, FRAMEWORK, a_definition
from contracts.ids import AreaCode, ItemKey
from pricing.domain.rate_matrix import RateChoice
from pricing.domain.rates import MAX_PENDING, add_selection, build_selection, filter_relevant
from testkit.pricing.builders import (
    HOURLY,
    TODAY,
    a_matrix,
    a_personal_care_choice,
    a_rate_scope,
    a_selection,
    to_provider_id,
)

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


A_LIVE_IN_CHOICE = RateChoice(ServiceTypes.LIVE_IN, ItemKey(ServiceTypes.LIVE_IN), number=1)


def select(
    *choices: RateChoice, valid_from: date = TODAY, existing: tuple[Selection, ...] = (), **matrix: object
) -> Selection:
    definition = a_matrix(**matrix)
    return build_selection(choices, definition, a_rate_scope(), valid_from=valid_from, existing=existing, today=TODAY)


def list_invalid_fields(refusal: pytest.ExceptionInfo[InvalidInput]) -> list[str]:
    return [each.pointer for each in refusal.value.fields]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_number_selects_a_rate_of_the_matrix(number: int) -> None:
    (rate,) = select(a_personal_care_choice(number)).rates
    assert (rate.rate, rate.unit, rate.number) == (HOURLY[number - 1], Units.HOUR, number)


def test_a_selection_contains_the_version_of_its_matrix() -> None:
    assert select(a_personal_care_choice(1), version=4).matrix_version == 4


def test_a_number_beyond_the_matrix_is_refused() -> None:
    with pytest.raises(InvalidInput, match="from 1 to 3") as refusal:
        select(a_personal_care_choice(4))
    assert list_invalid_fields(refusal) == ["#/rates/0/number"]


def test_a_service_type_without_a_matrix_line_is_refused() -> None:
    with pytest.raises(InvalidInput, match="remove it") as refusal:
        select(a_personal_care_choice(1), A_LIVE_IN_CHOICE)
    assert list_invalid_fields(refusal) == ["#/rates/1/service_type"]


def test_a_repeated_item_is_refused() -> None:
    with pytest.raises(InvalidInput, match="second time") as refusal:
        select(a_personal_care_choice(1), a_personal_care_choice(2))
    assert list_invalid_fields(refusal) == ["#/rates/1"]


def test_a_framework_without_selected_rates_is_refused() -> None:
    with pytest.raises(InvalidInput, match="rate 1 for every provider") as refusal:
        select(a_personal_care_choice(1), prices=a_definition().prices, service_types=a_definition().service_types)
    assert list_invalid_fields(refusal) == ["path:framework"]


def test_an_area_of_another_framework_is_refused() -> None:
    scope = a_rate_scope(area=AreaCode("E07000076"))
    with pytest.raises(InvalidInput, match="not an area") as refusal:
        build_selection((a_personal_care_choice(1),), a_matrix(), scope, valid_from=TODAY, existing=(), today=TODAY)
    assert list_invalid_fields(refusal) == ["path:area"]


def test_a_first_selection_can_begin_in_the_past() -> None:
    assert select(a_personal_care_choice(1), valid_from=date(2025, 11, 9)).valid_from == date(2025, 11, 9)


def test_a_later_selection_cannot_begin_in_the_past() -> None:
    with pytest.raises(InvalidInput, match=TODAY.isoformat()) as refusal:
        select(a_personal_care_choice(1), valid_from=YESTERDAY, existing=(a_selection(TOMORROW),))
    assert list_invalid_fields(refusal) == ["#/valid_from"]


def test_a_later_selection_can_begin_today() -> None:
    assert select(a_personal_care_choice(2), existing=(a_selection(YESTERDAY),)).valid_from == TODAY


def list_pending(number: int) -> tuple[Selection, ...]:
    return tuple(a_selection(TODAY + timedelta(days=10 * each)) for each in range(1, number + 1))


def test_the_number_of_selections_for_later_days_is_bounded() -> None:
    with pytest.raises(InvalidInput, match="replace it, or wait until one begins") as refusal:
        select(a_personal_care_choice(2), valid_from=TODAY + timedelta(days=7), existing=list_pending(MAX_PENDING))
    assert list_invalid_fields(refusal) == ["#/valid_from"]
    assert select(a_personal_care_choice(2), valid_from=TODAY + timedelta(days=7), existing=list_pending(11))


@pytest.mark.parametrize("day", [0, 10, 120])
def test_a_pending_selection_can_be_replaced_and_todays_can_be_made(day: int) -> None:
    existing = (a_selection(YESTERDAY), *list_pending(MAX_PENDING))
    chosen = select(a_personal_care_choice(2), valid_from=TODAY + timedelta(days=day), existing=existing)
    assert len(filter_relevant(add_selection(existing, chosen), today=TODAY)) == MAX_PENDING + 1


def test_all_invalid_fields_are_reported_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        select(
            a_personal_care_choice(9),
            A_LIVE_IN_CHOICE,
            valid_from=YESTERDAY,
            existing=(a_selection(YESTERDAY),),
        )
    assert list_invalid_fields(refusal) == ["#/valid_from", "#/rates/0/number", "#/rates/1/service_type"]


def test_a_selection_replaces_an_earlier_one_for_the_same_day() -> None:
    existing = (a_selection(YESTERDAY), a_selection(TODAY), a_selection(TOMORROW))
    newer = a_selection(TODAY, number=2)
    assert add_selection(existing, newer) == (existing[0], newer, existing[2])


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((-20, -10, -1, 3, 7), (-1, 3, 7)),
        ((-20, 0, 7), (0, 7)),
        ((3, 7), (3, 7)),
        ((-20, -10), (-10,)),
    ],
)
def test_the_current_and_future_selections_are_relevant(days: tuple[int, ...], expected: tuple[int, ...]) -> None:
    selections = {each: a_selection(TODAY + timedelta(days=each)) for each in days}
    relevant = filter_relevant(tuple(selections.values()), today=TODAY)
    assert relevant == tuple(selections[each] for each in expected)


def test_every_offer_from_today_on_finds_its_selection_in_the_event() -> None:
    everything = tuple(a_selection(TODAY + timedelta(days=each)) for each in (-20, -10, -1, 3, 7))
    event = RatesSelected(
        provider_id=to_provider_id("Alder"),
        framework=FRAMEWORK,
        area=COLCHESTER,
        selections=filter_relevant(everything, today=TODAY),
    )
    for ahead in range(30):
        day = TODAY + timedelta(days=ahead)
        assert event.find_selection_on(day) == max(
            (each for each in everything if each.valid_from <= day), key=lambda each: each.valid_from
        )
