"""Purchase orders have the terms of the placement; inconsistent terms are refused. CSV cells are escaped."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.examples import MONDAY_NINE, a_visit, an_id, some_care
from contracts.ids import OrderId
from contracts.terms import compute_terms_at_rate
from contracts.values import PriceUnit, ServiceType, Visit, Weekday, WithdrawalReason
from pricing.api.spreadsheet import COLUMNS, escape_formula, render_heading, render_order
from pricing.domain.errors import TermsContradictThemselves
from pricing.domain.orders import (
    build_issued_event,
    build_line,
    build_order,
    cancel,
    compute_weekly_cost,
    format_reference,
)
from testkit.pricing.builders import a_placement, an_order, some_spot_terms

visits = st.builds(
    Visit,
    days=st.lists(st.sampled_from(list(Weekday)), min_size=1, unique=True).map(tuple),
    earliest=st.just(a_visit().earliest),
    latest=st.just(a_visit().latest),
    minutes=st.integers(15, 10_080),
    carers=st.integers(1, 4),
)
rates = st.decimals(min_value=0, max_value=2_000, places=2)


@given(st.lists(visits, min_size=1, max_size=8).map(tuple), st.sampled_from(list(PriceUnit)), rates)
def test_computed_terms_are_always_consistent(pattern: tuple[Visit, ...], unit: PriceUnit, rate: Decimal) -> None:
    terms = compute_terms_at_rate(some_care(visits=pattern), unit, rate, price_list="invented")
    assert compute_weekly_cost(terms) == terms.weekly_cost


def test_rounded_hours_cost_the_same_as_their_minutes() -> None:
    twenty_minutes = some_care(visits=(a_visit(minutes=20),))
    terms = compute_terms_at_rate(twenty_minutes, PriceUnit.HOUR, Decimal("24.10"), price_list="invented")
    assert (terms.quantity_per_week, terms.weekly_cost) == (Decimal("2.33"), Decimal("56.23"))
    assert build_line(a_placement(terms=terms)).weekly_cost == Decimal("56.23")


@pytest.mark.parametrize("off_by", ["0.01", "-0.01", "100"])
def test_inconsistent_terms_are_refused(off_by: str) -> None:
    terms = some_spot_terms()
    wrong = terms.model_copy(update={"weekly_cost": terms.weekly_cost + Decimal(off_by)})
    with pytest.raises(TermsContradictThemselves, match="no order is issued"):
        build_line(a_placement(terms=wrong))


def test_the_line_has_the_values_of_the_terms() -> None:
    placed = a_placement(service_type=ServiceType.CARERS_BREAK, terms=some_spot_terms())
    line = build_line(placed)
    assert (line.service_type, line.unit) == (ServiceType.CARERS_BREAK, PriceUnit.HOUR)
    assert (line.quantity_per_week, line.rate, line.weekly_cost) == (
        Decimal("3.50"),
        Decimal("31.50"),
        Decimal("110.25"),
    )


def test_the_event_has_the_values_of_the_order() -> None:
    placed = a_placement()
    order = build_order(
        placed, build_line(placed), order_id=OrderId(an_id("order")), reference="PO-2026-000001", at=MONDAY_NINE
    )
    event = build_issued_event(order)
    assert (event.placement_id, event.provider_id, event.starts_on) == (
        placed.placement_id,
        placed.provider_id,
        placed.starts_on,
    )
    assert (event.price_list, event.weekly_cost) == (placed.terms.price_list, placed.terms.weekly_cost)
    assert event.weekly_cost == sum(line.weekly_cost for line in event.lines)


def test_an_order_is_cancelled_for_the_reason_of_the_voided_placement() -> None:
    order = an_order()
    cancelled, event = cancel(order, WithdrawalReason.MOVED_AWAY, at=MONDAY_NINE)
    assert cancelled.cancelled is not None
    assert (event.order_id, event.reference, event.reason) == (
        order.order_id,
        order.reference,
        WithdrawalReason.MOVED_AWAY,
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
    row = render_order(an_order(price_list='=HYPERLINK("x"),\n'))
    assert '"\'=HYPERLINK(""x""),\n"' in row


def test_every_column_has_a_cell() -> None:
    order = an_order()
    assert render_heading().strip().split(",") == list(COLUMNS)
    assert len(render_order(order).strip("\r\n").split(",")) == len(COLUMNS)
    assert render_order(order).endswith("\r\n")
