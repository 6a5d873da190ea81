"""Lists on real PostgreSQL and Kafka: they are sent, ticked, closed, and followed by offers."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from contracts.events.lists import ListRow, hash_rows
from contracts.framework.stages import Exhausted
from contracts.ids import ListId, PackageId
from testkit.sourcing.builders import LONDON, from_london_time
from testkit.sourcing.definitions import MONDAYS_AND_THURSDAYS, a_batching_list, a_stage, an_open_list
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.list_desk import ListDesk
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")


def at(harness: SourcingHarness, clock: str, *, days: int = 0) -> datetime:
    """An instant of the harness's day, or of `days` later."""
    today = harness.now.astimezone(LONDON).date()
    return from_london_time(today + timedelta(days=days), clock)


@pytest.fixture
async def desk(harness: SourcingHarness) -> ListDesk:
    """Alder and Birch in tier 1, with a Batching List, at 15:45."""
    stages = (a_stage(exhausted=Exhausted.WAIT_FOR_LIST), a_batching_list())
    harness.set_clock(at(harness, "15:45"))
    return ListDesk(await ScenarioMarket.create(harness, "Alder", "Birch", stages=stages))


async def _send_list(desk: ListDesk, packages: Sequence[PackageId]) -> ListId:
    harness = desk.market.harness
    harness.set_clock(at(harness, "16:00"))
    for package in packages:
        await harness.wait_for_event(package, "ListRowAdded")
    return await desk.wait_for_list("Alder")


async def test_what_is_with_tier_1_at_the_cut_off_goes_to_its_providers_as_one_list(desk: ListDesk) -> None:
    harness = desk.market.harness
    packages = await desk.market.request_packages(3)
    for package in packages:
        await desk.market.wait_for_offer("Alder", package)
    list_id = await _send_list(desk, packages)

    listed = await desk.read_list("Birch", list_id)
    assert (listed.summary.day, listed.summary.closes_at) == (harness.now.date(), at(harness, "10:00", days=1))
    assert len(listed.rows) == len({row.advert.reference for row in listed.rows}) == 3
    assert all(row.is_open and row.ticked is False for row in listed.rows)

    (issued,) = await desk.wait_for_events(list_id, "BatchingListIssued")
    assert {each["provider_id"] for each in issued.payload["recipients"]} == {
        str(desk.market.get_provider_id(name)) for name in ("Alder", "Birch")
    }
    rows = [ListRow.model_validate(row) for row in issued.payload["rows"]]
    assert issued.payload["content_hash"] == hash_rows(list_id, rows)
    assert not any(str(package) in str(issued.payload) for package in packages)


async def test_those_who_ticked_are_offered_the_package_when_the_list_is_closed(desk: ListDesk) -> None:
    harness = desk.market.harness
    package = await desk.market.request_package()
    await desk.market.decline("Alder", await desk.market.wait_for_offer("Alder", package))
    await desk.market.decline("Birch", await desk.market.wait_for_offer("Birch", package))
    list_id = await _send_list(desk, [package])

    answer = await desk.tick("Alder", list_id)
    assert answer.status == 200
    harness.set_clock(at(harness, "10:00", days=1))
    offer = await desk.market.wait_for_offer("Alder", package)
    assert (await desk.market.accept("Alder", offer)).status == 200
    assert (await harness.wait_for_decision(package)).placed_with == desk.market.get_provider_id("Alder")
    (closed,) = await desk.wait_for_events(list_id, "BatchingListClosed")
    assert (closed.payload["rows"], closed.payload["rows_with_interest"]) == (1, 1)
    assert await harness.find_faults([package]) == []


async def test_a_late_tick_is_refused_and_recorded(desk: ListDesk) -> None:
    harness = desk.market.harness
    package = await desk.market.request_package()
    list_id = await _send_list(desk, [package])
    harness.set_clock(at(harness, "10:01", days=1))
    answer = await desk.tick("Birch", list_id)
    assert (answer.status, answer.body["detail"]) == (409, "the list is closed; the tick is on record")
    await harness.wait_for_event(package, "InterestNotUsed")


async def test_an_officer_ticks_for_a_provider_and_the_record_names_the_officer(desk: ListDesk) -> None:
    harness = desk.market.harness
    package = await desk.market.request_package()
    list_id = await _send_list(desk, [package])
    assert (await desk.tick_as_officer("Birch", list_id)).status == 200
    decision = await harness.wait_for_event(package, "InterestRegistered")
    (recorded,) = [each for each in decision.record if each.type == "calloff.InterestRegistered.v1"]
    assert recorded.actor == "officer:officer-1"


@pytest.mark.parametrize("stranger", ["Cedar", "Spruce"])
async def test_a_list_is_not_shown_to_a_provider_to_which_it_did_not_go(desk: ListDesk, stranger: str) -> None:
    await desk.market.add_spot_providers("Spruce")
    list_id = await _send_list(desk, [await desk.market.request_package()])
    assert (await desk.request_list(stranger, list_id)).status == 404
    assert (await desk.tick(stranger, list_id, as_seen_by="Alder")).status == 404
    assert await desk.list_ids(stranger) == []


async def test_a_list_of_available_packages_goes_to_the_whole_council_under_new_references(
    harness: SourcingHarness,
) -> None:
    open_list = an_open_list(issued=MONDAYS_AND_THURSDAYS)
    market = await ScenarioMarket.create(harness, open_list=open_list)
    desk = ListDesk(market)
    await market.add_providers("Alder")
    await market.add_spot_providers("Spruce")
    await market.wait_until_projected()
    package = await market.request_package()
    await harness.wait_for_event(package, "PackageListed")
    assert await market.list_available("Spruce") == []

    harness.set_clock(at(harness, "12:00"))
    monday = await desk.wait_for_list("Spruce")
    assert await desk.list_ids("Alder") == [monday]
    harness.set_clock(at(harness, "12:00", days=3))
    thursday = await desk.wait_for_list("Spruce", other_than=monday)
    (first,), (second,) = [(await desk.read_list("Spruce", each)).rows for each in (monday, thursday)]
    assert first.advert.reference != second.advert.reference

    answer = await market.propose("Spruce", first.advert.reference, "28.00")  # by the reference of the older list
    assert answer.status == 201
    assert (await desk.read_list("Spruce", thursday)).rows[0].my_proposal is not None
    assert [each.advert.reference for each in await market.list_available("Spruce")] == [second.advert.reference]
