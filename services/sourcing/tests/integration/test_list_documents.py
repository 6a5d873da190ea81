"""Lists as files and pages on a running service: fetched, filled in as a person does, and returned."""

import csv
import io
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from contracts.framework.stages import Exhausted
from contracts.ids import ListId, PackageId
from contracts.list_links import ListLink, ListLinkSigner
from list_documents.columns import INTERESTED
from list_documents.page_form import FieldNames
from testkit.list_workbooks import tick_workbook
from testkit.sourcing.builders import LONDON, from_london_time
from testkit.sourcing.definitions import MONDAYS_AND_THURSDAYS, a_batching_list, a_stage, an_open_list
from testkit.sourcing.harness import LINK_KEY, SourcingHarness
from testkit.sourcing.list_desk import ListDesk
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")


def at(harness: SourcingHarness, clock: str, *, days: int = 0) -> datetime:
    return from_london_time(harness.now.astimezone(LONDON).date() + timedelta(days=days), clock)


@pytest.fixture
async def desk(harness: SourcingHarness) -> ListDesk:
    stages = (a_stage(exhausted=Exhausted.WAIT_FOR_LIST), a_batching_list())
    harness.set_clock(at(harness, "15:45"))
    return ListDesk(await ScenarioMarket.create(harness, "Alder", "Birch", stages=stages))


async def _send_list(desk: ListDesk, number: int) -> tuple[ListId, list[PackageId]]:
    harness = desk.market.harness
    packages = await desk.market.request_packages(number)
    await desk.market.wait_for_offers("Alder", packages)
    harness.set_clock(at(harness, "16:00"))
    for package in packages:
        await harness.wait_for_event(package, "ListRowAdded")
    return await desk.wait_for_list("Alder"), packages


async def test_a_workbook_that_a_person_ticked_counts_row_by_row(desk: ListDesk) -> None:
    list_id, packages = await _send_list(desk, 3)
    references = [row.advert.reference for row in (await desk.read_list("Birch", list_id)).rows]
    workbook = await desk.fetch_file("Birch", list_id)
    answer = await desk.return_file(
        "Birch", list_id, tick_workbook(workbook, {references[0]: True, references[1]: False})
    )
    assert answer.status == 200
    assert {UUID(row["reference"]): row["result"] for row in answer.body["rows"]} == {
        references[0]: "interested",
        references[1]: "not interested",
    }
    assert (answer.body["counted"], answer.body["not_counted"]) == (2, 0)
    shown = {row.advert.reference: row.ticked for row in (await desk.read_list("Birch", list_id)).rows}
    assert shown == {references[0]: True, references[1]: False, references[2]: False}
    (recorded,) = await desk.wait_for_events(list_id, "ListReturned")
    assert recorded.payload["provider_id"] == str(desk.market.get_provider_id("Birch"))
    assert recorded.payload["entered_by"] is None
    assert not any(str(package) in str(recorded.payload) for package in packages)


async def test_the_same_file_again_changes_nothing_and_the_same_key_gets_the_first_response(desk: ListDesk) -> None:
    list_id, (package,) = await _send_list(desk, 1)
    (row,) = (await desk.read_list("Birch", list_id)).rows
    ticked = tick_workbook(await desk.fetch_file("Birch", list_id), {row.advert.reference: True})
    first = await desk.return_file("Birch", list_id, ticked, idempotency_key="once")
    again = await desk.return_file("Birch", list_id, ticked, idempotency_key="once")
    assert [each.status for each in (first, again)] == [200, 200]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await desk.return_file("Birch", list_id, ticked)).status == 200
    recorded = (await desk.market.harness.wait_for_decision(package)).event_types
    assert recorded.count("InterestRegistered") == 1


async def test_a_late_workbook_is_recorded_and_not_used(desk: ListDesk) -> None:
    list_id, (package,) = await _send_list(desk, 1)
    (row,) = (await desk.read_list("Birch", list_id)).rows
    ticked = tick_workbook(await desk.fetch_file("Birch", list_id), {row.advert.reference: True})
    desk.market.harness.set_clock(at(desk.market.harness, "10:00:01", days=1))
    answer = await desk.return_file("Birch", list_id, ticked)
    (result,) = answer.body["rows"]
    assert (result["result"], "because the list is closed" in result["explanation"]) == ("recorded and not used", True)
    await desk.market.harness.wait_for_event(package, "InterestNotUsed")


