"""What operations see of sourcing: what is open, at which stage, for how long, and how long it took to place."""

from datetime import timedelta

import pytest

from testkit.sourcing.harness import House
from testkit.sourcing.scenario_market import Town

pytestmark = pytest.mark.xdist_group("sourcing")


async def measured(house: House) -> dict[str, float]:
    shown: str = (await house.sourcing.ask("GET", "/metrics")).body
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in shown.splitlines() if not line.startswith("#"))
    }


async def test_open_packages_stand_by_stage_and_age_until_they_are_placed(house: House) -> None:
    town = await Town.of(house, "Alder", "Birch")
    taken, waiting = await town.requests(), await town.requests()
    offer = await town.offer_to("Alder", taken)
    await town.offer_to("Alder", waiting)
    house.pass_time(timedelta(minutes=20))
    open_ones = 'calloff_open_packages{{age="{}",stage="tier-1",status="running"}}'
    seen = await measured(house)
    assert seen[open_ones.format("under 1 hour")] == 2
    assert (seen["calloff_held_packages"], seen["calloff_readings_current"]) == (0, 1)
    assert seen["calloff_time_to_first_offer_seconds_count"] == 2

    await town.accepts("Alder", offer)
    house.pass_time(timedelta(minutes=45))

    seen = await measured(house)
    assert seen[open_ones.format("under 4 hours")] == 1
    assert open_ones.format("under 1 hour") not in seen
    assert (seen["calloff_offers_per_placement_count"], seen["calloff_offers_per_placement_sum"]) == (1, 1)
    assert seen["calloff_time_to_place_seconds_sum"] == pytest.approx(20 * 60, abs=30)


async def test_packages_that_are_held_are_counted(house: House) -> None:
    town = Town.empty(house)
    before = (await measured(house))["calloff_held_packages"]
    package = await town.requests()
    await house.until_status(package, "held")
    assert (await measured(house))["calloff_held_packages"] == before + 1
