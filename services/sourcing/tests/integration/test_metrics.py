"""What operations see of sourcing: what is open, at which stage, for how long, and how long it took to place."""

from datetime import date, timedelta

import pytest

from contracts.bank_holidays import list_bank_holidays
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")


async def read_metrics(harness: SourcingHarness) -> dict[str, float]:
    shown: str = (await harness.sourcing.request("GET", "/metrics")).body
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in shown.splitlines() if not line.startswith("#"))
    }


def name_open_packages(harness: SourcingHarness, *, age: str) -> str:
    return f'calloff_open_packages{{age="{age}",council="{harness.council}",stage="tier-1",status="running"}}'


async def test_open_packages_stand_by_stage_and_age_until_they_are_placed(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    taken, waiting = await market.request_package(), await market.request_package()
    offer = await market.wait_for_offer("Alder", taken)
    await market.wait_for_offer("Alder", waiting)
    harness.advance_clock(timedelta(minutes=20))
    in_tier_1 = f'{{council="{harness.council}",stage="tier-1"}}'
    seen = await read_metrics(harness)
    assert seen[name_open_packages(harness, age="under 1 hour")] == 2
    assert (seen["calloff_held_packages"], seen["calloff_gauges_fresh"]) == (0, 1)
    assert seen[f"calloff_time_to_first_offer_seconds_count{in_tier_1}"] == 2

    await market.accept("Alder", offer)
    harness.advance_clock(timedelta(minutes=45))

    seen = await read_metrics(harness)
    assert seen[name_open_packages(harness, age="under 4 hours")] == 1
    assert name_open_packages(harness, age="under 1 hour") not in seen
    assert (
        seen[f"calloff_offers_per_placement_count{in_tier_1}"],
        seen[f"calloff_offers_per_placement_sum{in_tier_1}"],
    ) == (1, 1)
    assert seen[f"calloff_time_to_place_seconds_sum{in_tier_1}"] == pytest.approx(20 * 60, abs=30)


async def test_packages_that_are_held_are_counted(harness: SourcingHarness) -> None:
    market = ScenarioMarket.create_empty(harness)
    before = (await read_metrics(harness))["calloff_held_packages"]
    package = await market.request_package()
    await harness.wait_for_status(package, "held")
    assert (await read_metrics(harness))["calloff_held_packages"] == before + 1


async def test_a_framework_that_runs_longer_than_its_calendar_is_measured(harness: SourcingHarness) -> None:
    short = await ScenarioMarket.create(harness, "Alder")
    whole = ScenarioMarket.create_empty(harness)
    await whole.publish_definition(bank_holidays=list_bank_holidays(range(2025, 2032)))
    await whole.wait_until_projected()
    seen = await read_metrics(harness)
    last_day = date(2024, 12, 31)  # the example's calendar has no day of its first year
    days_left = f'calloff_calendar_days_left{{framework="{short.framework}"}}'
    assert seen[days_left] == (last_day - harness.now.date()).days
    assert days_left.replace(short.framework, whole.framework) not in seen