async def test_a_csv_with_a_foreign_and_an_unreadable_row_explains_each_of_them(desk: ListDesk) -> None:
    list_id, _ = await _send_list(desk, 3)
    text = (await desk.fetch_file("Birch", list_id, "csv")).decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text))
    answer_column, reference_column = header.index(INTERESTED), header.index("Reference")
    rows[0][answer_column] = "Yes"
    rows[1][answer_column] = "mabye"
    rows[2][answer_column], rows[2][reference_column] = "Yes", "00000000-0000-7000-8000-000000000000"
    file = io.StringIO()
    csv.writer(file).writerows([header, *rows])
    answer = await desk.return_file("Birch", list_id, file.getvalue().encode())
    results = [row["result"] for row in answer.body["rows"]]
    assert results == ["interested", "cannot be read", "not a row of this list for this provider"]
    (recorded,) = await desk.wait_for_events(list_id, "ListReturned")
    assert [row["result"] for row in recorded.payload["rows"]] == results
    assert "mabye" not in str(recorded.payload)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(b"not a list", 422, id="text"),
        pytest.param(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), 422, id="old workbook"),
        pytest.param(bytes(10 * 1024 * 1024 + 1), 413, id="larger than 10 MB"),
    ],
)
async def test_a_file_that_is_no_list_is_refused_as_a_whole(desk: ListDesk, content: bytes, status: int) -> None:
    list_id, _ = await _send_list(desk, 1)
    answer = await desk.return_file("Birch", list_id, content)
    assert answer.status == status
    assert await desk.read_events(list_id) == await desk.wait_for_events(list_id, "BatchingListIssued")


async def test_an_officer_returns_the_list_for_a_provider(desk: ListDesk) -> None:
    list_id, _ = await _send_list(desk, 1)
    (row,) = (await desk.read_list("Birch", list_id)).rows
    ticked = tick_workbook(await desk.fetch_file("Birch", list_id), {row.advert.reference: True})
    assert (await desk.return_file_as_officer("Birch", list_id, ticked)).status == 200
    (recorded,) = await desk.wait_for_events(list_id, "ListReturned")
    assert recorded.payload["entered_by"] == "officer:officer-1"


async def test_a_provider_without_a_system_ticks_on_the_page_behind_its_link(desk: ListDesk) -> None:
    harness = desk.market.harness
    list_id, _ = await _send_list(desk, 1)
    (row,) = (await desk.read_list("Birch", list_id)).rows
    provider = desk.market.get_provider_id("Birch")
    token = ListLinkSigner(LINK_KEY).create_token(ListLink(list_id, provider, harness.now + timedelta(days=7)))
    path = f"/v1/list-links/{token}"
    page = await harness.browse(path)
    assert page.status == 200
    assert "Batching List" in page.text
    assert (await desk.read_list("Birch", list_id)).rows[0].ticked is False
    form = f"list={list_id}&{FieldNames.for_package(row.advert.reference).interested}=Yes".encode()
    sent = await harness.browse(path, method="POST", form=form)
    assert (sent.status, "Your answers are recorded" in sent.text) == (200, True)
    assert (await desk.read_list("Birch", list_id)).rows[0].ticked is True
    (recorded,) = await desk.wait_for_events(list_id, "ListReturned")
    assert recorded.payload["channel"] == "page"


@pytest.mark.parametrize("stranger", ["Cedar", "nobody"])
async def test_the_link_of_another_provider_or_a_damaged_one_shows_nothing(desk: ListDesk, stranger: str) -> None:
    harness = desk.market.harness
    list_id, _ = await _send_list(desk, 1)
    link = ListLink(list_id, desk.market.get_provider_id(stranger), harness.now + timedelta(days=7))
    token = ListLinkSigner(LINK_KEY).create_token(link)
    for path in (f"/v1/list-links/{token}", f"/v1/list-links/{token[:-4]}AAAA", "/v1/list-links/a/b"):
        page = await harness.browse(path)
        assert (page.status, "Colchester" in page.text) == (404, False)


async def test_all_formats_show_the_hash_of_the_issued_list(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, open_list=an_open_list(issued=MONDAYS_AND_THURSDAYS))
    desk = ListDesk(market)
    await market.add_spot_providers("Spruce")
    await market.wait_until_projected()
    for package in await market.request_packages(3):
        await harness.wait_for_event(package, "PackageListed")
    harness.set_clock(at(harness, "12:00"))
    list_id = await desk.wait_for_list("Spruce")
    (issued,) = await desk.wait_for_events(list_id, "AvailablePackagesIssued")
    hash_of_list = issued.payload["content_hash"]
    for file_format in ("csv", "json"):
        assert hash_of_list.encode() in await desk.fetch_file("Spruce", list_id, file_format)
    rows = (await desk.read_list("Spruce", list_id)).rows
    assert len(rows) == 3
