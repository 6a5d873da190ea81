"""Offers and open packages on their way to providers' systems: what is sent when, and what is told of how it went."""

from uuid import UUID

from contracts.events.listings import PackageListed
from contracts.events.packages import (
    OfferDelivered,
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferRedirected,
    OfferUndeliverable,
    OfferWithdrawn,
    PackagePlaced,
    PlacementVoided,
)
from contracts.events.providers import EndpointDisabled
from contracts.ids import CouncilKey, OfferId, PackageId, ProviderId
from contracts.offer_links import OfferLink
from contracts.values import Channel
from provider_registry.domain.mails import OfferSaid, offer_mail
from provider_registry.domain.messages import (
    OFFER_MADE,
    OFFER_MAILED,
    Message,
    offer_expired,
    offer_extended,
    offer_made,
    offer_withdrawn,
    package_available,
    package_placed,
    placement_voided,
)
from provider_registry.ports import RegistryWork
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.mail import mailbox_of, owner_of
from service_runtime.webhooks.results import Delivered, Gone, Undeliverable


async def send_offer(event: OfferMade, work: RegistryWork) -> None:
    """An offer goes out at once, also to a provider whose endpoint or mailbox is not there: that is soon told."""
    if event.channel is Channel.WEBHOOK:
        terms = work.delivery_terms
        message = offer_made(event, terms.addresses)
        work.send_webhooks(_webhook(event.provider_id, message, work, urgent=True))
    if event.channel is Channel.EMAIL:
        _mail(event, OfferSaid(event.care, event.weekly_hours, event.terms), work)


async def redirect_offer(event: OfferRedirected, work: RegistryWork) -> None:
    """The offer goes another way: what was not sent by then is not sent any more."""
    if event.to_channel is not Channel.WEBHOOK:
        await work.cancel_webhook(OFFER_MADE, str(event.offer_id))
    if event.to_channel is not Channel.EMAIL:
        await work.cancel_webhook(OFFER_MAILED, str(event.offer_id))
        return
    _mail(event, await work.sent_offers.said(event.package_id, event.offer_id), work)


async def tell_of_extension(event: OfferExtended, work: RegistryWork) -> None:
    """Whoever has heard of the offer hears that there is more time; the others still hear how long there is."""
    if await work.sent_offers.was_heard_of(event.package_id, event.offer_id):
        work.send_webhooks(_webhook(event.provider_id, offer_extended(event, work.delivery_terms.addresses), work))


async def tell_of_withdrawal(event: OfferWithdrawn, work: RegistryWork) -> None:
    await _tell_of_end(event, offer_withdrawn(event), work)


async def tell_of_expiry(event: OfferExpired, work: RegistryWork) -> None:
    await _tell_of_end(event, offer_expired(event), work)


async def tell_of_placement(event: PackagePlaced, work: RegistryWork) -> None:
    await _tell(event.provider_id, package_placed(event, work.delivery_terms.addresses), work)


async def tell_of_voided_placement(event: PlacementVoided, work: RegistryWork) -> None:
    await _tell(event.provider_id, placement_voided(event), work)


async def tell_of_open_package(event: PackageListed, work: RegistryWork) -> None:
    """All who may propose hear of it alike: the framework's providers of the area, and its spot providers if asked."""
    council = CouncilKey(work.cause.council)
    listeners = await work.providers.who_hear_of_open_packages(
        event.framework, event.advert.area, council=council, spot=event.spot
    )
    message = package_available(event, work.delivery_terms.addresses)
    work.send_webhooks(*(_webhook(each, message, work) for each in listeners))


async def note_delivered(result: Delivered, work: RegistryWork) -> None:
    """The endpoint's 2xx is the delivery: from that instant the provider's time to answer counts."""
    work.publish(_delivered(result, to=result.owner, by=Channel.WEBHOOK))


async def note_mailed(result: Delivered, work: RegistryWork) -> None:
    """The mail server's acceptance is the delivery."""
    work.publish(_delivered(result, to=owner_of(result.owner), by=Channel.EMAIL))


async def note_undeliverable(result: Undeliverable, work: RegistryWork) -> None:
    """Nothing arrived in time; a dead endpoint must not cost the provider its turn, so sourcing goes another way."""
    work.publish(_undeliverable(result, to=result.owner, by=Channel.WEBHOOK))


async def note_not_mailed(result: Undeliverable, work: RegistryWork) -> None:
    """The mail server refused, or was not there in time; an officer telephones."""
    work.publish(_undeliverable(result, to=owner_of(result.owner), by=Channel.EMAIL))


async def note_gone(gone: Gone, work: RegistryWork) -> None:
    """An endpoint answered 410. This is a package's unit of work: the provider's own follows, from this event."""
    work.publish(EndpointDisabled(provider_id=ProviderId(UUID(gone.owner)), reason="gone"))


def _delivered(result: Delivered, *, to: str, by: Channel) -> OfferDelivered:
    return OfferDelivered(
        package_id=PackageId(UUID(result.stream.key)),
        offer_id=OfferId(UUID(result.about)),
        provider_id=ProviderId(UUID(to)),
        channel=by,
        delivered_at=result.delivered_at,
    )


def _undeliverable(result: Undeliverable, *, to: str, by: Channel) -> OfferUndeliverable:
    return OfferUndeliverable(
        package_id=PackageId(UUID(result.stream.key)),
        offer_id=OfferId(UUID(result.about)),
        provider_id=ProviderId(UUID(to)),
        channel=by,
        first_attempt_at=result.first_attempt_at,
        reason=result.reason,
    )


async def _tell_of_end(event: OfferWithdrawn | OfferExpired, message: Message, work: RegistryWork) -> None:
    """An offer that no system has heard of ends in silence."""
    await work.cancel_webhook(OFFER_MAILED, str(event.offer_id))
    if await work.cancel_webhook(OFFER_MADE, str(event.offer_id)):
        return
    if await work.sent_offers.was_heard_of(event.package_id, event.offer_id):
        work.send_webhooks(_webhook(event.provider_id, message, work))


async def _tell(provider_id: ProviderId, message: Message, work: RegistryWork) -> None:
    """News goes to providers that have a system; the others hear it from the officers."""
    endpoint = await work.endpoints.get(str(provider_id))
    if endpoint is not None and endpoint.disabled_because is None:
        work.send_webhooks(_webhook(provider_id, message, work))


def _mail(event: OfferMade | OfferRedirected, said: OfferSaid | None, work: RegistryWork) -> None:
    """Queues the offer for the mailbox; without a mail server it is told at once that this is no way to go."""
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
    token = terms.mail.links.token(OfferLink(event.offer_id, event.provider_id, work.now + terms.mail.link_valid_for))
    link = f"{terms.addresses.sourcing}/v1/offer-links/{token}"
    message = offer_mail(event.offer_id, said, event.answer_by, link=link)
    work.send_webhooks(
        Webhook(
            owner=mailbox_of(str(event.provider_id)),
            kind=message.kind,
            about=message.about,
            data=message.data,
            give_up_after=terms.offer_given_up_after,
        )
    )


def _webhook(provider_id: ProviderId, message: Message, work: RegistryWork, *, urgent: bool = False) -> Webhook:
    terms = work.delivery_terms
    patience = terms.offer_given_up_after if urgent else terms.news_given_up_after
    return Webhook(
        owner=str(provider_id),
        kind=message.kind,
        about=message.about,
        data=message.data,
        give_up_after=patience,
    )
