"""Notices on a running registry: webhook, mail, the officers' call list, and mails that come back."""

from datetime import timedelta
from uuid import uuid4

from contracts.events.listings import PackageListed
from contracts.events.notices import CallNeeded, CallReason, NoticeKind, ProviderNotified
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.examples import an_example_of
from contracts.ids import PackageId, PlacementId
from contracts.values import Channel
from provider_registry.wiring import build
from testkit.provider_registry.builders import A_PHONE
from testkit.provider_registry.harness import OPERATE
from testkit.provider_registry.notice_harness import NoticeHarness
from testkit.running_services import run_peer
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
    placed = an_example_of(
        PackagePlaced, package_id=PackageId(uuid4()), placement_id=PlacementId(uuid4()), provider_id=alder
    )
    envelope = harness.sourcing.build_envelope(placed, at=harness.clock.now())
    for _ in range(2):
        await harness.sourcing.send_event(envelope, placed)
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
    await wait_until(lambda: notices.has_calls(cedar, 0))
    shown = await harness.request("GET", f"/v1/notices?package_id={package_id}", scope=OPERATE)
    lapsed = [each for each in shown.body["items"] if each["state"] == "lapsed"]
    assert {each["provider_id"] for each in lapsed} >= {str(cedar)}


async def test_a_notice_that_waits_for_a_retry_is_sent_by_another_process(notices: NoticeHarness) -> None:
    harness = notices.harness
    alder = await harness.register_provider(with_endpoint=True)
    harness.receiver.statuses[str(alder)] = 503
    placed = await notices.place(alder)
    await wait_until(lambda: len(harness.receiver.get_received(alder)) == 1)
    async with run_peer(harness.registry, build):
        harness.receiver.statuses[str(alder)] = 204
        harness.clock.advance(timedelta(minutes=2))
        (told,) = await harness.wait_for_event(ProviderNotified, str(placed.package_id))
    assert isinstance(told, ProviderNotified)
    assert {each.headers["webhook-id"] for each in harness.receiver.get_received(alder)} == {str(told.notice_id)}
