"""From an event or a request to what pricing tells, on real PostgreSQL and Kafka."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from contracts.events.listings import AwardLapsed, InadequateReason
from contracts.events.orders import (
    LateDecisionRefused,
    PurchaseOrderCancelled,
    PurchaseOrderIssued,
    SpotPriceApproved,
    SpotPriceRefusal,
    SpotPriceRefused,
)
from contracts.events.packages import PackagePlaced, PlacementVoided, SourcingStopped
from contracts.examples import an_example_of, some_care
from contracts.ids import PackageId, ProviderId
from contracts.terms import compute_terms
from contracts.values import WithdrawalReason
from testkit.pricing.builders import a_matrix, a_placement, some_spot_terms
from testkit.pricing.harness import PricingHarness, a_body, list_invalid_fields
from testkit.running_services import Reply
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("pricing")


def a_new_provider_id() -> ProviderId:
    """A provider of this test alone."""
    return ProviderId(uuid4())


# --- matrices


async def test_a_councils_matrices_are_told_by_version(harness: PricingHarness) -> None:
    shown = await harness.request_as_officer("GET", f"/v1/matrices/{harness.framework}/1")
    assert shown.body["lines"][0] == {
        "service_type": "personal care",
        "unit": "hour",
        "rates": ["24.10", "24.90", "25.70"],
    }
    listed = await harness.request_as_provider(
        a_new_provider_id(), "GET", f"/v1/matrices?framework={harness.framework}"
    )
    assert listed.body["items"] == [shown.body]
    assert (await harness.request_as_officer("GET", f"/v1/matrices/{harness.framework}/9")).status == 404


# --- rates


async def test_a_provider_selects_its_rates_and_everybody_hears_of_it(harness: PricingHarness) -> None:
    alder = a_new_provider_id()
    answer = await harness.request_as_provider(
        alder, "PUT", harness.build_rates_path(alder), a_body(harness.today, 2, 1)
    )
    assert answer.status == 200
    (event,) = await harness.read_selections(alder)
    selection = event.find_selection_on(harness.today)
    assert selection is not None
    assert [(each.number, each.rate) for each in selection.rates] == [(2, Decimal("24.90")), (1, Decimal("126.00"))]
    assert (await harness.request_as_provider(alder, "GET", harness.build_rates_path(alder))).body == answer.body


async def test_what_is_told_is_what_sourcing_makes_an_offers_terms_of(harness: PricingHarness) -> None:
    alder = a_new_provider_id()
    await harness.request_as_provider(alder, "PUT", harness.build_rates_path(alder), a_body(harness.today, 3))
    (event,) = await harness.read_selections(alder)
    terms = compute_terms(
        some_care(framework=harness.framework), a_matrix().prices, event.find_selection_on(harness.today)
    )
    assert terms is not None
    assert (terms.rate, terms.weekly_cost) == (Decimal("25.70"), Decimal("89.95"))


async def test_the_council_selects_in_a_providers_stead(harness: PricingHarness) -> None:
    birch = a_new_provider_id()
    answer = await harness.request_as_officer("PUT", harness.build_rates_path(birch), a_body(date(2025, 11, 9)))
    assert answer.status == 200
    assert (await harness.request_as_provider(birch, "GET", harness.build_rates_path(birch))).body == answer.body


async def test_each_selection_tells_all_that_still_matters(harness: PricingHarness) -> None:
    alder, path_of = a_new_provider_id(), harness.build_rates_path
    for ahead in (0, 30, 14):
        body = a_body(harness.today + timedelta(days=ahead))
        assert (await harness.request_as_provider(alder, "PUT", path_of(alder), body)).status == 200
    *_, newest = await harness.read_selections(alder)
    assert [(each.valid_from - harness.today).days for each in newest.selections] == [0, 14, 30]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"rates": [{"service_type": "personal care", "number": 9}]}, ["#/rates/0/number"]),
        ({"rates": [{"service_type": "24-hour live-in", "number": 1}]}, ["#/rates/0/service_type"]),
        ({"rates": [{"service_type": "personal care", "number": 0}]}, ["#/rates/0/number"]),
        ({"rates": [{"service_type": "gardening", "number": 1}]}, ["#/rates/0/service_type"]),
        ({"rates": []}, ["#/rates"]),
        ({"valid_from": "2020-01-01"}, ["#/valid_from"]),
        ({"valid_from": "tomorrow"}, ["#/valid_from"]),
        ({"note": "ours"}, ["#/note"]),
    ],
)
async def test_a_wrong_selection_is_told_which_fields(
    harness: PricingHarness, changed: dict[str, object], named: list[str]
) -> None:
    alder = a_new_provider_id()
    await harness.request_as_provider(alder, "PUT", harness.build_rates_path(alder), a_body(harness.today))
    answer = await harness.request_as_provider(
        alder, "PUT", harness.build_rates_path(alder), {**a_body(harness.today), **changed}
    )
    assert (answer.status, list_invalid_fields(answer)) == (422, named)
    assert len(await harness.read_selections(alder)) == 1


async def test_an_area_that_the_framework_lacks_is_refused(harness: PricingHarness) -> None:
    alder = a_new_provider_id()
    path = harness.build_rates_path(alder, area="E07000076")
    answer = await harness.request_as_provider(alder, "PUT", path, a_body(harness.today))
    assert (answer.status, list_invalid_fields(answer)) == (422, ["path:area"])


async def test_a_list_has_the_providers_own_and_for_the_council_all(harness: PricingHarness) -> None:
    alder, birch = a_new_provider_id(), a_new_provider_id()
    for each in (alder, birch):
        harness.clock.advance(timedelta(seconds=1))
        await harness.request_as_provider(each, "PUT", harness.build_rates_path(each), a_body(harness.today))
    own = await harness.request_as_provider(alder, "GET", "/v1/rates")
    assert [each["provider_id"] for each in own.body["items"]] == [str(alder)]
    assert (await harness.request_as_provider(alder, "GET", f"/v1/rates?provider={birch}")).body["items"] == []
    first = await harness.request_as_officer("GET", "/v1/rates?limit=1")
    second = await harness.request_as_officer("GET", f"/v1/rates?limit=1&cursor={first.body['next']}")
    assert [each.body["items"][0]["provider_id"] for each in (first, second)] == [str(birch), str(alder)]


# --- purchase orders


async def test_a_placement_is_ordered_on_the_terms_that_it_carries(harness: PricingHarness) -> None:
    placed = await harness.place_package(terms=some_spot_terms())
    await harness.wait_for_orders(placed)
    (event,) = await harness.read_own_events(placed.package_id)
    assert isinstance(event, PurchaseOrderIssued)
    (line,) = event.lines
    assert (line.rate, line.quantity_per_week, event.weekly_cost) == (
        Decimal("31.50"),
        Decimal("3.50"),
        Decimal("110.25"),
    )
    (shown,) = (await harness.request_as_officer("GET", f"/v1/packages/{placed.package_id}/purchase-orders")).body[
        "items"
    ]
    assert (shown["reference"], shown["weekly_cost"]) == (event.reference, "110.25")


async def test_a_placement_that_is_told_twice_is_ordered_once(harness: PricingHarness) -> None:
    placed = a_placement(package_id=uuid4(), placement_id=uuid4())
    envelope = harness.sourcing.sealed(placed, at=harness.clock.now())
    for _ in range(3):
        await harness.sourcing.repeats(envelope, placed)
    await harness.publish(void(placed))  # the same key, and so handled after them
    await harness.wait_for_published_types(placed.package_id, "PurchaseOrderIssued", "PurchaseOrderCancelled")


async def test_a_voided_placement_cancels_its_order(harness: PricingHarness) -> None:
    placed = await harness.place_package()
    await harness.publish(void(placed))
    await harness.wait_for_published_types(placed.package_id, "PurchaseOrderIssued", "PurchaseOrderCancelled")
    (shown,) = (await harness.request_as_officer("GET", f"/v1/packages/{placed.package_id}/purchase-orders")).body[
        "items"
    ]
    assert shown["cancelled_for"] == "moved away"
    (_, event) = await harness.read_own_events(placed.package_id)
    assert isinstance(event, PurchaseOrderCancelled)
    assert event.reference == shown["reference"]


async def test_a_package_that_is_placed_anew_has_a_new_order(harness: PricingHarness) -> None:
    first = await harness.place_package()
    await harness.publish(void(first))
    await harness.wait_for_published_types(first.package_id, "PurchaseOrderIssued", "PurchaseOrderCancelled")
    harness.clock.advance(timedelta(seconds=1))
    second = await harness.place_package(first.package_id)
    await harness.wait_for_orders(first, second)
    found = (await harness.request_as_officer("GET", f"/v1/packages/{first.package_id}/purchase-orders")).body["items"]
    assert [each["cancelled_for"] for each in found] == [None, "moved away"]
    assert len({each["reference"] for each in found}) == 2


async def test_terms_that_do_not_add_up_park_the_package_and_nothing_else(harness: PricingHarness) -> None:
    wrong = some_spot_terms().model_copy(update={"weekly_cost": Decimal("999.00")})
    placed = await harness.place_package(terms=wrong)
    fine = await harness.place_package()
    await harness.wait_for_orders(fine)

    async def is_parked() -> bool:
        return str(placed.package_id) in await harness.list_parked_keys()

    await until(is_parked)
    assert await harness.list_published_types(placed.package_id) == []


async def test_a_provider_sees_the_order_of_its_own_package(harness: PricingHarness) -> None:
    placed = await harness.place_package(provider_id=a_new_provider_id())
    await harness.wait_for_orders(placed)
    path = f"/v1/packages/{placed.package_id}/purchase-orders"
    assert (await harness.request_as_provider(placed.provider_id, "GET", path)).status == 200
    assert (await harness.request_as_provider(a_new_provider_id(), "GET", path)).status == 404


async def test_the_councils_orders_are_found_by_the_day_of_issue(harness: PricingHarness) -> None:
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


async def test_the_spreadsheet_has_every_order_and_is_longer_than_a_page(harness: PricingHarness) -> None:
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


async def test_a_price_list_never_becomes_a_formula(harness: PricingHarness) -> None:
    terms = some_spot_terms().model_copy(update={"price_list": "=1+1"})
    placed = await harness.place_package(terms=terms)
    await harness.wait_for_orders(placed)
    rows = csv.DictReader(io.StringIO((await harness.request_as_officer("GET", "/v1/purchase-orders.csv")).body))
    assert [row["price_list"] for row in rows if row["package_id"] == str(placed.package_id)] == ["'=1+1"]


# --- spot prices


async def test_an_officer_sees_what_waits_and_a_second_one_approves(harness: PricingHarness) -> None:
    (award,) = await harness.publish_awards(inadequate_reason=InadequateReason.CONTINUITY)
    harness.clock.advance(timedelta(minutes=90))
    pending = await harness.request_as_officer("GET", "/v1/spot-prices?status=pending&limit=1")
    (shown,) = pending.body["items"]
    assert shown["award_id"] == str(award.award_id)
    assert (shown["rate"], shown["unit"], shown["ceiling"], shown["weekly_cost"]) == (
        "31.50",
        "hour",
        "30.00",
        "110.25",
    )
    assert (shown["first_officer"], shown["waiting_minutes"]) == ("officer:first", 90)
    assert shown["inadequate_reason"] == "the person's own choice of a provider it knows"

    answer = await harness.request_as_officer("POST", f"/v1/spot-prices/{award.award_id}/approve")
    assert (answer.status, answer.body["status"], answer.body["second_officer"]) == (
        200,
        "approved",
        "officer:second",
    )
    (event,) = await harness.read_own_events(award.package_id)
    assert isinstance(event, SpotPriceApproved)
    assert (event.award_id, event.rate, event.officer) == (award.award_id, Decimal("31.50"), "officer:second")


async def test_a_second_officer_refuses_with_a_reason(harness: PricingHarness) -> None:
    (award,) = await harness.publish_awards()
    answer = await refuse(harness, award.award_id)
    assert (answer.status, answer.body["refusal"]) == (200, "too high")
    (event,) = await harness.read_own_events(award.package_id)
    assert isinstance(event, SpotPriceRefused)


async def test_who_awarded_is_told_to_ask_another(harness: PricingHarness) -> None:
    (award,) = await harness.publish_awards()
    for answer in (
        await harness.request_as_officer("POST", f"/v1/spot-prices/{award.award_id}/approve", name="first"),
        await refuse(harness, award.award_id, name="first"),
    ):
        assert answer.status == 409
        assert "ask another officer" in answer.body["detail"]
    assert await harness.list_published_types(award.package_id) == []


async def test_a_decision_is_answered_alike_again_and_refused_otherwise(harness: PricingHarness) -> None:
    (award,) = await harness.publish_awards()
    path = f"/v1/spot-prices/{award.award_id}/approve"
    first, again = (
        await harness.request_as_officer("POST", path),
        await harness.request_as_officer("POST", path, name="third"),
    )
    assert (again.status, again.body) == (200, first.body)
    late, as_late = await refuse(harness, award.award_id), await refuse(harness, award.award_id)
    assert (late.status, late.body["title"]) == (409, "Price already decided")
    assert (as_late.status, as_late.body) == (409, late.body)
    _, told = await harness.read_own_events(award.package_id)
    assert isinstance(told, LateDecisionRefused)
    assert (told.officer, told.refusal) == ("officer:second", SpotPriceRefusal.TOO_HIGH)


@pytest.mark.parametrize("end", ["lapsed", "stopped", "placed"])
async def test_what_ended_otherwise_waits_no_more(harness: PricingHarness, end: str) -> None:
    (award,) = await harness.publish_awards()
    if end == "lapsed":
        await harness.publish(an_example_of(AwardLapsed, package_id=award.package_id, award_id=award.award_id))
    elif end == "stopped":
        await harness.publish(an_example_of(SourcingStopped, package_id=award.package_id))
    else:
        await harness.place_package(award.package_id)

    async def is_closed() -> bool:
        pending = await harness.request_as_officer("GET", "/v1/spot-prices?status=pending&limit=200")
        return str(award.award_id) not in [each["award_id"] for each in pending.body["items"]]

    await until(is_closed)
    answer = await harness.request_as_officer("POST", f"/v1/spot-prices/{award.award_id}/approve")
    assert answer.status == 409
    assert "the award has lapsed" in answer.body["detail"]


async def refuse(harness: PricingHarness, award_id: object, *, name: str = "second") -> Reply:
    return await harness.request_as_officer(
        "POST", f"/v1/spot-prices/{award_id}/refuse", {"reason": "too high"}, name=name
    )


async def list_package_ids(harness: PricingHarness, query: str) -> list[PackageId]:
    found = await harness.request_as_officer("GET", f"/v1/purchase-orders?limit=200&{query}")
    return [PackageId(UUID(each["package_id"])) for each in found.body["items"]]


def void(placed: PackagePlaced) -> PlacementVoided:
    return an_example_of(
        PlacementVoided,
        package_id=placed.package_id,
        placement_id=placed.placement_id,
        provider_id=placed.provider_id,
        reason=WithdrawalReason.MOVED_AWAY,
    )
