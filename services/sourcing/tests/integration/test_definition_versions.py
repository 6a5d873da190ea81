"""Which version of a definition a search takes: the newest one whose first day had come with the request."""

from datetime import timedelta

import pytest

from contracts.ids import PackageId
from testkit.sourcing.builders import LONDON, from_london_time
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")


async def test_a_version_holds_for_packages_requested_from_its_first_day_on(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    tomorrow = harness.now.astimezone(LONDON).date() + timedelta(days=1)
    await market.publish_definition(version=2, in_force_from=tomorrow)
    await market.wait_until_projected()
    assert await find_version(harness, await market.request_package()) == 1
    harness.set_clock(from_london_time(tomorrow, "09:00"))
    assert await find_version(harness, await market.request_package()) == 2


async def find_version(harness: SourcingHarness, package: PackageId) -> int | None:
    return (await harness.wait_for_event(package, "SourcingStarted")).definition_version


async def test_a_package_that_is_held_takes_the_version_of_the_day_of_its_request(harness: SourcingHarness) -> None:
    market = ScenarioMarket.create_empty(harness)
    package = await market.request_package()
    assert (await harness.wait_for_work_item(package)).missing == [f"definitions/{market.framework}"]
    today = harness.now.astimezone(LONDON).date()
    await market.add_providers("Alder")
    await market.publish_ranked_list("Alder")
    await market.publish_definition(version=1, in_force_from=today + timedelta(days=1))
    await market.wait_until_projected()
    harness.set_clock(from_london_time(today + timedelta(days=2), "09:00"))
    assert (await harness.wait_for_work_item(package)).missing == [f"definitions/{market.framework}"]
    await market.publish_definition(version=2, in_force_from=today)
    await market.wait_until_projected()
    await market.wait_for_offer("Alder", package)
    assert (await harness.wait_for_decision(package)).definition_version == 2
    assert await harness.find_faults([package]) == []
