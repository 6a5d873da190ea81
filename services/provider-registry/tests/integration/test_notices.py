"""Notices on a running registry: webhook, mail, the officers' call list, and mails that come back."""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.events.listings import PackageListed
from contracts.events.notices import CallNeeded, CallReason, NoticeKind, ProviderNotified
from contracts.events.offers import CallRecorded, CallResult, OfferMade
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.examples import COUNCIL, an_example_of
from contracts.ids import FrameworkKey, PackageId
from contracts.values import Channel
from testkit.databases import fetch_number
from testkit.provider_registry.builders import A_PHONE, OTHER_COUNCIL
from testkit.provider_registry.harness import ADMIN, OPERATE
from testkit.provider_registry.notice_harness import NoticeHarness
from testkit.waiting import wait_until


async def test_a_placement_reaches_a_mailbox_in_words_and_is_on_record(notices: NoticeHarness) -> None:
    harness = notices.harness
    assert (await harness.publish_definition()).status in {200, 201}
    alder = await harness.register_provider()
    address = await notices.set_mailbox(alder)
    placed = await notices.place(alder, framework=harness.framework)
    (told,) = await harness.wait_for_event(ProviderNotified, str(placed.package_id))
    assert isinstance(told, ProviderNotified)
    assert (told.notice, told.about, told.channel) == (
        NoticeKind.PACKAGE_PLACED,
        placed.placement_id,
        Channel.EMAIL,
    )
    (received,) = notices.mail.find_mail(address)
    assert received.mail["Message-ID"] == f"<{told.notice_id}@calloff.example>"
    assert received.mail["Subject"] == "Package placed with you: Personal care, Colchester"
    assert (received.mail["Auto-Submitted"], received.mail["Reply-To"]) == (
        "auto-generated",
        "brokerage@council.example",
    )
    assert f"Hours a week: {placed.weekly_hours:.2f}" in received.text
    assert '<html lang="en-GB">' in received.html
    assert '<th scope="row"' in received.html
    for text in (str(received.mail["Subject"]), received.text, received.html):
        assert str(placed.package_id) not in text


async def test_an_endpoint_that_fails_is_followed_by_a_mail_and_a_refused_mail_by_a_call(
    notices: NoticeHarness,
) -> None:
    harness = notices.harness
    alder = await harness.register_provider(with_endpoint=True)
    address = await notices.set_mailbox(alder)
    harness.receiver.statuses[str(alder)] = 500
    notices.mail.reply_codes[address] = 550
    placed = await notices.place(alder)
    await wait_until(lambda: len(harness.receiver.get_received(alder)) >= 1)
    harness.clock.advance(timedelta(minutes=15, seconds=1))
    (needed,) = await harness.wait_for_event(CallNeeded, str(placed.package_id))
    assert isinstance(needed, CallNeeded)
    assert (needed.reason, notices.mail.find_mail(address)) == (CallReason.MAIL_FAILED, [])
    (call,) = await notices.find_calls(alder)
    assert (call["provider"], call["phone"], call["attempt"]) == ("Alder Care Ltd", A_PHONE, 1)
    assert call["record_at"] == f"/v1/call-list/{needed.notice_id}/calls"
    assert call["say"][0] == "A package of care at home is placed with you."
    log = await harness.request("GET", f"/v1/providers/{alder}/deliveries")
    assert [(each["kind"], each["channel"], each["outcome"]) for each in log.body["items"]] == [
        ("package.placed", "email", "undeliverable"),
        ("package.placed", "webhook", "undeliverable"),
    ]


async def test_an_endpoint_that_is_gone_costs_no_time(notices: NoticeHarness) -> None:
    harness = notices.harness
    alder = await harness.register_provider(with_endpoint=True)
    assert (await harness.request("DELETE", f"/v1/providers/{alder}/endpoint")).status == 204
    placed = await notices.place(alder)
    (needed,) = await harness.wait_for_event(CallNeeded, str(placed.package_id))
    assert isinstance(needed, CallNeeded)
    assert needed.reason is CallReason.WEBHOOK_FAILED
    kept = await harness.request("GET", f"/v1/providers/{alder}/messages")
    assert [each["kind"] for each in kept.body["items"]] == ["package.placed"], "kept for its owner"


async def test_a_mailbox_that_is_deleted_while_a_mail_waits_leads_to_a_call(notices: NoticeHarness) -> None:
    harness = notices.harness
    alder = await harness.register_provider()
    address = await notices.set_mailbox(alder)
    notices.mail.reply_codes[address] = 450
    placed = await notices.place(alder)
    await wait_until(lambda: address in notices.mail.attempts)
    assert (await harness.request("DELETE", f"/v1/providers/{alder}/mailbox")).status == 204
    harness.clock.advance(timedelta(minutes=5))
    (needed,) = await harness.wait_for_event(CallNeeded, str(placed.package_id))
    assert isinstance(needed, CallNeeded)
    assert needed.reason is CallReason.MAIL_FAILED


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
    await wait_until(lambda: _has_calls(notices, alder, 1))
    (call,) = await notices.find_calls(alder)
    assert (call["kind"], call["record_at"]) == ("offer.made", f"/v1/offers/{offer.offer_id}/calls")
    assert any(sentence.startswith("Visit: ") for sentence in call["say"])
    refused = await notices.record_call(call["notice_id"], CallResult.REACHED)
    assert (refused.status, refused.body["title"]) == (409, "Record the call with the offer")
    await harness.publish(build_call(offer, CallResult.REACHED))
    await wait_until(lambda: _has_calls(notices, alder, 0))
    assert await harness.read_events(str(offer.package_id)) == [], "sourcing's events are the record"


