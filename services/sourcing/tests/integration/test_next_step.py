"""What happens next to a package, and when, as an officer reads it over HTTP."""

from datetime import timedelta

import pytest

from testkit.sourcing.builders import LONDON, from_london_time
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")


async def test_a_package_of_a_saturday_says_to_whom_it_is_offered_on_monday(harness: SourcingHarness) -> None:
    monday = harness.now.astimezone(LONDON).date()
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    harness.set_clock(from_london_time(monday + timedelta(days=5), "11:00"))

    decision = await harness.wait_for_decision(await market.request_package())

    opening = from_london_time(monday + timedelta(days=7), "08:30")
    step = decision.next_step
    assert (step.kind, step.at, step.waits_for_opening) == ("offer due", opening, True)
    assert step.provider_id == market.get_provider_id("Alder")
    assert step.text.startswith("offer to the provider with rank 1 on Mon ")
    assert step.text.endswith(" 08:30, when brokerage opens")
    assert [turn.outcome for turn in decision.turns] == ["not asked yet", "not asked yet"]


async def test_the_next_step_follows_an_offer_from_its_delivery_to_the_placement(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    assert (await harness.wait_for_decision(package)).next_step.kind == "delivery awaited"

    await market.receive_offer("Alder", offer)
    step = (await harness.wait_for_decision(package)).next_step
    assert (step.kind, step.offer_id, step.text) == ("answer due", offer.offer_id, "answer due by 09:30")
    assert step.at == harness.now + timedelta(minutes=30)

    await market.accept("Alder", offer)
    decision = await harness.wait_for_decision(package)
    assert (decision.next_step.kind, decision.next_step.at) == ("placed", None)
    assert [turn.outcome for turn in decision.turns] == ["placed", "not reached"]
