"""Held searches on real PostgreSQL and Kafka continue when the missing data arrives."""

from datetime import timedelta

import pytest

from contracts.example_words import LOT
from testkit.sourcing.builders import LONDON, from_london_time
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")


async def test_a_held_package_continues_when_the_missing_data_is_published(harness: SourcingHarness) -> None:
    market = ScenarioMarket.create_empty(harness)
    package = await market.request_package()
    alder, birch = market.get_provider_id("Alder"), market.get_provider_id("Birch")

    async def until_missing(*what: str) -> None:
        await wait_until(lambda: is_missing(*what), within=WAIT_TIMEOUT)

    async def is_missing(*what: str) -> bool:
        item = await harness.wait_for_work_item(package)
        return (item.what, item.missing) == ("held", list(what))

    await until_missing(f"definitions/{market.framework}")
    await market.publish_definition()
    await until_missing(f"ranked-lists/{market.framework}/{LOT}/{market.area}/tier-1")
    await market.publish_ranked_list("Alder", "Birch")
    await until_missing(*(f"{view}/{each}" for each in (alder, birch) for view in ("eligibility", "channels")))
    await market.publish_eligibility("Alder")
    await until_missing(f"channels/{alder}", f"eligibility/{birch}", f"channels/{birch}")
    assert await harness.find_faults([package]) == []
    await market.publish_channel("Alder")

    offer = await market.wait_for_offer("Alder", package)  # Birch's turn has not come

    assert not await harness.is_on_work_list(package)
    assert (await market.decline("Alder", offer)).status == 200
    await until_missing(f"eligibility/{birch}", f"channels/{birch}")
    await market.add_providers("Birch")
    await market.wait_for_offer("Birch", package)
    assert await harness.find_faults([package]) == []


async def test_a_held_package_continues_when_its_list_goes_live_by_date(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    today = harness.now.astimezone(LONDON).date()
    later = ScenarioMarket.create_empty(harness)
    await later.publish_definition()
    await later.add_providers("Alder")
    await later.publish_ranked_list("Alder", live_from=today + timedelta(days=1))
    await later.wait_until_projected()
    package = await later.request_package()
    assert (await harness.wait_for_work_item(package)).missing == [
        f"ranked-lists/{later.framework}/{LOT}/{later.area}/tier-1"
    ]
    harness.set_clock(from_london_time(today + timedelta(days=1), "08:30"))
    await later.wait_for_offer("Alder", package)
    assert await market.list_offers("Alder") == []


async def test_a_search_keeps_its_definition_and_its_list(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    await market.publish_definition(version=2)
    await market.add_providers("Cedar")
    await market.publish_ranked_list("Alder", "Cedar", "Birch", version=2)
    await market.wait_until_projected()
    assert (await market.decline("Alder", offer)).status == 200
    await market.wait_for_offer("Birch", package)
    newer = await market.request_package()
    assert (await market.decline("Alder", await market.wait_for_offer("Alder", newer))).status == 200
    await market.wait_for_offer("Cedar", newer)
    decisions = [await harness.wait_for_decision(package), await harness.wait_for_decision(newer)]
    assert [each.definition_version for each in decisions] == [1, 2]
    assert [each.stages[0].lists[0].list_version for each in decisions] == [1, 2]
