"""Withdrawals on real PostgreSQL and Kafka: before a request, while held, with a live offer, after a placement."""

from uuid import uuid4

import pytest

from contracts.ids import PackageId
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.topics import TopicRecord
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")


async def test_a_package_that_was_never_requested_can_be_withdrawn(harness: SourcingHarness) -> None:
    market = ScenarioMarket.create_empty(harness)
    package = PackageId(uuid4())
    await market.withdraw_package(package)
    assert await wait_until(lambda: list_event_types(harness, package), within=WAIT_TIMEOUT) == ["SourcingStopped"]


async def list_event_types(harness: SourcingHarness, package: PackageId) -> list[str]:
    """Lists the types of sourcing's events about the package."""
    return [
        each.get_header("ce_type").split(".")[1]
        for each in await harness.read_kafka_records([package])
        if is_from_sourcing(harness, each)
    ]


def is_from_sourcing(harness: SourcingHarness, record: TopicRecord) -> bool:
    return record.get_header("ce_source") == f"/calloff/{harness.sourcing.service.name}"


async def test_a_held_package_is_withdrawn(harness: SourcingHarness) -> None:
    market = ScenarioMarket.create_empty(harness)
    package = await market.request_package()
    await harness.wait_for_work_item(package)
    await market.withdraw_package(package)
    assert (await harness.wait_for_status(package, "stopped")).event_types == ["SourcingHeld", "SourcingStopped"]
    assert not await harness.is_on_work_list(package)


async def test_a_withdrawal_of_the_package_withdraws_its_live_offer(
    harness: SourcingHarness,
) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    await market.withdraw_package(package)
    decision = await harness.wait_for_status(package, "stopped")
    assert decision.event_types[-2:] == ["OfferWithdrawn", "SourcingStopped"]
    answer = await market.accept("Alder", offer)
    assert (answer.status, "withdrawn" in answer.detail) == (409, True)
    assert await market.list_offers("Birch") == []


async def test_a_withdrawal_voids_the_placement_and_a_second_one_publishes_nothing(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package, other = await market.request_package(), await market.request_package()
    assert (await market.accept("Alder", await market.wait_for_offer("Alder", package))).status == 200
    await market.withdraw_package(package)
    await market.withdraw_package(package)
    await market.withdraw_package(other)
    await market.withdraw_package(other)
    decision = await harness.wait_for_status(package, "stopped")
    assert decision.placed_with is None
    assert decision.event_types[-1] == "PlacementVoided"
    assert [each.voided for each in await harness.list_placements([package])] == [True]
    assert (await harness.wait_for_status(other, "stopped")).event_types.count("SourcingStopped") == 1
    assert await harness.find_faults([package, other]) == []
