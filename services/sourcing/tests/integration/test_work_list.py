"""The officers' work list on real PostgreSQL: sorted by what is due, filtered, and paged to its end."""

import json
import runpy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

import sourcing
from contracts.example_words import OfficerReasons
from contracts.ids import PackageId
from testkit.databases import fetch_rows
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.open_packages import create_open_market, list_package_with_proposal
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")

MIGRATION: Final = Path(sourcing.__file__).parent / "migrations" / "versions" / "0011_officer_acts.py"


async def read_page(harness: SourcingHarness, query: str = "") -> dict[str, Any]:
    """Reads one page (Any: JSON)."""
    return dict((await harness.request_as_officer("GET", f"/v1/work-list?{query}")).body)


async def read_all(harness: SourcingHarness, query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    page = await read_page(harness, query)
    items += page["items"]
    while page["next"] is not None:
        page = await read_page(harness, f"{query}&cursor={quote(page['next'])}")
        items += page["items"]
    return items


async def request_paused_packages(harness: SourcingHarness, market: ScenarioMarket, count: int) -> list[PackageId]:
    """Requests packages one minute after the other, and pauses each."""
    packages: list[PackageId] = []
    for _ in range(count):
        harness.advance_clock(timedelta(minutes=1))
        package = await market.request_package()
        await harness.wait_for_decision(package)
        body = {"reason": OfficerReasons.OTHER}
        assert (await harness.request_as_officer("POST", f"/v1/packages/{package}/pause", body)).status == 200
        packages.append(package)
    return packages


async def test_the_list_is_paged_to_its_end_in_the_order_in_which_things_are_due(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder")
    packages = await request_paused_packages(harness, market, 7)
    items = await read_all(harness, f"area={market.area}&limit=2")
    assert [each["package_id"] for each in items] == [str(package) for package in packages]
    due = [datetime.fromisoformat(each["due"]) for each in items]
    assert due == sorted(due)
    assert len({each["item_id"] for each in items}) == 7


async def test_it_is_filtered_by_area_framework_and_officer(harness: SourcingHarness) -> None:
    market, other = await ScenarioMarket.create(harness, "Alder"), await ScenarioMarket.create(harness, "Alder")
    package, *_ = await request_paused_packages(harness, market, 2)
    await request_paused_packages(harness, other, 1)
    assert len(await read_all(harness, f"area={other.area}")) == 1
    assert len(await read_all(harness, f"framework={market.framework}")) == 2
    path = f"/v1/packages/{package}/officer"
    assert (await harness.request_as_officer("PUT", path, {"officer": "jo.smith"})).body[
        "officer"
    ] == "officer:jo.smith"
    (mine,) = await read_all(harness, f"framework={market.framework}&officer=jo.smith")
    assert (mine["package_id"], mine["officer"]) == (str(package), "officer:jo.smith")
    assert (await harness.request_as_officer("PUT", path, {"officer": None})).status == 200
    assert await read_all(harness, f"framework={market.framework}&officer=jo.smith") == []


async def test_one_package_has_several_items_and_each_goes_when_it_is_done(harness: SourcingHarness) -> None:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    package = await market.request_package()
    offer = await market.wait_for_offer("Alder", package)
    await market.report_undeliverable("Alder", offer)
    call = await harness.wait_for_work_item(package)
    assert (call.what, call.attempt) == ("call to make", 1)
    body = {"reason": OfficerReasons.PERSONS_CHOICE, "provider_id": str(market.get_provider_id("Birch"))}
    await harness.request_as_officer("POST", f"/v1/packages/{package}/directed-offers", body)
    before = await read_all(harness, f"area={market.area}")
    assert sorted(each["what"] for each in before) == ["act to approve", "call to make"]
    assert (await market.record_call(offer.offer_id, "nobody reached")).status == 200
    after = {each["what"]: each for each in await read_all(harness, f"area={market.area}")}
    assert after["call to make"]["attempt"] == 2
    assert {each["item_id"] for each in before} == {each["item_id"] for each in after.values()}
    assert (await market.record_call(offer.offer_id, answer="accept")).status == 200
    assert await read_all(harness, f"area={market.area}") == []


_ROWS: Final = """
    SELECT kind, subject, council, framework, area, CAST(details AS text) AS details FROM work_items
    WHERE package_id = ANY(:packages) ORDER BY package_id, kind, subject
"""


async def test_the_migration_finds_what_waits_in_a_database_of_an_earlier_version(harness: SourcingHarness) -> None:
    """The rows that it writes are those that the code has written."""
    market = await create_open_market(harness)
    listed, proposal = await list_package_with_proposal(market, "35.00")
    awarded, dear = await list_package_with_proposal(market, "35.00", "Sorrel")
    assert (await harness.award(awarded, dear.proposal_id)).status == 202
    called = await market.request_package()
    await market.report_undeliverable("Alder", await market.wait_for_offer("Alder", called))
    held = await ScenarioMarket.create_empty(harness).request_package()
    packages = [listed, awarded, called, held]
    for package in packages:
        await harness.wait_for_work_item(package)
    written = await fetch_rows(harness.database, _ROWS, packages=packages)
    assert sorted(row.kind for row in written) == ["call", "held", "price", "proposals"]
    assert proposal.provider_id == market.get_provider_id("Spruce")

    await fetch_rows(harness.database, "DELETE FROM work_items")
    backfill = runpy.run_path(str(MIGRATION))["STATEMENTS"][-1]
    await fetch_rows(harness.database, backfill)

    found = await fetch_rows(harness.database, _ROWS, packages=packages)
    assert [_describe(row) for row in found] == [_describe(row) for row in written]


def _describe(row: Any) -> tuple[object, ...]:  # a row's attributes are its columns
    details = json.loads(row.details)
    if "due" in details:
        details["due"] = datetime.fromisoformat(details["due"])
    return row.kind, row.subject, row.council, row.framework, row.area, details


async def test_a_cursor_that_no_page_gave_and_an_area_that_is_none_are_refused(harness: SourcingHarness) -> None:
    for query in ("cursor=nonsense", "area=%00", "officer=a%20name", "limit=0"):
        answer = await harness.request_as_officer("GET", f"/v1/work-list?{query}")
        assert answer.status == 422, query


async def test_the_list_uses_its_index(harness: SourcingHarness) -> None:
    rows = await fetch_rows(
        harness.database,
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'work_items' ORDER BY indexname",
    )
    assert any("(council, due_at, item_id)" in row.indexdef for row in rows)
