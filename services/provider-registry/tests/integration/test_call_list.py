"""The officers' call list and the list of notices on a running registry."""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from contracts.events.notices import CallNeeded, ProviderNotified
from contracts.events.offers import CallRecorded, CallResult, OfferMade
from contracts.events.searches import PlacementVoided
from contracts.examples import COUNCIL, an_example_of
from contracts.ids import FrameworkKey
from contracts.values import Channel
from provider_registry.wiring import build
from testkit.databases import fetch_number
from testkit.provider_registry.builders import OTHER_COUNCIL
from testkit.provider_registry.harness import ADMIN, OPERATE
from testkit.provider_registry.notice_harness import NoticeHarness
from testkit.running_services import run_peer
from testkit.waiting import wait_until


async def test_a_call_that_reaches_the_provider_is_recorded_with_its_officer(notices: NoticeHarness) -> None:
    harness = notices.harness
    alder = await harness.register_provider()
    placed = await notices.place(alder)
    await harness.wait_for_event(CallNeeded, str(placed.package_id))
    (call,) = await notices.find_calls(alder)
    first = await notices.record_call(call["notice_id"], CallResult.NOT_REACHED, subject="officer-1")
    assert (first.status, first.body["state"], first.body["notified_at"]) == (200, "to call", None)
    (again,) = await notices.find_calls(alder)
    assert again["attempt"] == 2
    second = await notices.record_call(call["notice_id"], CallResult.REACHED, subject="officer-2")
    assert (second.status, second.body["state"]) == (200, "notified")
    events = await harness.wait_for_event(ProviderNotified, str(placed.package_id))
    assert isinstance(events[-1], ProviderNotified)
    assert events[-1].channel is Channel.PHONE
    assert await notices.find_calls(alder) == []
    refused = await notices.record_call(call["notice_id"], CallResult.REACHED)
    assert (refused.status, refused.body["title"]) == (409, "No call needed")
    query = "SELECT count(*) FROM notice_calls WHERE notice_id = :id AND officer LIKE '%officer-' || attempt"
    assert await fetch_number(harness.database, query, id=UUID(call["notice_id"])) == 2


async def test_an_offer_by_telephone_is_called_about_until_its_call_is_recorded(notices: NoticeHarness) -> None:
    harness = notices.harness
    alder = await harness.register_provider()
    offer = await harness.make_offer(alder, channel=Channel.PHONE)
    await wait_until(lambda: notices.has_calls(alder, 1))
    (call,) = await notices.find_calls(alder)
    assert (call["kind"], call["record_at"]) == ("offer.made", f"/v1/offers/{offer.offer_id}/calls")
    assert any(sentence.startswith("Visit: ") for sentence in call["say"])
    refused = await notices.record_call(call["notice_id"], CallResult.REACHED)
    assert (refused.status, refused.body["title"]) == (409, "Record the call with the offer")
    await harness.publish(build_call(offer, CallResult.REACHED))
    await wait_until(lambda: notices.has_calls(alder, 0))
    assert await harness.read_events(str(offer.package_id)) == [], "sourcing's events are the record"


def build_call(offer: OfferMade, result: CallResult) -> CallRecorded:
    return CallRecorded(
        package_id=offer.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id, result=result, attempt=1
    )


async def test_notices_and_calls_are_those_of_the_callers_council(notices: NoticeHarness) -> None:
    harness = notices.harness
    alder = await harness.register_provider()
    placed = await notices.place(alder)
    await harness.wait_for_event(CallNeeded, str(placed.package_id))
    (call,) = await notices.find_calls(alder)
    for path in ("/v1/call-list", f"/v1/notices?package_id={placed.package_id}"):
        foreign = await harness.request("GET", path, scope=OPERATE, council=OTHER_COUNCIL)
        assert (foreign.status, foreign.body["items"]) == (200, [])
    assert (await notices.record_call(call["notice_id"], CallResult.REACHED, council=OTHER_COUNCIL)).status == 404
    assert (await harness.request("GET", "/v1/call-list", scope=ADMIN)).status == 403


