"""From a placement to its purchase order, over HTTP and Kafka."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from contracts.events.orders import PurchaseOrderCancelled, PurchaseOrderIssued
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.example_words import WithdrawalReasons
from contracts.examples import an_example_of
from contracts.ids import PackageId, ProviderId
from testkit.http_response import list_invalid_fields
from testkit.pricing.builders import a_placement, some_spot_terms
from testkit.pricing.harness import PricingHarness
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("pricing")


def a_new_provider_id() -> ProviderId:
    """Returns the id of a provider that no other test uses."""
    return ProviderId(uuid4())


async def test_the_order_of_a_placement_has_the_terms_of_the_placement(harness: PricingHarness) -> None:
    placed = await harness.place_package(terms=some_spot_terms())
    await harness.wait_for_orders(placed)
    (event,) = await harness.read_own_events(placed.package_id)
    assert isinstance(event, PurchaseOrderIssued)
    (line,) = event.lines
    assert (line.rate, line.quantity, event.weekly_cost) == (
        Decimal("31.50"),
        Decimal("3.50"),
        Decimal("110.25"),
    )
    (shown,) = (await harness.request_as_officer("GET", f"/v1/packages/{placed.package_id}/purchase-orders")).body[
        "items"
    ]
    assert (shown["reference"], shown["weekly_cost"], shown["fixed_cost"]) == (event.reference, "110.25", "0.00")
    assert (shown["lot"], shown["lines"][0]["item"]) == (placed.lot, "personal-care")


async def test_a_placement_that_is_delivered_again_has_one_order(harness: PricingHarness) -> None:
    placed = a_placement(package_id=uuid4(), placement_id=uuid4())
    envelope = harness.sourcing.build_envelope(placed, at=harness.clock.now())
    for _ in range(3):
        await harness.sourcing.send_event(envelope, placed)
    await harness.publish(build_voided(placed))  # has the same key, so it is handled after them
    await harness.wait_for_published_types(placed.package_id, "PurchaseOrderIssued", "PurchaseOrderCancelled")


async def test_a_voided_placement_cancels_its_order(harness: PricingHarness) -> None:
    placed = await harness.place_package()
    await harness.publish(build_voided(placed))
    await harness.wait_for_published_types(placed.package_id, "PurchaseOrderIssued", "PurchaseOrderCancelled")
    (shown,) = (await harness.request_as_officer("GET", f"/v1/packages/{placed.package_id}/purchase-orders")).body[
        "items"
    ]
    assert shown["cancelled_for"] == "moved-away"
    (_, event) = await harness.read_own_events(placed.package_id)
    assert isinstance(event, PurchaseOrderCancelled)
    assert event.reference == shown["reference"]


async def test_a_package_that_is_placed_again_has_a_new_order(harness: PricingHarness) -> None:
    first = await harness.place_package()
    await harness.publish(build_voided(first))
    await harness.wait_for_published_types(first.package_id, "PurchaseOrderIssued", "PurchaseOrderCancelled")
    harness.clock.advance(timedelta(seconds=1))
    second = await harness.place_package(first.package_id)
    await harness.wait_for_orders(first, second)
    found = (await harness.request_as_officer("GET", f"/v1/packages/{first.package_id}/purchase-orders")).body["items"]
    assert [each["cancelled_for"] for each in found] == [None, "moved-away"]
    assert len({each["reference"] for each in found}) == 2


async def test_inconsistent_terms_park_only_their_own_package(harness: PricingHarness) -> None:
    wrong = some_spot_terms().model_copy(update={"weekly_cost": Decimal("999.00")})
    placed = await harness.place_package(terms=wrong)
    fine = await harness.place_package()
    await harness.wait_for_orders(fine)

    async def is_parked() -> bool:
        return str(placed.package_id) in await harness.list_parked_keys()

    await wait_until(is_parked)
    assert await harness.list_published_types(placed.package_id) == []


async def test_a_provider_sees_only_the_orders_of_its_own_packages(harness: PricingHarness) -> None:
    placed = await harness.place_package(provider_id=a_new_provider_id())
    await harness.wait_for_orders(placed)
    path = f"/v1/packages/{placed.package_id}/purchase-orders"
    assert (await harness.request_as_provider(placed.provider_id, "GET", path)).status == 200
    assert (await harness.request_as_provider(a_new_provider_id(), "GET", path)).status == 404


async def test_orders_are_filtered_by_the_day_of_issue_in_london(harness: PricingHarness) -> None:
    harness.clock.set_to(datetime(2026, 6, 30, 22, 59, tzinfo=UTC))
    june = await harness.place_package()
    await harness.wait_for_orders(june)
    harness.clock.set_to(datetime(2026, 6, 30, 23, 0, tzinfo=UTC))  # midnight in London
    july = await harness.place_package()
    await harness.wait_for_orders(july)
    assert await list_package_ids(harness, "from=2026-07-01") == [july.package_id]
    assert june.package_id in await list_package_ids(harness, "until=2026-06-30")
    assert july.package_id not in await list_package_ids(harness, "until=2026-06-30")
    wrong = await harness.request_as_officer("GET", "/v1/purchase-orders?from=2026-07-02&until=2026-07-01")
    assert (wrong.status, list_invalid_fields(wrong)) == (422, ["query:until"])


async def test_the_csv_export_contains_more_orders_than_a_page(harness: PricingHarness) -> None:
    day = "2026-08-03"
    harness.clock.set_to(datetime(2026, 8, 3, 9, 0, tzinfo=UTC))
    placements = [await harness.place_package() for _ in range(203)]
    await harness.wait_for_orders(*placements)
    answer = await harness.request_as_officer("GET", f"/v1/purchase-orders.csv?from={day}&until={day}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.body)))
    assert {row["placement_id"] for row in rows} == {str(each.placement_id) for each in placements}
    assert len(rows) == len(placements)
    assert {(row["rate"], row["order_weekly_cost"]) for row in rows} == {("24.10", "84.35")}
    assert {(row["lot_title"], row["service_type_title"]) for row in rows} == {("Home care", "Personal care")}


async def test_the_csv_export_escapes_formulas(harness: PricingHarness) -> None:
    terms = some_spot_terms().model_copy(update={"price_list": "=1+1"})
    placed = await harness.place_package(terms=terms)
    await harness.wait_for_orders(placed)
    rows = csv.DictReader(io.StringIO((await harness.request_as_officer("GET", "/v1/purchase-orders.csv")).body))
    assert [row["price_list"] for row in rows if row["package_id"] == str(placed.package_id)] == ["'=1+1"]


async def list_package_ids(harness: PricingHarness, query: str) -> list[PackageId]:
    found = await harness.request_as_officer("GET", f"/v1/purchase-orders?limit=200&{query}")
    return [PackageId(UUID(each["package_id"])) for each in found.body["items"]]


def build_voided(placed: PackagePlaced) -> PlacementVoided:
    return an_example_of(
        PlacementVoided,
        package_id=placed.package_id,
        placement_id=placed.placement_id,
        provider_id=placed.provider_id,
        reason=WithdrawalReasons.MOVED_AWAY,
    )
