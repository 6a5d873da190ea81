"""Calls of officers about notices, and mails that come back."""

import pytest

from contracts.catalogue import PACKAGES
from contracts.events.notices import CallNeeded, CallReason, NoticeKind, ProviderNotified
from contracts.events.offers import CallRecorded, CallResult, OfferExpired, OfferMade
from contracts.events.searches import PackagePlaced
from contracts.examples import an_example_of, an_id
from contracts.ids import CouncilKey, NoticeId, OfferId, PackageId, ProviderId
from contracts.values import Channel
from provider_registry.domain.errors import CallRecordedAtSourcing, NoCallNeeded, NoticeNotFound
from provider_registry.domain.notice import Notice, NoticeState
from provider_registry.handlers.call_list import RecordNoticeCall, record_mail_bounce, record_notice_call
from provider_registry.handlers.notices import publish_notified
from provider_registry.handlers.offers import publish_mail_delivered, record_offer_call, send_offer
from provider_registry.handlers.package_notices import notify_of_expiry, notify_of_placement
from provider_registry.ports.notices import MailBounce
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.results import Delivered
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import OTHER_COUNCIL
from testkit.provider_registry.fakes import InMemoryRegistryWork, RegistryTables, build_unit_of_work

PACKAGE, ALDER = PackageId(an_id("package_id")), ProviderId(an_id("provider_id"))


async def a_call_to_make(kind: NoticeKind = NoticeKind.PACKAGE_PLACED) -> InMemoryRegistryWork:
    """The unit of work of an officer, with one call on the list."""
    work = build_unit_of_work()
    if kind is NoticeKind.OFFER_MADE:
        await send_offer(an_example_of(OfferMade, channel=Channel.PHONE), work)
    else:
        await notify_of_placement(an_example_of(PackagePlaced), work)
    work.published.clear()
    return work


def get_notice(work: InMemoryRegistryWork, kind: NoticeKind | None = None) -> Notice:
    found = work.tables.notices.notices.values()
    (notice,) = [each for each in found if kind is None or each.kind is kind]
    return notice


def order_call(work: InMemoryRegistryWork, result: CallResult) -> RecordNoticeCall:
    return RecordNoticeCall(get_notice(work).notice_id, result)


async def test_a_call_that_reaches_the_provider_tells_it_and_records_the_officer() -> None:
    work = await a_call_to_make()
    await record_notice_call(order_call(work, CallResult.NOT_REACHED), work)
    assert (get_notice(work).state, work.published) == (NoticeState.TO_CALL, [])
    await record_notice_call(order_call(work, CallResult.REACHED), work)
    (told,) = work.published
    assert isinstance(told, ProviderNotified)
    assert (told.channel, told.notified_at) == (Channel.PHONE, MONDAY_NINE)
    calls = [(call.attempt, call.result, call.officer) for _, call in work.tables.notices.calls]
    assert calls == [(1, CallResult.NOT_REACHED, "officer:first"), (2, CallResult.REACHED, "officer:first")]


async def test_a_second_call_about_the_same_notice_is_refused() -> None:
    work = await a_call_to_make()
    await record_notice_call(order_call(work, CallResult.REACHED), work)
    with pytest.raises(NoCallNeeded, match="notified"):
        await record_notice_call(order_call(work, CallResult.REACHED), work)
    assert len(work.published) == 1


async def test_a_call_about_an_offer_is_recorded_with_the_offer() -> None:
    work = await a_call_to_make(NoticeKind.OFFER_MADE)
    with pytest.raises(CallRecordedAtSourcing, match="/v1/offers/"):
        await record_notice_call(order_call(work, CallResult.REACHED), work)


async def test_an_unknown_notice_and_one_of_another_council_do_not_exist() -> None:
    work = await a_call_to_make()
    with pytest.raises(NoticeNotFound):
        await record_notice_call(RecordNoticeCall(NoticeId(an_id("unknown")), CallResult.REACHED), work)
    foreign = build_unit_of_work(work.tables, council=OTHER_COUNCIL)
    with pytest.raises(NoticeNotFound):
        await record_notice_call(order_call(work, CallResult.REACHED), foreign)


async def test_calls_recorded_at_sourcing_count_and_the_one_that_reaches_takes_the_offer_off_the_list() -> None:
    work = await a_call_to_make(NoticeKind.OFFER_MADE)
    await record_offer_call(an_example_of(CallRecorded, result=CallResult.NOT_REACHED, attempt=1), work)
    assert (get_notice(work).calls, get_notice(work).state) == (1, NoticeState.TO_CALL)
    await record_offer_call(an_example_of(CallRecorded, result=CallResult.REACHED, attempt=2), work)
    assert (get_notice(work).calls, get_notice(work).state) == (2, NoticeState.NOTIFIED)
    assert work.published == [], "sourcing's events say so"


