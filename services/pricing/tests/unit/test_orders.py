"""Purchase orders have the terms of the placement; inconsistent terms are refused. CSV cells are escaped."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.example_words import Units, WithdrawalReasons
from contracts.examples import (
    MONDAY_NINE,
    a_definition,
    a_visit,
    an_id,
    some_care,
    some_prices,
    some_service_types,
)
from contracts.framework.prices import MatrixLine
from contracts.ids import ItemKey, OrderId, ServiceTypeKey
from contracts.terms import compute_terms, compute_terms_at_rate
from contracts.values import Terms, UnitKind, Visit, Weekday
from pricing.api.spreadsheet import COLUMNS, escape_formula, render_heading, render_order
from pricing.domain.errors import TermsContradictThemselves
from pricing.domain.orders import (
    build_issued_event,
    build_lines,
    build_order,
    cancel,
    check_terms,
    compute_cost,
    format_reference,
)
from pricing.domain.titles import NO_TITLES, Titles
from testkit.pricing.builders import a_placement, an_order, some_spot_terms

EXTRA_CARE = ServiceTypeKey("extra-care")
visits = st.builds(
    Visit,
    days=st.lists(st.sampled_from(list(Weekday)), min_size=1, unique=True).map(tuple),
    earliest=st.just(a_visit().earliest),
    latest=st.just(a_visit().latest),
    minutes=st.integers(15, 10_080),
    carers=st.integers(1, 4),
)
rates = st.decimals(min_value=0, max_value=2_000, places=2)
WEEKLY_FEE_AND_HOURS = some_prices(
    matrix=(
        MatrixLine(service_type=EXTRA_CARE, item=ItemKey("on-site-care"), unit=Units.WEEK, rate=Decimal("68.32")),
        MatrixLine(service_type=EXTRA_CARE, item=ItemKey("care-support"), unit=Units.HOUR, rate=Decimal("29.07")),
        MatrixLine(service_type=EXTRA_CARE, item=ItemKey("assessment"), unit=Units.EPISODE, rate=Decimal("100.00")),
    )
)


def some_extra_care_terms() -> Terms:
    """A weekly fee, 3.5 hours a week, and an assessment that is paid once."""
    definition = a_definition(service_types=some_service_types(EXTRA_CARE), prices=WEEKLY_FEE_AND_HOURS)
    terms = compute_terms(some_care(service_type=EXTRA_CARE), definition)
    assert terms is not None
    return terms


def change_line(terms: Terms, position: int, **changed: object) -> Terms:
    lines = list(terms.lines)
    lines[position] = lines[position].model_copy(update=changed)
    return terms.model_copy(update={"lines": tuple(lines)})


@given(st.lists(visits, min_size=1, max_size=8).map(tuple), st.sampled_from(UnitKind), rates)
def test_computed_terms_are_always_consistent(pattern: tuple[Visit, ...], kind: UnitKind, rate: Decimal) -> None:
    terms = compute_terms_at_rate(some_care(visits=pattern), Units.HOUR, kind, rate, price_list="invented")
    assert [compute_cost(line) for line in terms.lines] == [line.cost for line in terms.lines]
    check_terms(a_placement(terms=terms))


def test_rounded_hours_cost_the_same_as_their_minutes() -> None:
    twenty_minutes = some_care(visits=(a_visit(minutes=20),))
    terms = compute_terms_at_rate(twenty_minutes, Units.HOUR, UnitKind.HOUR, Decimal("24.10"), price_list="invented")
    (line,) = build_lines(a_placement(terms=terms))
    assert (line.quantity, line.cost) == (Decimal("2.33"), Decimal("56.23"))


def test_half_a_penny_is_restored_from_rounded_hours_too() -> None:
    """125 minutes are 2.08 hours; at 15.06 they are 31.375 and cost 31.38."""
    line = some_spot_terms().lines[0]
    hours = {"unit_kind": UnitKind.HOUR, "quantity": Decimal("2.08"), "rate": Decimal("15.06")}
    assert compute_cost(line.model_copy(update=hours)) == Decimal("31.38")


@pytest.mark.parametrize("kind", [UnitKind.NIGHT, UnitKind.WEEK, UnitKind.EPISODE])
def test_only_hours_are_restored_to_minutes(kind: UnitKind) -> None:
    line = some_spot_terms().lines[0].model_copy(update={"unit_kind": kind, "quantity": Decimal("2.33")})
    assert compute_cost(line) == Decimal("73.40")
    assert compute_cost(line.model_copy(update={"unit_kind": UnitKind.HOUR})) == Decimal("73.50")


@pytest.mark.parametrize("off_by", ["0.01", "-0.01", "100"])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_line_that_is_not_quantity_times_rate_is_refused(position: int, off_by: str) -> None:
    terms = some_extra_care_terms()
    line = terms.lines[position]
    wrong = change_line(terms, position, cost=line.cost + Decimal(off_by))
    with pytest.raises(TermsContradictThemselves, match=f"of {line.item} does not equal .* no order is issued"):
        build_lines(a_placement(terms=wrong))


@pytest.mark.parametrize(("total", "words"), [("weekly_cost", "a week"), ("fixed_cost", "once")])
def test_a_total_that_is_not_the_sum_of_its_lines_is_refused(total: str, words: str) -> None:
    terms = some_extra_care_terms()
    wrong = terms.model_copy(update={total: getattr(terms, total) + Decimal("0.01")})
    with pytest.raises(TermsContradictThemselves, match=f"{words} is not the sum of its lines"):
        build_lines(a_placement(terms=wrong))


def test_the_order_has_a_line_for_each_line_of_the_terms() -> None:
    placed = a_placement(service_type=EXTRA_CARE, terms=some_extra_care_terms())
    lines = build_lines(placed)
    assert {line.service_type for line in lines} == {EXTRA_CARE}
    assert [(line.item, line.unit, line.unit_kind, line.quantity, line.rate, line.cost) for line in lines] == [
        ("on-site-care", Units.WEEK, UnitKind.WEEK, Decimal("1.00"), Decimal("68.32"), Decimal("68.32")),
        ("care-support", Units.HOUR, UnitKind.HOUR, Decimal("3.50"), Decimal("29.07"), Decimal("101.75")),
        ("assessment", Units.EPISODE, UnitKind.EPISODE, Decimal("1.00"), Decimal("100.00"), Decimal("100.00")),
    ]


def test_what_is_paid_once_is_not_in_the_weekly_cost() -> None:
    order = an_order(placed=a_placement(terms=some_extra_care_terms()))
    assert (order.weekly_cost, order.fixed_cost) == (Decimal("170.07"), Decimal("100.00"))
    event = build_issued_event(order)
    assert (event.weekly_cost, event.fixed_cost) == (order.weekly_cost, order.fixed_cost)


def test_the_event_has_the_values_of_the_order() -> None:
    placed = a_placement()
    order = build_order(
        placed, build_lines(placed), order_id=OrderId(an_id("order")), reference="PO-2026-000001", at=MONDAY_NINE
    )
    event = build_issued_event(order)
    assert (event.placement_id, event.provider_id, event.starts_on) == (
        placed.placement_id,
        placed.provider_id,
        placed.starts_on,
    )
    assert (event.price_list, event.weekly_cost) == (placed.terms.price_list, placed.terms.weekly_cost)
    assert event.weekly_cost == sum(line.cost for line in event.lines)


def test_an_order_is_cancelled_for_the_reason_of_the_voided_placement() -> None:
    order = an_order()
    cancelled, event = cancel(order, WithdrawalReasons.MOVED_AWAY, at=MONDAY_NINE)
    assert cancelled.cancelled is not None
    assert (event.order_id, event.reference, event.reason) == (
        order.order_id,
        order.reference,
        WithdrawalReasons.MOVED_AWAY,
    )


@pytest.mark.parametrize(
    ("number", "reference"), [(1, "PO-2026-000001"), (999_999, "PO-2026-999999"), (1_000_000, "PO-2026-1000000")]
)
def test_references_have_six_digits_or_more(number: int, reference: str) -> None:
    assert format_reference(number, year=2026) == reference


def test_the_day_of_issue_is_the_day_in_london() -> None:
    just_past_midnight_in_summer = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    assert an_order(issued_at=just_past_midnight_in_summer).issued_on.isoformat() == "2026-07-01"


# --- as a spreadsheet


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_begins_like_a_formula_is_shown_as_text(begins: str) -> None:
    assert escape_formula(f"{begins}1+1") == f"'{begins}1+1"


@pytest.mark.parametrize("cell", ["", "24.10", "a=b", " =1", "PO-2026-000001"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert escape_formula(cell) == cell


def test_quotes_and_commas_stay_in_their_cell() -> None:
    row = render_order(an_order(price_list='=HYPERLINK("x"),\n'), NO_TITLES)
    assert '"\'=HYPERLINK(""x""),\n"' in row


def test_every_column_has_a_cell() -> None:
    order = an_order()
    assert render_heading().strip().split(",") == list(COLUMNS)
    assert len(render_order(order, NO_TITLES).strip("\r\n").split(",")) == len(COLUMNS)
    assert render_order(order, NO_TITLES).endswith("\r\n")


def test_a_line_of_an_order_is_a_row_with_the_titles_of_its_words() -> None:
    definition = a_definition(service_types=some_service_types(EXTRA_CARE), prices=WEEKLY_FEE_AND_HOURS)
    order = an_order(placed=a_placement(service_type=EXTRA_CARE, terms=some_extra_care_terms()))
    rows = [
        dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(io.StringIO(render_order(order, Titles(definition))))
    ]
    assert [(row["lot_title"], row["service_type_title"], row["item"], row["item_title"]) for row in rows] == [
        ("Home care", "Extra care", "on-site-care", "on site care"),
        ("Home care", "Extra care", "care-support", "care support"),
        ("Home care", "Extra care", "assessment", "assessment"),
    ]
    assert [(row["line_cost"], row["paid"]) for row in rows] == [
        ("68.32", "each week"),
        ("101.75", "each week"),
        ("100.00", "once"),
    ]
    assert {(row["order_weekly_cost"], row["order_fixed_cost"]) for row in rows} == {("170.07", "100.00")}


def test_a_word_without_a_definition_is_its_key_with_spaces() -> None:
    row = next(csv.reader(io.StringIO(render_order(an_order(), NO_TITLES))))
    cells = dict(zip(COLUMNS, row, strict=True))
    assert (cells["service_type_title"], cells["item_title"]) == ("personal care", "personal care")
