"""A bank holiday that is proclaimed while offers are live, on real PostgreSQL and Kafka."""

from datetime import timedelta

import pytest

from contracts.framework.brokerage import BankHolidayOverride
from testkit.sourcing.builders import LONDON, from_london_time
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")


async def test_a_proclaimed_day_extends_a_live_offer_to_the_day_after(harness: SourcingHarness) -> None:
    monday = harness.now.astimezone(LONDON).date()
    tuesday, wednesday = (monday + timedelta(days=days) for days in (1, 2))
    harness.set_clock(from_london_time(monday, "16:50"))
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offer = await market.receive_offer("Alder", await market.wait_for_offer("Alder", await market.request_package()))
    assert offer.answer_by == from_london_time(tuesday, "08:50")
    proclaimed = BankHolidayOverride(day=tuesday, closed=True, name="State funeral", proclaimed_on=monday)
    await market.publish_definition(version=2, overrides=[proclaimed])
    await market.wait_until_projected()

    async def has_end_on_wednesday() -> bool:
        return (await market.read_offer("Alder", offer)).answer_by == from_london_time(wednesday, "08:50")

    harness.set_clock(from_london_time(tuesday, "08:50"))
    await wait_until(has_end_on_wednesday, within=WAIT_TIMEOUT)
    assert (await market.read_offer("Alder", offer)).status == "delivered"

    harness.set_clock(from_london_time(wednesday, "08:50"))
    await market.wait_for_offer("Birch", offer.package_id)
    happened = (await harness.wait_for_decision(offer.package_id)).event_types
    assert (happened.count("OfferExtended"), happened.count("OfferExpired")) == (1, 1)
    assert await harness.find_faults([offer.package_id]) == []
