"""Handlers of rates and purchase orders, with repositories in memory."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from contracts.events.orders import (
    PurchaseOrderCancelled,
    PurchaseOrderIssued,
)
from contracts.events.rates import RatesSelected
from contracts.events.searches import PlacementVoided
from contracts.examples import COUNCIL, an_example_of, an_id
from contracts.ids import CouncilKey, PlacementId
from pricing.domain.errors import FrameworkNotFound, TermsContradictThemselves
from pricing.domain.rate_matrix import RateChoice
from pricing.handlers import (
    SelectRates,
    cancel_purchase_order,
    issue_purchase_order,
    select_rates,
)
from testkit.pricing.builders import (
    TODAY,
    a_matrix,
    a_personal_care_choice,
    a_placement,
    a_rate_scope,
    a_selection,
)
from testkit.pricing.fakes import InMemoryPricingWork


def build_work_with_matrix(**matrix: object) -> InMemoryPricingWork:
    work = InMemoryPricingWork()
    work.tables.add_definition(a_matrix(**matrix))
    return work


def a_selection_command(
    *choices: RateChoice, valid_from: date = TODAY, name: str = "Alder", council: CouncilKey = COUNCIL
) -> SelectRates:
    return SelectRates(council, a_rate_scope(name), valid_from, choices or (a_personal_care_choice(1),))


# --- rates


async def test_a_selection_is_published_with_the_current_and_all_future_ones() -> None:
    work = build_work_with_matrix()
    for valid_from in (date(2025, 11, 9), TODAY + timedelta(days=30), TODAY):
        await select_rates(a_selection_command(valid_from=valid_from), work)
    events = [event for event in work.published if isinstance(event, RatesSelected)]
    assert [[each.valid_from for each in event.selections] for event in events] == [
        [date(2025, 11, 9)],
        [date(2025, 11, 9), TODAY + timedelta(days=30)],
        [TODAY, TODAY + timedelta(days=30)],
    ]


async def test_an_identical_selection_publishes_nothing() -> None:
    work = build_work_with_matrix()
    first = await select_rates(a_selection_command(), work)
    assert await select_rates(a_selection_command(), work) == first
    assert len(work.published) == 1


async def test_a_selection_replaces_an_earlier_one_for_the_same_day() -> None:
    work = build_work_with_matrix()
    await select_rates(a_selection_command(a_personal_care_choice(1)), work)
    selected = await select_rates(a_selection_command(a_personal_care_choice(3)), work)
    assert selected.selections == (a_selection(TODAY, number=3),)
    assert len(work.published) == 2


async def test_rates_are_selected_from_the_newest_matrix() -> None:
    work = build_work_with_matrix()
    work.tables.add_definition(a_matrix(version=2))
    selected = await select_rates(a_selection_command(), work)
    assert [each.matrix_version for each in selected.selections] == [2]


async def test_today_is_the_day_in_the_councils_time_zone() -> None:
    work = build_work_with_matrix()
    work.now = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    await select_rates(a_selection_command(valid_from=date(2026, 7, 1)), work)
    await select_rates(a_selection_command(valid_from=date(2026, 7, 2)), work)
    event = work.published[-1]
    assert isinstance(event, RatesSelected)
    assert event.find_selection_on(date(2026, 7, 1)) is not None


async def test_a_selection_does_not_change_another_providers_rates() -> None:
    work = build_work_with_matrix()
    await select_rates(a_selection_command(name="Alder"), work)
    selected = await select_rates(a_selection_command(name="Birch", valid_from=date(2025, 11, 9)), work)
    assert [each.valid_from for each in selected.selections] == [date(2025, 11, 9)]


async def test_an_unpublished_framework_is_not_found() -> None:
    with pytest.raises(FrameworkNotFound):
        await select_rates(a_selection_command(), InMemoryPricingWork())


async def test_another_councils_framework_is_not_found() -> None:
    with pytest.raises(FrameworkNotFound):
        await select_rates(a_selection_command(council=CouncilKey("another")), build_work_with_matrix())


# --- purchase orders


async def test_the_order_of_a_placement_has_its_terms() -> None:
    work, placed = InMemoryPricingWork(), a_placement()
    await issue_purchase_order(placed, work)
    (event,) = work.published
    assert isinstance(event, PurchaseOrderIssued)
    assert (event.reference, event.weekly_cost) == ("PO-2026-000001", placed.terms.weekly_cost)
    assert event.placement_id == placed.placement_id


async def test_a_placement_made_by_hand_is_ordered_like_any_other() -> None:
    work = InMemoryPricingWork()
    placed = a_placement(offer_id=None, proposal_id=None, manual_id=an_id("act"), stage="by-hand")
    await issue_purchase_order(placed, work)
    (issued,) = work.published
    assert isinstance(issued, PurchaseOrderIssued)
    assert (issued.placement_id, issued.weekly_cost) == (placed.placement_id, placed.terms.weekly_cost)


async def test_the_year_of_a_reference_is_the_year_in_london() -> None:
    work = InMemoryPricingWork(now=datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    await issue_purchase_order(a_placement(), work)
    work.now = datetime(2027, 1, 1, 0, 0, tzinfo=UTC)
    another = a_placement(package_id=an_id("another"), placement_id=an_id("another placement"))
    await issue_purchase_order(another, work)
    assert [event.reference for event in work.published if isinstance(event, PurchaseOrderIssued)] == [
        "PO-2026-000001",
        "PO-2027-000001",
    ]


async def test_inconsistent_terms_publish_no_order_and_use_no_number() -> None:
    work, placed = InMemoryPricingWork(), a_placement()
    wrong = placed.model_copy(
        update={"terms": placed.terms.model_copy(update={"weekly_cost": placed.terms.weekly_cost + Decimal("0.01")})}
    )
    with pytest.raises(TermsContradictThemselves):
        await issue_purchase_order(wrong, work)
    assert work.published == []
    assert await work.orders.draw_number(2026) == 1


async def test_a_voided_placement_cancels_its_order_once() -> None:
    work, placed = InMemoryPricingWork(), a_placement()
    await issue_purchase_order(placed, work)
    voided = an_example_of(PlacementVoided, placement_id=placed.placement_id)
    await cancel_purchase_order(voided, work)
    await cancel_purchase_order(voided, work)
    issued, cancelled = work.published
    assert isinstance(issued, PurchaseOrderIssued)
    assert isinstance(cancelled, PurchaseOrderCancelled)
    assert cancelled.reference == issued.reference


async def test_voiding_a_placement_without_an_order_publishes_nothing() -> None:
    work = InMemoryPricingWork()
    await cancel_purchase_order(an_example_of(PlacementVoided), work)
    assert work.published == []


async def test_a_package_that_is_placed_again_has_a_new_order() -> None:
    work, first = InMemoryPricingWork(), a_placement()
    await issue_purchase_order(first, work)
    await cancel_purchase_order(an_example_of(PlacementVoided, placement_id=first.placement_id), work)
    await issue_purchase_order(a_placement(placement_id=PlacementId(an_id("second placement"))), work)
    references = [event.reference for event in work.published if isinstance(event, PurchaseOrderIssued)]
    assert references == ["PO-2026-000001", "PO-2026-000002"]
