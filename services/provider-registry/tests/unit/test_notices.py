"""Notices: by which channel a provider is told, what follows when that fails, and what nobody needs any more."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.events.notices import CallNeeded, CallReason, NoticeKind, ProviderNotified
from contracts.events.offers import OfferExpired, OfferExtended, OfferMade, OfferRedirected, OfferWithdrawn
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.examples import an_example_of, an_id
from contracts.values import Channel
from provider_registry.domain.notice import NoticeState
from provider_registry.domain.notice_words import WORDS
from provider_registry.domain.notices import NOTICES
from provider_registry.handlers.notices import publish_notified, use_next_channel
from provider_registry.handlers.offers import redirect_offer, send_offer
from provider_registry.handlers.package_notices import (
    notify_of_expiry,
    notify_of_extension,
    notify_of_placement,
    notify_of_voided_placement,
    notify_of_withdrawal,
)
from provider_registry.subscriptions import SUBSCRIPTIONS
from service_runtime.webhooks.deliveries import Webhook
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import TERMS
from testkit.provider_registry.notice_steps import (
    ALDER,
    OFFER,
    PACKAGE,
    PLACEMENT,
    a_work,
    add_channels,
    deliver,
    fail,
    get_notice,
)


def test_each_event_in_the_table_has_a_handler_and_each_kind_has_words() -> None:
    handled = {each.event for each in SUBSCRIPTIONS}
    assert {rule.event for rule in NOTICES} <= handled
    assert {rule.kind for rule in NOTICES} == set(WORDS) == set(NoticeKind)
    urgencies = {rule.kind: {other.urgency for other in NOTICES if other.kind is rule.kind} for rule in NOTICES}
    assert {len(each) for each in urgencies.values()} == {1}, "rules of one kind have one urgency"


@pytest.mark.parametrize(
    ("channels", "owner"),
    [
        ((Channel.WEBHOOK, Channel.EMAIL), str(ALDER)),
        ((Channel.WEBHOOK,), str(ALDER)),
        ((Channel.EMAIL,), f"mailto:{ALDER}"),
    ],
)
async def test_a_provider_is_told_by_its_first_channel(channels: tuple[Channel, ...], owner: str) -> None:
    work = await a_work(*channels)
    await notify_of_placement(an_example_of(PackagePlaced), work)
    (queued,) = work.webhooks
    assert (queued.owner, queued.kind, queued.id) == (owner, "package.placed", get_notice(work).notice_id)
    assert (get_notice(work).state, work.published) == (NoticeState.SENDING, [])


async def test_a_provider_without_a_system_and_a_mailbox_is_on_the_call_list_at_once() -> None:
    work = await a_work()
    placed = an_example_of(PackagePlaced)
    await notify_of_placement(placed, work)
    notice = get_notice(work)
    assert work.webhooks == []
    assert work.published == [
        CallNeeded(
            package_id=PACKAGE,
            notice_id=notice.notice_id,
            notice=NoticeKind.PACKAGE_PLACED,
            about=placed.placement_id,
            provider_id=ALDER,
            due_at=MONDAY_NINE + timedelta(minutes=30),
            reason=CallReason.ONLY_BY_PHONE,
        )
    ]


async def test_without_a_mail_server_a_mailbox_is_no_channel() -> None:
    work = await a_work(Channel.EMAIL)
    work.delivery_terms = replace(TERMS, mail=None)
    await notify_of_placement(an_example_of(PackagePlaced), work)
    assert (work.webhooks, get_notice(work).because) == ([], CallReason.ONLY_BY_PHONE)


async def test_a_webhook_that_fails_is_followed_by_a_mail_and_that_by_a_call() -> None:
    work = await a_work(Channel.WEBHOOK, Channel.EMAIL)
    await notify_of_placement(an_example_of(PackagePlaced), work)
    await use_next_channel(fail(work.webhooks[0]), work)
    webhook, mail = work.webhooks
    assert (mail.owner, mail.kind, mail.data["refusal_is_final"]) == (f"mailto:{ALDER}", "package.placed", True)
    assert mail.id != webhook.id, "a Message-ID of its own"
    assert (get_notice(work).channel, get_notice(work).mail_id) == (Channel.EMAIL, mail.id)
    await use_next_channel(fail(mail), work)
    assert [type(each) for each in work.published] == [CallNeeded]
    assert (get_notice(work).state, get_notice(work).because) == (NoticeState.TO_CALL, CallReason.MAIL_FAILED)


async def test_a_webhook_that_fails_without_a_mailbox_is_followed_by_a_call() -> None:
    work = await a_work(Channel.WEBHOOK)
    await notify_of_placement(an_example_of(PackagePlaced), work)
    await use_next_channel(fail(work.webhooks[0], "endpoint disabled"), work)
    assert get_notice(work).because is CallReason.WEBHOOK_FAILED


@pytest.mark.parametrize("channel", [Channel.WEBHOOK, Channel.EMAIL])
async def test_what_the_channel_has_accepted_is_published_once_with_its_instant(channel: Channel) -> None:
    work = await a_work(channel)
    await notify_of_placement(an_example_of(PackagePlaced), work)
    accepted = deliver(work.webhooks[0])
    await publish_notified(accepted, work)
    (told,) = work.published
    assert isinstance(told, ProviderNotified)
    assert (told.channel, told.notified_at, told.about) == (channel, accepted.delivered_at, PLACEMENT)
    assert (get_notice(work).state, get_notice(work).settled_at) == (NoticeState.NOTIFIED, accepted.delivered_at)


async def test_a_result_of_a_notice_that_is_settled_changes_nothing() -> None:
    work = await a_work(Channel.EMAIL)
    await notify_of_placement(an_example_of(PackagePlaced), work)
    (mail,) = work.webhooks
    await publish_notified(deliver(mail), work)
    await publish_notified(deliver(mail), work)
    await use_next_channel(fail(mail), work)
    assert [type(each) for each in work.published] == [ProviderNotified]


async def test_the_result_of_a_webhook_that_the_registry_does_not_know_falls_back_to_nothing() -> None:
    work = await a_work(Channel.EMAIL)
    unknown = Webhook(str(ALDER), "package.placed", str(PLACEMENT), {}, timedelta(hours=1), id=an_id("unknown"))
    await use_next_channel(fail(unknown), work)
    assert (work.webhooks, work.published) == ([], [])


async def test_an_offer_by_telephone_is_on_the_call_list_with_all_that_its_mail_would_say() -> None:
    work = await a_work()
    await send_offer(an_example_of(OfferMade, channel=Channel.PHONE), work)
    notice = get_notice(work, NoticeKind.OFFER_MADE)
    assert (notice.state, notice.about, notice.due_at) == (
        NoticeState.TO_CALL,
        OFFER,
        MONDAY_NINE + timedelta(minutes=30),
    )
    assert notice.facts.offer is not None
    assert work.published == [], "sourcing's event says already that the offer goes by telephone"


async def test_an_offer_that_its_mail_did_not_reach_is_one_call_with_what_the_mail_said() -> None:
    work = await a_work(Channel.EMAIL)
    await send_offer(an_example_of(OfferMade, channel=Channel.EMAIL), work)
    mailed = get_notice(work, NoticeKind.OFFER_MADE)
    redirected = an_example_of(OfferRedirected, from_channel=Channel.EMAIL, to_channel=Channel.PHONE)
    await redirect_offer(redirected, work)
    waiting = get_notice(work, NoticeKind.OFFER_MADE)
    assert (waiting.notice_id, waiting.state) == (mailed.notice_id, NoticeState.TO_CALL)
    assert (waiting.because, waiting.facts.offer) == (CallReason.MAIL_FAILED, mailed.facts.offer)


@pytest.mark.parametrize("ended", [OfferWithdrawn, OfferExpired])
async def test_the_call_about_an_offer_ends_with_the_offer_and_nobody_is_told_of_what_it_never_heard(
    ended: type[OfferWithdrawn] | type[OfferExpired],
) -> None:
    work = await a_work()
    await send_offer(an_example_of(OfferMade, channel=Channel.PHONE), work)
    event = an_example_of(ended)
    if isinstance(event, OfferWithdrawn):
        await notify_of_withdrawal(event, work)
    else:
        await notify_of_expiry(event, work)
    assert get_notice(work, NoticeKind.OFFER_MADE).state is NoticeState.LAPSED
    assert (work.published, len(work.tables.notices.notices)) == ([], 1)


async def test_a_provider_that_was_reached_by_telephone_hears_of_the_end_by_telephone() -> None:
    work = await a_work(sent=True)
    await notify_of_withdrawal(an_example_of(OfferWithdrawn), work)
    (needed,) = work.published
    assert isinstance(needed, CallNeeded)
    assert (needed.notice, needed.about) == (NoticeKind.OFFER_WITHDRAWN, OFFER)


async def test_the_newest_end_of_an_offer_takes_the_place_of_the_older_one_that_nobody_was_told() -> None:
    work = await a_work(sent=True)
    await notify_of_extension(an_example_of(OfferExtended), work)
    await notify_of_extension(an_example_of(OfferExtended), work)
    states = [each.state for each in work.tables.notices.notices.values()]
    assert states == [NoticeState.LAPSED, NoticeState.TO_CALL]
    await notify_of_withdrawal(an_example_of(OfferWithdrawn), work)
    states = [each.state for each in work.tables.notices.notices.values()]
    assert states == [NoticeState.LAPSED, NoticeState.LAPSED, NoticeState.TO_CALL]


async def test_a_voided_placement_replaces_the_call_about_the_placement_and_says_what_it_was() -> None:
    work = await a_work()
    placed = an_example_of(PackagePlaced)
    await notify_of_placement(placed, work)
    await notify_of_voided_placement(an_example_of(PlacementVoided), work)
    assert get_notice(work).state is NoticeState.LAPSED
    voided = get_notice(work, NoticeKind.PLACEMENT_VOIDED)
    assert (voided.facts.service_type, voided.facts.area) == (placed.service_type, placed.area)


async def test_a_voided_placement_does_not_cancel_the_placement_that_is_being_sent() -> None:
    work = await a_work(Channel.WEBHOOK)
    await notify_of_placement(an_example_of(PackagePlaced), work)
    await notify_of_voided_placement(an_example_of(PlacementVoided), work)
    assert [each.kind for each in work.webhooks] == ["package.placed", "placement.voided"]


async def test_channels_are_those_at_the_time_of_the_notice_so_that_nobody_is_told_twice() -> None:
    work = await a_work()
    await notify_of_placement(an_example_of(PackagePlaced), work)
    await add_channels(work, Channel.WEBHOOK, Channel.EMAIL, of=ALDER)
    assert (work.webhooks, get_notice(work).state) == ([], NoticeState.TO_CALL)
    await notify_of_voided_placement(an_example_of(PlacementVoided), work)
    assert [each.owner for each in work.webhooks] == [str(ALDER)]
