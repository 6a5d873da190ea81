"""Tells providers by their first working channel, and records what became of each notice.

The next channel follows when one has failed: webhook, mail, an entry on the officers' call list.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from contracts.catalogue import PACKAGES
from contracts.events.base import Event
from contracts.events.notices import CallNeeded, CallReason, ListCallNeeded, ListDelivered, NoticeKind, ProviderNotified
from contracts.ids import CouncilKey, ListId, NoticeId, PackageId, ProviderId
from contracts.values import Channel
from provider_registry.domain.messages import MessageData
from provider_registry.domain.notice import Notice, NoticeState
from provider_registry.domain.notices import Announcement, Urgency, find_rule
from provider_registry.handlers.notice_mails import build_mail_data, complete_facts
from provider_registry.ports import RegistryWork
from service_runtime.observability.instruments import CounterSpec
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.mail import is_mailbox, to_mailbox
from service_runtime.webhooks.results import Delivered, Undeliverable

NOTICES_SETTLED: Final = CounterSpec(
    "calloff_notices",
    "Notices to providers that were told, or put on the officers' call list",
    labels=("kind", "channel", "outcome"),
)


async def notify_providers(
    announcements: Sequence[Announcement],
    work: RegistryWork,
    *,
    package_id: PackageId | None = None,
    list_id: ListId | None = None,
) -> None:
    """Queues a notice to each provider in the stream of a package or of a list."""
    first_channels = await _find_first_channels({each.provider_id for each in announcements}, work)
    for each in announcements:
        first = first_channels[each.provider_id]
        notice = _build_notice(each, first, work, package_id=package_id, list_id=list_id)
        match first:
            case Channel.WEBHOOK:
                _send_webhook(notice, each.data, work)
                work.notices.save(notice)
            case Channel.EMAIL:
                await send_mail(notice, work, mail_id=notice.notice_id)
            case Channel.PHONE:
                await put_on_call_list(notice, CallReason.ONLY_BY_PHONE, work)


async def _find_first_channels(providers: Collection[ProviderId], work: RegistryWork) -> Mapping[ProviderId, Channel]:
    """Returns each provider's first channel; without a mail server there is no mail."""
    found = await work.notices.find_first_channels(providers)
    if work.delivery_terms.mail is not None:
        return found
    return {key: Channel.PHONE if channel is Channel.EMAIL else channel for key, channel in found.items()}


async def _has_mail(provider_id: ProviderId, work: RegistryWork) -> bool:
    return work.delivery_terms.mail is not None and await work.mailboxes.has_mailbox(str(provider_id))


async def publish_notified(result: Delivered, work: RegistryWork) -> None:
    """Publishes that the provider was told, at the instant at which the endpoint or the mail server accepted it."""
    if not is_mailbox(result.owner) and result.stream.topic == PACKAGES:
        _publish_webhook_notified(result, work)
        return
    notice = await _find_notice(result, work)
    if notice is not None and notice.state is NoticeState.SENDING:
        mark_notified(replace(notice, settled_at=result.delivered_at), notice.channel, work)


def _publish_webhook_notified(result: Delivered, work: RegistryWork) -> None:
    """Publishes it without a look at the notice, which has the webhook's id."""
    notice_id, kind = NoticeId(result.id), NoticeKind(result.kind)
    work.notices.mark_notified(notice_id, result.delivered_at)
    work.observe(NOTICES_SETTLED, 1, labels=(kind.value, Channel.WEBHOOK.value, "notified"))
    work.publish(
        ProviderNotified(
            package_id=PackageId(UUID(result.stream.key)),
            notice_id=notice_id,
            notice=kind,
            about=UUID(result.about),
            provider_id=ProviderId(UUID(result.owner)),
            channel=Channel.WEBHOOK,
            notified_at=result.delivered_at,
        )
    )


async def use_next_channel(result: Undeliverable, work: RegistryWork) -> None:
    """Sends by mail what the endpoint did not accept, and puts on the call list what no mail reached."""
    notice = await _find_notice(result, work)
    if notice is None or notice.state is not NoticeState.SENDING:
        return
    if is_mailbox(result.owner):
        await put_on_call_list(notice, CallReason.MAIL_FAILED, work)
    elif await _has_mail(notice.provider_id, work):
        await send_mail(notice, work, mail_id=work.new_id())
    else:
        await put_on_call_list(notice, CallReason.WEBHOOK_FAILED, work)


async def _find_notice(result: Delivered | Undeliverable, work: RegistryWork) -> Notice | None:
    if is_mailbox(result.owner):
        return await work.notices.find_by_mail(result.id)
    return await work.notices.find(NoticeId(result.id))


