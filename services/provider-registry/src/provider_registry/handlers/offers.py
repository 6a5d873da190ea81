"""Delivery of offers: queues webhooks and mails, keeps the officers' calls about offers, and publishes results.

Sourcing decides by which channel an offer goes; what else providers are told is in `package_notices`.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from contracts.events.notices import CallReason, NoticeKind
from contracts.events.offers import (
    CallRecorded,
    CallResult,
    OfferDelivered,
    OfferMade,
    OfferRedirected,
    OfferUndeliverable,
)
from contracts.framework.titles import Titles
from contracts.ids import CouncilKey, NoticeId, OfferId, PackageId, ProviderId
from contracts.office_time import to_office_date
from contracts.values import Channel
from provider_registry.domain.mails import build_offer_mail
from provider_registry.domain.messages import OFFER_MADE, OFFER_MAILED, build_offer_made
from provider_registry.domain.notice import Notice, NoticeFacts, NoticeState
from provider_registry.domain.notices import OFFER_MADE as OFFER_RULE
from provider_registry.domain.offer_summary import OfferSummary
from provider_registry.handlers.notice_mails import build_offer_link, find_offer_facts
from provider_registry.handlers.notices import lapse, mark_notified, put_on_call_list
from provider_registry.ports import RegistryWork
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.mail import to_mailbox, to_owner
from service_runtime.webhooks.results import Delivered, Undeliverable


async def send_offer(event: OfferMade, work: RegistryWork) -> None:
    """Queues the offer at once, or puts it on the call list. A missing endpoint or mailbox makes it undeliverable.

    An offer that asks one provider follows the end of the one before, whose call is pointless.
    """
    if not event.asks_all:
        earlier = work.notices.get_open_matters().notices
        await lapse([each for each in earlier if each.is_offer and each.state is NoticeState.TO_CALL], work)
    if event.channel is Channel.WEBHOOK:
        message = build_offer_made(event, work.delivery_terms.addresses)
        work.send_webhooks(
            Webhook(
                owner=str(event.provider_id),
                kind=message.kind,
                about=message.about,
                data=message.data,
                give_up_after=_get_delivery_time(event),
            )
        )
        return
    notice = _build_notice(event, OFFER_RULE.facts(event), work)
    if event.channel is Channel.EMAIL:
        await _queue_mail(event, notice, work)
    else:
        await put_on_call_list(notice, CallReason.ONLY_BY_PHONE, work)


async def redirect_offer(event: OfferRedirected, work: RegistryWork) -> None:
    """Cancels the delivery on the old channel if it was not sent yet, and queues a mail or a call as the new one."""
    if event.to_channel is not Channel.WEBHOOK:
        await work.cancel_webhook(OFFER_MADE, str(event.offer_id))
    if event.to_channel is not Channel.EMAIL:
        await work.cancel_webhook(OFFER_MAILED, str(event.offer_id))
    if event.to_channel is Channel.WEBHOOK:
        return
    notice = await _find_or_build_notice(event, work)
    if event.to_channel is Channel.EMAIL:
        await _queue_mail(event, notice, work)
    else:
        is_mail = event.from_channel is Channel.EMAIL
        await put_on_call_list(notice, CallReason.MAIL_FAILED if is_mail else CallReason.WEBHOOK_FAILED, work)


async def record_offer_call(event: CallRecorded, work: RegistryWork) -> None:
    """Takes an offer off the call list when a call has reached its provider, and counts the calls before."""
    notice = await work.notices.find_newest(event.package_id, NoticeKind.OFFER_MADE, event.offer_id)
    if notice is None or notice.state is not NoticeState.TO_CALL:
        return
    called = replace(notice, calls=event.attempt)
    if event.result is CallResult.REACHED:
        mark_notified(called, Channel.PHONE, work)
    else:
        work.notices.save(called)


async def publish_webhook_delivered(result: Delivered, work: RegistryWork) -> None:
    """Publishes OfferDelivered at the instant of the endpoint's 2xx, when the answer clock starts."""
    work.publish(_build_delivered(result, to=result.owner, by=Channel.WEBHOOK))


async def publish_mail_delivered(result: Delivered, work: RegistryWork) -> None:
    """Publishes OfferDelivered at the instant at which the mail server accepted the mail."""
    work.publish(_build_delivered(result, to=to_owner(result.owner), by=Channel.EMAIL))
    notice = await work.notices.find_by_mail(result.id)
    if notice is not None and notice.state is NoticeState.SENDING:
        mark_notified(replace(notice, settled_at=result.delivered_at), Channel.EMAIL, work)


