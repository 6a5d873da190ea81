"""Sourcing was down: a live offer gains the time in which nobody could answer, before its timer can expire it."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

import pytest

from service_runtime.heartbeat import Heartbeat
from service_runtime.observability.logs import logger_for
from sourcing.subscriptions import PAUSED_IN_OUTAGES
from testkit.databases import rows
from testkit.sourcing.harness import PATIENCE, House
from testkit.sourcing.responses import OfferRead
from testkit.sourcing.scenario_market import Town
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("sourcing")


@pytest.fixture
async def resting_house(house: House) -> AsyncGenerator[House]:
    """The house without a pulse before and after: its clock is moved by hand, so none is kept."""
    yield house
    await rows(house.database, "DELETE FROM pulse")
    await rows(house.database, "DELETE FROM outages")


async def was_last_seen(house: House, at: datetime) -> None:
    statement = "INSERT INTO pulse (seen_at) VALUES (:at) ON CONFLICT (one) DO UPDATE SET seen_at = excluded.seen_at"
    await rows(house.database, statement, at=at)


async def comes_back(house: House) -> None:
    """What the service does first when it starts, and each second from then on."""
    await Heartbeat(
        house.database, house.clock, paused=PAUSED_IN_OUTAGES, log=logger_for("test", level="error")
    ).renew()


async def a_live_offer(house: House) -> tuple[Town, OfferRead]:
    """To Alder, delivered now: 30 minutes to answer."""
    town = await Town.of(house, "Alder", "Birch")
    offer = await town.receives("Alder", await town.offer_to("Alder", await town.requests()))
    return town, offer


async def ends_at(town: Town, offer: OfferRead, at: datetime) -> bool:
    return (await town.reads("Alder", offer)).answer_by == at


async def test_a_live_offer_is_extended_as_soon_as_we_are_back(resting_house: House) -> None:
    house = resting_house
    town, offer = await a_live_offer(house)
    delivered = house.now
    await was_last_seen(house, delivered + timedelta(minutes=5))
    house.pass_time(timedelta(minutes=20))

    await comes_back(house)

    await until(lambda: ends_at(town, offer, delivered + timedelta(minutes=45)), within=PATIENCE)
    await comes_back(house)
    assert (await house.decision(offer.package_id)).happened.count("OfferExtended") == 1
    kept = await house.on_kafka([offer.package_id])
    assert [each.header("ce_type") for each in kept].count("calloff.OfferExtended.v1") == 1
    assert await house.faults([offer.package_id]) == []


async def test_the_timer_of_the_old_end_expires_nothing_though_nobody_has_noticed_the_outage_yet(
    resting_house: House,
) -> None:
    house = resting_house
    town, offer = await a_live_offer(house)
    delivered = house.now
    await was_last_seen(house, delivered + timedelta(minutes=10))

    house.pass_time(timedelta(minutes=30))  # its timer is due, and finds it alive

    await until(lambda: ends_at(town, offer, delivered + timedelta(minutes=50)), within=PATIENCE)
    await comes_back(house)
    assert (await town.reads("Alder", offer)).status == "delivered"

    await was_last_seen(house, delivered + timedelta(minutes=50))
    house.pass_time(timedelta(minutes=20))

    await town.offer_to("Birch", offer.package_id)
    happened = (await house.decision(offer.package_id)).happened
    assert (happened.count("OfferExtended"), happened.count("OfferExpired")) == (1, 1)
    assert await house.faults([offer.package_id]) == []


async def test_an_answer_in_the_regained_time_counts(resting_house: House) -> None:
    house = resting_house
    town, offer = await a_live_offer(house)
    await was_last_seen(house, house.now + timedelta(minutes=1))
    house.pass_time(timedelta(minutes=40))
    assert (await town.accepts("Alder", offer)).status == 200
    happened = (await house.decision(offer.package_id)).happened
    assert happened[-3:] == ["OfferExtended", "OfferAccepted", "PackagePlaced"]


async def test_a_short_gap_gives_nobody_anything(resting_house: House) -> None:
    house = resting_house
    town, offer = await a_live_offer(house)
    await was_last_seen(house, house.now)
    house.pass_time(timedelta(minutes=1))
    await comes_back(house)
    await was_last_seen(house, house.now + timedelta(minutes=29))
    house.pass_time(timedelta(minutes=29))
    await town.offer_to("Birch", offer.package_id)
    assert "OfferExtended" not in (await house.decision(offer.package_id)).happened