async def test_the_call_list_is_sorted_by_what_is_due_filtered_and_paged_to_its_end(notices: NoticeHarness) -> None:
    harness = notices.harness
    framework = FrameworkKey(f"paged-{secrets.token_hex(4)}")
    providers = [await harness.register_provider(f"Care {number}") for number in range(5)]
    for number, provider in enumerate(providers):
        harness.clock.advance(timedelta(minutes=1))
        area = "E07000071" if number < 3 else "E07000076"
        placed = await notices.place(provider, framework=framework, area=area)
        await harness.wait_for_event(CallNeeded, str(placed.package_id))
    path, seen, cursor = f"/v1/call-list?framework={framework}&limit=2", [], ""
    while True:
        page = (await harness.registry.request("GET", f"{path}{cursor}", OPERATE, council=COUNCIL)).body
        seen += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert [each["provider_id"] for each in seen] == [str(each) for each in providers]
    due = seen[1]["due_at"].replace("+", "%2B")
    for query, expected in (("area=E07000076", 2), (f"due_before={due}", 1), ("area=E07000077", 0)):
        found = await harness.registry.request("GET", f"{path}&{query}", OPERATE, council=COUNCIL)
        assert len(found.body["items"]) == expected, query


async def test_notices_are_shown_with_those_first_that_are_not_told(notices: NoticeHarness) -> None:
    harness = notices.harness
    alder = await harness.register_provider()
    first = await notices.place(alder)
    await harness.wait_for_event(CallNeeded, str(first.package_id))
    (call,) = await notices.find_calls(alder)
    await notices.record_call(call["notice_id"], CallResult.REACHED)
    second = await notices.place(alder)
    await harness.wait_for_event(CallNeeded, str(second.package_id))
    pages: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(2):
        path = f"/v1/notices?provider_id={alder}&limit=1{cursor}"
        page = (await harness.registry.request("GET", path, OPERATE, council=COUNCIL)).body
        pages += page["items"]
        cursor = f"&cursor={page['next']}"
    assert [(each["package_id"], each["state"]) for each in pages] == [
        (str(second.package_id), "to call"),
        (str(first.package_id), "notified"),
    ]
    assert pages[1]["notified_at"] is not None
    told = await harness.request("GET", f"/v1/notices?provider_id={alder}&state=notified", scope=OPERATE)
    assert [each["package_id"] for each in told.body["items"]] == [str(first.package_id)]
    waiting = await harness.request("GET", "/v1/notices?state=to%20call&limit=200", scope=OPERATE)
    assert str(second.package_id) in {each["package_id"] for each in waiting.body["items"]}


async def test_a_call_recorded_by_another_process_counts(notices: NoticeHarness) -> None:
    """The process that put the notice on the list still keeps it as open with its stream."""
    harness = notices.harness
    alder = await harness.register_provider()
    placed = await notices.place(alder)
    await harness.wait_for_event(CallNeeded, str(placed.package_id))
    (call,) = await notices.find_calls(alder)
    async with run_peer(harness.registry, build, role="api") as peer:
        path, body = f"/v1/call-list/{call['notice_id']}/calls", {"result": CallResult.REACHED.value}
        assert (await peer.request("POST", path, OPERATE, body=body, council=COUNCIL)).status == 200
    await harness.publish(
        an_example_of(
            PlacementVoided, package_id=placed.package_id, placement_id=placed.placement_id, provider_id=alder
        )
    )
    await harness.wait_for_event(CallNeeded, str(placed.package_id), times=2)
    shown = await harness.request("GET", f"/v1/notices?package_id={placed.package_id}", scope=OPERATE)
    assert [(each["kind"], each["state"]) for each in shown.body["items"]] == [
        ("placement.voided", "to call"),
        ("package.placed", "notified"),
    ]
