"""Delivery of offers and open packages: queues webhooks and mails, and publishes their results."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from contracts.events.listings import PackageListed
from contracts.events.offers import (
    OfferDelivered,
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferRedirected,
    OfferUndeliverable,
    OfferWithdrawn,
)
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.ids import CouncilKey, OfferId, PackageId, ProviderId
from contracts.offer_links import OfferLink
from contracts.office_time import to_office_date
from contracts.values import Channel
from provider_registry.domain.mails import OfferSummary, build_offer_mail
from provider_registry.domain.messages import (
    OFFER_MADE,
    OFFER_MAILED,
    Message,
    build_offer_expired,
    build_offer_extended,
    build_offer_made,
    build_offer_withdrawn,
    build_package_available,
    build_package_placed,
    build_placement_voided,
)
from provider_registry.domain.titles import Titles
from provider_registry.ports import OpenPackage, RegistryWork
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.mail import to_mailbox, to_owner
from service_runtime.webhooks.results import Delivered, Undeliverable


async def send_offer(event: OfferMade, work: RegistryWork) -> None:
    """Queues the offer at once. A missing endpoint or mailbox makes it undeliverable."""
    if event.channel is Channel.WEBHOOK:
        webhook = _build_webhook(event.provider_id, build_offer_made(event, work.delivery_terms.addresses), work)
        work.send_webhooks(replace(webhook, give_up_after=_get_delivery_time(event)))
    if event.channel is Channel.EMAIL:
        await _queue_mail(event, OfferSummary(event.care, event.weekly_hours, event.terms), work)


async def redirect_offer(event: OfferRedirected, work: RegistryWork) -> None:
    """Cancels the delivery on the old channel if it was not sent yet, and queues a mail if that is the new one."""
    if event.to_channel is not Channel.WEBHOOK:
        await work.cancel_webhook(OFFER_MADE, str(event.offer_id))
    if event.to_channel is not Channel.EMAIL:
        await work.cancel_webhook(OFFER_MAILED, str(event.offer_id))
        return
    await _queue_mail(event, await work.sent_offers.find_summary(event.package_id, event.offer_id), work)


async def notify_of_extension(event: OfferExtended, work: RegistryWork) -> None:
    """Notifies the provider of the new end if the offer was sent; an unsent offer states its duration itself."""
    if await work.sent_offers.has_been_sent(event.package_id, event.offer_id):
        work.send_webhooks(
            _build_webhook(event.provider_id, build_offer_extended(event, work.delivery_terms.addresses), work)
        )


async def notify_of_withdrawal(event: OfferWithdrawn, work: RegistryWork) -> None:
    await _notify_of_end(event, build_offer_withdrawn(event), work)


async def notify_of_expiry(event: OfferExpired, work: RegistryWork) -> None:
    await _notify_of_end(event, build_offer_expired(event), work)


async def notify_of_placement(event: PackagePlaced, work: RegistryWork) -> None:
    _notify_provider(event.provider_id, build_package_placed(event, work.delivery_terms.addresses), work)


async def notify_of_voided_placement(event: PlacementVoided, work: RegistryWork) -> None:
    _notify_provider(event.provider_id, build_placement_voided(event), work)


async def advertise_open_package(event: PackageListed, work: RegistryWork) -> None:
    """Notifies every provider that may propose: those with an active place, and spot providers."""
    recipients = await work.providers.find_open_package_recipients(
        OpenPackage(event.framework, event.advert.lot, event.advert.area),
        council=CouncilKey(work.cause.council),
        members=event.members,
        spot=event.spot,
    )
    message = build_package_available(event, work.delivery_terms.addresses)
    work.send_webhooks(*(_build_webhook(each, message, work) for each in recipients))


async def publish_webhook_delivered(result: Delivered, work: RegistryWork) -> None:
    """Publishes OfferDelivered at the instant of the endpoint's 2xx, when the answer clock starts."""
    work.publish(_build_delivered(result, to=result.owner, by=Channel.WEBHOOK))


async def publish_mail_delivered(result: Delivered, work: RegistryWork) -> None:
    """Publishes OfferDelivered at the instant at which the mail server accepted the mail."""
    work.publish(_build_delivered(result, to=to_owner(result.owner), by=Channel.EMAIL))


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


async def _notify_of_end(event: OfferWithdrawn | OfferExpired, message: Message, work: RegistryWork) -> None:
    """Cancels what is queued for the offer; notifies the provider only if the offer was sent."""
    await work.cancel_webhook(OFFER_MAILED, str(event.offer_id))
    if await work.cancel_webhook(OFFER_MADE, str(event.offer_id)):
        return
    if await work.sent_offers.has_been_sent(event.package_id, event.offer_id):
        work.send_webhooks(_build_webhook(event.provider_id, message, work))


def _notify_provider(provider_id: ProviderId, message: Message, work: RegistryWork) -> None:
    """Queues a webhook if the provider has an endpoint; officers inform the others."""
    work.send_webhooks(replace(_build_webhook(provider_id, message, work), only_with_endpoint=True))


async def _queue_mail(event: OfferMade | OfferRedirected, summary: OfferSummary | None, work: RegistryWork) -> None:
    """Queues the offer for the mailbox; publishes OfferUndeliverable if there is no mail server."""
    terms = work.delivery_terms
    if terms.mail is None:
        work.publish(
            OfferUndeliverable(
                package_id=event.package_id,
                offer_id=event.offer_id,
                provider_id=event.provider_id,
                channel=Channel.EMAIL,
                first_attempt_at=None,
                reason="no mail server",
            )
        )
        return
    token = terms.mail.links.create_token(
        OfferLink(event.offer_id, event.provider_id, work.now + terms.mail.link_valid_for)
    )
    link = f"{terms.addresses.sourcing}/v1/offer-links/{token}"
    titles = Titles() if summary is None else await _load_titles(summary, work)
    message = build_offer_mail(event.offer_id, summary, event.answer_by, link=link, titles=titles)
    work.send_webhooks(
        Webhook(
            owner=to_mailbox(str(event.provider_id)),
            kind=message.kind,
            about=message.about,
            data=message.data,
            give_up_after=_get_delivery_time(event),
        )
    )


async def _load_titles(summary: OfferSummary, work: RegistryWork) -> Titles:
    framework = summary.care.framework
    return Titles((await work.frameworks.load_in_force([framework], on=to_office_date(work.now))).get(framework))


def _get_delivery_time(event: OfferMade | OfferRedirected) -> timedelta:
    """Returns how long the offer may take to arrive; then it is undeliverable by its channel."""
    return timedelta(minutes=event.deliver_within_minutes)


def _build_webhook(provider_id: ProviderId, message: Message, work: RegistryWork) -> Webhook:
    return Webhook(
        owner=str(provider_id),
        kind=message.kind,
        about=message.about,
        data=message.data,
        give_up_after=work.delivery_terms.notification_delivery_timeout,
    )