async def _has_calls(notices: NoticeHarness, provider: UUID, number: int) -> bool:
    return len(await notices.find_calls(provider)) == number


def build_call(offer: OfferMade, result: CallResult) -> CallRecorded:
    return CallRecorded(
        package_id=offer.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id, result=result, attempt=1
    )


async def test_a_mail_that_comes_back_leads_to_a_call_once(notices: NoticeHarness) -> None:
    harness = notices.harness
    alder = await harness.register_provider()
    address = await notices.set_mailbox(alder)
    placed = await notices.place(alder)
    await harness.wait_for_event(ProviderNotified, str(placed.package_id))
    message_id = str(notices.mail.find_mail(address)[0].mail["Message-ID"])
    assert (await notices.report_bounce(message_id, action="delayed", status="4.4.7")).status == 204
    assert await notices.find_calls(alder) == []
    for _ in range(2):
        assert (await notices.report_bounce(message_id)).status == 204
    events = await harness.wait_for_event(CallNeeded, str(placed.package_id))
    assert [type(each) for each in events] == [ProviderNotified, CallNeeded]
    (call,) = await notices.find_calls(alder)
    assert call["because"] == CallReason.MAIL_BOUNCED


async def test_bounces_of_unknown_foreign_and_malformed_mails_are_refused(notices: NoticeHarness) -> None:
    harness = notices.harness
    alder = await harness.register_provider(with_endpoint=True)
    placed = await notices.place(alder)
    (told,) = await harness.wait_for_event(ProviderNotified, str(placed.package_id))
    assert isinstance(told, ProviderNotified)
    assert (await notices.report_bounce(f"<{uuid4()}@calloff.example>")).status == 404
    assert (await notices.report_bounce(str(told.notice_id))).status == 404, "a webhook does not come back"
    for wrong in ("", "no id", "<'; DROP TABLE notices@x>", "x" * 301):
        assert (await notices.report_bounce(wrong)).status == 422
    assert (await notices.report_bounce(str(uuid4()), status="9.9.9")).status == 422
    body = {"message_id": str(uuid4()), "action": "failed", "status": "5.1.1"}
    assert (await harness.request("POST", "/v1/mail-bounces", body, scope=OPERATE)).status == 403


async def test_a_repeated_event_tells_nobody_twice_and_notices_of_a_package_arrive_in_order(
    notices: NoticeHarness,
) -> None:
    harness = notices.harness
    alder = await harness.register_provider(with_endpoint=True)
    placed = await notices.place(alder)
    voided = an_example_of(
        PlacementVoided, package_id=placed.package_id, placement_id=placed.placement_id, provider_id=alder
    )
    await harness.publish(voided)
    await harness.wait_for_event(ProviderNotified, str(placed.package_id), times=2)
    assert harness.receiver.get_received_types(alder) == ["package.placed", "placement.voided"]
    events = await harness.read_events(str(placed.package_id))
    told = [each.notice for each in events if isinstance(each, ProviderNotified)]
    assert told == [NoticeKind.PACKAGE_PLACED, NoticeKind.PLACEMENT_VOIDED]


async def test_a_package_that_is_open_at_once_is_told_to_providers_of_every_channel(notices: NoticeHarness) -> None:
    harness = notices.harness
    assert (await harness.publish_definition()).status in {200, 201}
    alder, birch, cedar = [await harness.register_provider(f"{name} Care") for name in ("Alder", "Birch", "Cedar")]
    for each in (alder, birch, cedar):
        assert (await harness.set_spot_areas(each, "E07000076")).status == 200
    await harness.register_endpoint(alder)
    await notices.set_mailbox(birch)
    package_id = PackageId(uuid4())
    advert = an_example_of(PackageListed).advert.model_copy(update={"area": "E07000076"})
    listed = an_example_of(
        PackageListed, package_id=package_id, framework=harness.framework, advert=advert, opens_at=None, members=False
    )
    await harness.publish(listed)
    await harness.wait_for_event(ProviderNotified, str(package_id), times=2)
    events = await harness.wait_for_event(CallNeeded, str(package_id))
    assert {(each.provider_id, each.channel) for each in events if isinstance(each, ProviderNotified)} >= {
        (alder, Channel.WEBHOOK),
        (birch, Channel.EMAIL),
    }
    assert cedar in {each.provider_id for each in events if isinstance(each, CallNeeded)}
    await harness.publish(an_example_of(PackagePlaced, package_id=package_id, provider_id=alder))
    await wait_until(lambda: _has_calls(notices, cedar, 0))
    shown = await harness.request("GET", f"/v1/notices?package_id={package_id}", scope=OPERATE)
    lapsed = [each for each in shown.body["items"] if each["state"] == "lapsed"]
    assert {each["provider_id"] for each in lapsed} >= {str(cedar)}


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