async def publish_webhook_undeliverable(result: Undeliverable, work: RegistryWork) -> None:
    """Publishes OfferUndeliverable, so that sourcing uses the fallback channel and the provider keeps its turn."""
    work.publish(_build_undeliverable(result, to=result.owner, by=Channel.WEBHOOK))


async def publish_mail_undeliverable(result: Undeliverable, work: RegistryWork) -> None:
    """Publishes OfferUndeliverable after the mail server refused or did not answer in time."""
    work.publish(_build_undeliverable(result, to=to_owner(result.owner), by=Channel.EMAIL))


def _build_delivered(result: Delivered, *, to: str, by: Channel) -> OfferDelivered:
    return OfferDelivered(
        package_id=PackageId(UUID(result.stream.key)),
        offer_id=OfferId(UUID(result.about)),
        provider_id=ProviderId(UUID(to)),
        channel=by,
        delivered_at=result.delivered_at,
    )


def _build_undeliverable(result: Undeliverable, *, to: str, by: Channel) -> OfferUndeliverable:
    return OfferUndeliverable(
        package_id=PackageId(UUID(result.stream.key)),
        offer_id=OfferId(UUID(result.about)),
        provider_id=ProviderId(UUID(to)),
        channel=by,
        first_attempt_at=result.first_attempt_at,
        reason=result.reason,
    )


async def _find_or_build_notice(event: OfferRedirected, work: RegistryWork) -> Notice:
    """Returns the notice of the offer's mail, due anew, or a new one with what its webhook said."""
    known = await work.notices.find_newest(event.package_id, NoticeKind.OFFER_MADE, event.offer_id)
    facts = await find_offer_facts(event.package_id, event.offer_id, work)
    fresh = _build_notice(event, replace(facts, answer_within=event.answer_by), work)
    return fresh if known is None else replace(fresh, notice_id=known.notice_id, created_at=known.created_at)


def _build_notice(event: OfferMade | OfferRedirected, facts: NoticeFacts, work: RegistryWork) -> Notice:
    return Notice(
        notice_id=NoticeId(work.new_id()),
        council=CouncilKey(work.cause.council),
        package_id=event.package_id,
        list_id=None,
        kind=NoticeKind.OFFER_MADE,
        about=event.offer_id,
        provider_id=event.provider_id,
        facts=facts,
        channel=Channel.PHONE,
        state=NoticeState.SENDING,
        created_at=work.now,
        due_at=work.now + OFFER_RULE.urgency.notify_within,
    )


async def _queue_mail(event: OfferMade | OfferRedirected, notice: Notice, work: RegistryWork) -> None:
    """Queues a mail to the provider's mailbox. Without a mail server it is undeliverable at once."""
    link = build_offer_link(event.offer_id, event.provider_id, work)
    if link is None:
        work.publish(_build_never_sent(event))
        return
    summary = notice.facts.offer
    titles = await _find_titles(summary, work)
    message = build_offer_mail(event.offer_id, summary, event.answer_by, link=link, titles=titles)
    mail_id = work.new_id()
    work.send_webhooks(
        Webhook(
            owner=to_mailbox(str(event.provider_id)),
            kind=message.kind,
            about=message.about,
            data=message.data,
            give_up_after=_get_delivery_time(event),
            id=mail_id,
        )
    )
    work.notices.save(notice.send_by_mail(mail_id))


def _build_never_sent(event: OfferMade | OfferRedirected) -> OfferUndeliverable:
    return OfferUndeliverable(
        package_id=event.package_id,
        offer_id=event.offer_id,
        provider_id=event.provider_id,
        channel=Channel.EMAIL,
        first_attempt_at=None,
        reason="no mail server",
    )


async def _find_titles(summary: OfferSummary | None, work: RegistryWork) -> Titles:
    if summary is None:
        return Titles(None)
    framework = summary.care.framework
    return Titles((await work.frameworks.load_in_force([framework], on=to_office_date(work.now))).get(framework))


def _get_delivery_time(event: OfferMade | OfferRedirected) -> timedelta:
    """Returns how long the offer may take to arrive; then it is undeliverable by its channel."""
    return timedelta(minutes=event.deliver_within_minutes)