@pytest.mark.parametrize(("asks_all", "state"), [(False, NoticeState.LAPSED), (True, NoticeState.TO_CALL)])
async def test_the_next_offer_ends_the_call_about_the_one_before_unless_all_are_asked_at_once(
    asks_all: bool, state: NoticeState
) -> None:
    work = await a_call_to_make(NoticeKind.OFFER_MADE)
    other = an_example_of(OfferMade, channel=Channel.WEBHOOK, offer_id=OfferId(an_id("next")), asks_all=asks_all)
    await send_offer(other, work)
    assert get_notice(work).state is state
    assert [each.kind for each in work.webhooks] == ["offer.made"]


async def a_mailed_notice() -> tuple[InMemoryRegistryWork, Webhook]:
    """A placement that goes to Alder by mail."""
    work = build_unit_of_work(RegistryTables(mailboxes={str(ALDER)}))
    await notify_of_placement(an_example_of(PackagePlaced), work)
    return work, work.webhooks[0]


def accept(mail: Webhook) -> Delivered:
    assert mail.id is not None
    stream = StreamKey(PACKAGES, str(PACKAGE))
    return Delivered(mail.id, mail.owner, mail.kind, mail.about, stream, MONDAY_NINE, MONDAY_NINE, attempts=1)


def come_back(mail: Webhook) -> MailBounce:
    assert mail.id is not None
    return MailBounce(mail.id, "5.1.1")


async def test_a_mail_that_comes_back_puts_its_notice_on_the_call_list_once() -> None:
    work, mail = await a_mailed_notice()
    await publish_notified(accept(mail), work)
    await record_mail_bounce(come_back(mail), work)
    await record_mail_bounce(come_back(mail), work)
    assert [type(each) for each in work.published] == [ProviderNotified, CallNeeded]
    assert (get_notice(work).state, get_notice(work).because) == (NoticeState.TO_CALL, CallReason.MAIL_BOUNCED)
    await record_notice_call(order_call(work, CallResult.REACHED), work)
    assert get_notice(work).state is NoticeState.NOTIFIED


async def test_a_bounce_that_is_reported_before_the_servers_acceptance_counts() -> None:
    work, mail = await a_mailed_notice()
    await record_mail_bounce(come_back(mail), work)
    await publish_notified(accept(mail), work)
    assert get_notice(work).state is NoticeState.TO_CALL
    assert [type(each) for each in work.published] == [CallNeeded]


async def test_a_bounce_after_the_call_changes_nothing() -> None:
    work, mail = await a_mailed_notice()
    await record_mail_bounce(come_back(mail), work)
    await record_notice_call(order_call(work, CallResult.REACHED), work)
    await record_mail_bounce(MailBounce(an_id("another mail"), "5.1.1"), work)
    await record_mail_bounce(come_back(mail), work)
    assert get_notice(work).state is NoticeState.NOTIFIED


async def test_an_offer_whose_mail_came_back_is_called_about_here_unless_it_has_ended() -> None:
    work = build_unit_of_work(RegistryTables(mailboxes={str(ALDER)}))
    await send_offer(an_example_of(OfferMade, channel=Channel.EMAIL), work)
    (mail,) = work.webhooks
    await publish_mail_delivered(accept(mail), work)
    await record_mail_bounce(come_back(mail), work)
    offer = get_notice(work, NoticeKind.OFFER_MADE)
    assert (offer.state, offer.because) == (NoticeState.TO_CALL, CallReason.MAIL_BOUNCED)
    await record_notice_call(RecordNoticeCall(offer.notice_id, CallResult.REACHED), work)
    assert isinstance(work.published[-1], ProviderNotified)


async def test_an_offer_that_has_ended_is_not_called_about_when_its_mail_comes_back() -> None:
    work = build_unit_of_work(RegistryTables(mailboxes={str(ALDER)}))
    await send_offer(an_example_of(OfferMade, channel=Channel.EMAIL), work)
    mail = work.webhooks[0]
    await publish_mail_delivered(accept(mail), work)
    work.webhooks.clear()
    await notify_of_expiry(an_example_of(OfferExpired), work)
    await record_mail_bounce(come_back(mail), work)
    assert get_notice(work, NoticeKind.OFFER_MADE).state is NoticeState.NOTIFIED


async def test_the_council_of_a_notice_is_that_of_its_event() -> None:
    work = await a_call_to_make()
    assert get_notice(work).council == CouncilKey(work.cause.council)
