"""Sourcing was down: a live offer gains the time in which nobody could answer, before its timer can expire it."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

import pytest

from service_runtime.heartbeat import Heartbeat
from service_runtime.observability.logs import build_logger
from sourcing.subscriptions import PAUSED_IN_OUTAGES
from testkit.databases import fetch_rows
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.responses import OfferResponse
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sourcing")


@pytest.fixture
async def resting_harness(harness: SourcingHarness) -> AsyncGenerator[SourcingHarness]:
    """The harness without a pulse before and after: its clock is moved by hand, so none is kept."""
    yield harness
    await fetch_rows(harness.database, "DELETE FROM heartbeat")
    await fetch_rows(harness.sourcing.owner, "DELETE FROM outages")


async def set_last_heartbeat(harness: SourcingHarness, at: datetime) -> None:
    statement = """
        INSERT INTO heartbeat (seen_at) VALUES (:at) ON CONFLICT (one) DO UPDATE SET seen_at = excluded.seen_at
    """
    await fetch_rows(harness.database, statement, at=at)


async def renew_heartbeat(harness: SourcingHarness) -> None:
    """What the service does first when it starts, and each second from then on."""
    await Heartbeat(
        harness.database, harness.clock, paused=PAUSED_IN_OUTAGES, log=build_logger("test", level="error")
    ).renew()


async def a_live_offer(harness: SourcingHarness) -> tuple[ScenarioMarket, OfferResponse]:
    """To Alder, delivered now: 30 minutes to answer."""
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offer = await market.receive_offer("Alder", await market.wait_for_offer("Alder", await market.request_package()))
    return market, offer


async def has_end(market: ScenarioMarket, offer: OfferResponse, at: datetime) -> bool:
    return (await market.read_offer("Alder", offer)).answer_by == at


async def test_a_live_offer_is_extended_as_soon_as_we_are_back(resting_harness: SourcingHarness) -> None:
    harness = resting_harness
    market, offer = await a_live_offer(harness)
    delivered = harness.now
    await set_last_heartbeat(harness, delivered + timedelta(minutes=5))
    harness.advance_clock(timedelta(minutes=20))

    await renew_heartbeat(harness)

    await wait_until(lambda: has_end(market, offer, delivered + timedelta(minutes=45)), within=WAIT_TIMEOUT)
    await renew_heartbeat(harness)
    assert (await harness.wait_for_decision(offer.package_id)).event_types.count("OfferExtended") == 1
    kept = await harness.read_kafka_records([offer.package_id])
    assert [each.get_header("ce_type") for each in kept].count("calloff.OfferExtended.v1") == 1
    assert await harness.find_faults([offer.package_id]) == []


async def test_the_timer_of_the_old_end_expires_nothing_though_nobody_has_noticed_the_outage_yet(
    resting_harness: SourcingHarness,
) -> None:
    harness = resting_harness
    market, offer = await a_live_offer(harness)
    delivered = harness.now
    await set_last_heartbeat(harness, delivered + timedelta(minutes=10))

    harness.advance_clock(timedelta(minutes=30))  # its timer is due, and finds it alive

    await wait_until(lambda: has_end(market, offer, delivered + timedelta(minutes=50)), within=WAIT_TIMEOUT)
    await renew_heartbeat(harness)
    assert (await market.read_offer("Alder", offer)).status == "delivered"

    await set_last_heartbeat(harness, delivered + timedelta(minutes=50))
    harness.advance_clock(timedelta(minutes=20))

    await market.wait_for_offer("Birch", offer.package_id)
    happened = (await harness.wait_for_decision(offer.package_id)).event_types
    assert (happened.count("OfferExtended"), happened.count("OfferExpired")) == (1, 1)
    assert await harness.find_faults([offer.package_id]) == []


async def test_an_answer_in_the_regained_time_counts(resting_harness: SourcingHarness) -> None:
    harness = resting_harness
    market, offer = await a_live_offer(harness)
    await set_last_heartbeat(harness, harness.now + timedelta(minutes=1))
    harness.advance_clock(timedelta(minutes=40))
    assert (await market.accept("Alder", offer)).status == 200
    happened = (await harness.wait_for_decision(offer.package_id)).event_types
    assert happened[-3:] == ["OfferExtended", "OfferAccepted", "PackagePlaced"]


async def test_a_short_gap_gives_nobody_anything(resting_harness: SourcingHarness) -> None:
    harness = resting_harness
    market, offer = await a_live_offer(harness)
    await set_last_heartbeat(harness, harness.now)
    harness.advance_clock(timedelta(minutes=1))
    await renew_heartbeat(harness)
    await set_last_heartbeat(harness, harness.now + timedelta(minutes=29))
    harness.advance_clock(timedelta(minutes=29))
    await market.wait_for_offer("Birch", offer.package_id)
    assert "OfferExtended" not in (await harness.wait_for_decision(offer.package_id)).event_types