async def send_mail(notice: Notice, work: RegistryWork, *, mail_id: UUID) -> None:
    """Queues a mail; a refusal for good, of the mailbox or of the content, ends its attempts."""
    completed, data = await build_mail_data(notice, work)
    urgency = find_rule(notice.kind).urgency
    work.send_webhooks(
        Webhook(
            owner=to_mailbox(str(notice.provider_id)),
            kind=notice.kind.value,
            about=str(notice.about),
            data=data,
            give_up_after=min(urgency.try_for, work.delivery_terms.notification_delivery_timeout),
            id=mail_id,
        )
    )
    work.notices.save(completed.send_by_mail(mail_id))


async def put_on_call_list(notice: Notice, because: CallReason, work: RegistryWork) -> None:
    """Puts a notice on the officers' call list; for an offer by telephone, sourcing's events say so already."""
    waiting = (await complete_facts(notice, work)).put_on_call_list(because)
    work.notices.save(waiting)
    work.observe(NOTICES_SETTLED, 1, labels=(notice.kind.value, Channel.PHONE.value, "to call"))
    if not notice.is_offer or because is CallReason.MAIL_BOUNCED:
        work.publish(_build_call_needed(waiting, because))


def mark_notified(notice: Notice, channel: Channel, work: RegistryWork) -> Notice:
    """Publishes that the provider was told at `settled_at` of the notice, else now; offers have their own events."""
    notified = notice.mark_notified(channel, notice.settled_at or work.now)
    work.notices.save(notified)
    work.observe(NOTICES_SETTLED, 1, labels=(notice.kind.value, channel.value, "notified"))
    if not notice.is_offer or notice.because is CallReason.MAIL_BOUNCED:
        work.publish(_build_notified(notified))
    return notified


async def lapse(notices: Sequence[Notice], work: RegistryWork) -> None:
    """Ends notices that nobody needs any more; what was queued and never sent is cancelled."""
    for kind, about in {(each.kind.value, str(each.about)) for each in notices if each.state is NoticeState.SENDING}:
        await work.cancel_webhook(kind, about)
    for each in notices:
        work.notices.save(each.mark_lapsed(work.now))


def _build_notice(
    announcement: Announcement,
    channel: Channel,
    work: RegistryWork,
    *,
    package_id: PackageId | None,
    list_id: ListId | None,
) -> Notice:
    return Notice(
        notice_id=NoticeId(work.new_id()),
        council=CouncilKey(work.cause.council),
        package_id=package_id,
        list_id=list_id,
        kind=announcement.kind,
        about=announcement.about,
        provider_id=announcement.provider_id,
        facts=announcement.facts,
        channel=channel,
        state=NoticeState.SENDING,
        created_at=work.now,
        due_at=work.now + find_rule(announcement.kind).urgency.notify_within,
    )


def _send_webhook(notice: Notice, data: MessageData, work: RegistryWork) -> None:
    urgency: Urgency = find_rule(notice.kind).urgency
    work.send_webhooks(
        Webhook(
            owner=str(notice.provider_id),
            kind=notice.kind.value,
            about=str(notice.about),
            data=data,
            give_up_after=min(urgency.try_for, work.delivery_terms.notification_delivery_timeout),
            id=notice.notice_id,
        )
    )


def _build_notified(notice: Notice) -> Event:
    notified_at = notice.settled_at or notice.created_at
    if notice.list_id is not None and notice.facts.issued is not None:
        return ListDelivered(
            list_id=notice.list_id,
            part=notice.facts.issued.part,
            notice_id=notice.notice_id,
            provider_id=notice.provider_id,
            channel=notice.channel,
            notified_at=notified_at,
            content_hash=notice.facts.issued.content_hash,
        )
    return ProviderNotified(
        package_id=_get_package(notice),
        notice_id=notice.notice_id,
        notice=notice.kind,
        about=notice.about,
        provider_id=notice.provider_id,
        channel=notice.channel,
        notified_at=notified_at,
    )


def _build_call_needed(notice: Notice, because: CallReason) -> Event:
    if notice.list_id is not None and notice.facts.issued is not None:
        return ListCallNeeded(
            list_id=notice.list_id,
            part=notice.facts.issued.part,
            notice_id=notice.notice_id,
            provider_id=notice.provider_id,
            due_at=notice.due_at,
            reason=because,
        )
    return CallNeeded(
        package_id=_get_package(notice),
        notice_id=notice.notice_id,
        notice=notice.kind,
        about=notice.about,
        provider_id=notice.provider_id,
        due_at=notice.due_at,
        reason=because,
    )


def _get_package(notice: Notice) -> PackageId:
    assert notice.package_id is not None, "a notice is about a package or a list"
    return notice.package_id
