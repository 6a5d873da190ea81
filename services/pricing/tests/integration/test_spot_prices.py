"""From an award above the ceiling to the second officer's decision, over HTTP and Kafka."""

from datetime import timedelta
from decimal import Decimal

import pytest

from contracts.events.listings import AwardLapsed
from contracts.events.orders import LateDecisionRefused, SpotPriceApproved, SpotPriceRefused
from contracts.events.searches import SourcingStopped
from contracts.example_words import InadequateReasons, PriceRefusals
from contracts.examples import an_example_of
from testkit.http_response import HttpResponse, list_invalid_fields
from testkit.pricing.harness import PricingHarness
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("pricing")


async def test_a_second_officer_sees_a_pending_price_and_approves_it(harness: PricingHarness) -> None:
    (award,) = await harness.publish_awards(inadequate_reason=InadequateReasons.CONTINUITY)
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
    assert shown["inadequate_reason"] == "continuity"

    answer = await harness.request_as_officer("POST", f"/v1/spot-prices/{award.award_id}/approve")
    assert (answer.status, answer.body["status"], answer.body["second_officer"]) == (
        200,
        "approved",
        "officer:second",
    )
    (event,) = await harness.read_own_events(award.package_id)
    assert isinstance(event, SpotPriceApproved)
    assert (event.award_id, event.rate, event.officer) == (award.award_id, Decimal("31.50"), "officer:second")


async def test_a_second_officer_refuses_a_price_with_a_reason(harness: PricingHarness) -> None:
    (award,) = await harness.publish_awards()
    answer = await refuse(harness, award.award_id)
    assert (answer.status, answer.body["refusal"]) == (200, "too-high")
    (event,) = await harness.read_own_events(award.package_id)
    assert isinstance(event, SpotPriceRefused)


async def test_a_reason_that_the_framework_does_not_declare_is_refused_with_the_reasons(
    harness: PricingHarness,
) -> None:
    (award,) = await harness.publish_awards()
    path = f"/v1/spot-prices/{award.award_id}/refuse"
    answer = await harness.request_as_officer("POST", path, {"reason": "bad-weather"})
    assert (answer.status, list_invalid_fields(answer)) == (422, ["#/reason"])
    assert "choose too-high or cheaper-proposal or wait-for-others" in answer.body["errors"][0]["detail"]
    assert await harness.list_published_types(award.package_id) == []


async def test_the_officer_who_awarded_cannot_decide(harness: PricingHarness) -> None:
    (award,) = await harness.publish_awards()
    for answer in (
        await harness.request_as_officer("POST", f"/v1/spot-prices/{award.award_id}/approve", name="first"),
        await refuse(harness, award.award_id, name="first"),
    ):
        assert answer.status == 409
        assert "ask another officer" in answer.body["detail"]
    assert await harness.list_published_types(award.package_id) == []


async def test_a_repeated_decision_has_the_same_response_and_another_is_refused(
    harness: PricingHarness,
) -> None:
    (award,) = await harness.publish_awards()
    path = f"/v1/spot-prices/{award.award_id}/approve"
    first, again = (
        await harness.request_as_officer("POST", path),
        await harness.request_as_officer("POST", path, name="third"),
    )
    assert (again.status, again.body) == (200, first.body)
    late, late_again = await refuse(harness, award.award_id), await refuse(harness, award.award_id)
    assert (late.status, late.body["title"]) == (409, "Price already decided")
    assert (late_again.status, late_again.body) == (409, late.body)
    _, late_decision = await harness.read_own_events(award.package_id)
    assert isinstance(late_decision, LateDecisionRefused)
    assert (late_decision.officer, late_decision.refusal) == ("officer:second", PriceRefusals.TOO_HIGH)


@pytest.mark.parametrize("end", ["lapsed", "stopped", "placed"])
async def test_an_award_that_ended_is_no_longer_pending(harness: PricingHarness, end: str) -> None:
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

    await wait_until(is_closed)
    answer = await harness.request_as_officer("POST", f"/v1/spot-prices/{award.award_id}/approve")
    assert answer.status == 409
    assert "the award has lapsed" in answer.body["detail"]


async def refuse(harness: PricingHarness, award_id: object, *, name: str = "second") -> HttpResponse:
    return await harness.request_as_officer(
        "POST", f"/v1/spot-prices/{award_id}/refuse", {"reason": "too-high"}, name=name
    )
