"""Notices about packages: what their providers are told of offers that change or end, placements and open packages."""

from dataclasses import replace

from contracts.events.listings import PackageListed, ProposalReceived
from contracts.events.notices import NoticeKind
from contracts.events.offers import OfferExpired, OfferExtended, OfferWithdrawn
from contracts.events.officer_acts import CounterOfferMade
from contracts.events.searches import PackagePlaced, PlacementVoided, SourcingStopped
from contracts.ids import CouncilKey, OfferId
from provider_registry.domain.messages import OFFER_MADE, OFFER_MAILED
from provider_registry.domain.notice import NoticeState, StandingProposal
from provider_registry.domain.notices import (
    COUNTER_OFFER_MADE,
    OFFER_EXPIRED,
    OFFER_EXTENDED,
    OFFER_WITHDRAWN,
    PACKAGE_AVAILABLE,
    PACKAGE_PLACED,
    PLACEMENT_VOIDED,
    PROPOSAL_NOT_CHOSEN,
    Announcement,
    announce_unchosen,
)
from provider_registry.handlers.notices import lapse, notify_providers
from provider_registry.ports import OpenPackage, RegistryWork

_PLACED_WITH_ANOTHER = "placed with another provider"
_WITHDRAWN = "the council withdrew the package"


async def notify_of_extension(event: OfferExtended, work: RegistryWork) -> None:
    """Tells the provider the new end if the offer was sent; an unsent offer states its duration itself."""
    if await work.sent_offers.has_been_sent(event.package_id, event.offer_id):
        await _lapse_about_offer(event.offer_id, OFFER_EXTENDED.makes_pointless, work)
        announcement = OFFER_EXTENDED.announce(event, event.provider_id, work.delivery_terms.addresses)
        await notify_providers([announcement], work, package_id=event.package_id)


async def notify_of_withdrawal(event: OfferWithdrawn, work: RegistryWork) -> None:
    announcement = OFFER_WITHDRAWN.announce(event, event.provider_id, work.delivery_terms.addresses)
    await _notify_of_end(event, announcement, work)


async def notify_of_expiry(event: OfferExpired, work: RegistryWork) -> None:
    announcement = OFFER_EXPIRED.announce(event, event.provider_id, work.delivery_terms.addresses)
    await _notify_of_end(event, announcement, work)


async def _notify_of_end(event: OfferWithdrawn | OfferExpired, announcement: Announcement, work: RegistryWork) -> None:
    """Cancels what is queued for the offer, and its call; tells the provider only if the offer has reached it."""
    await work.cancel_webhook(OFFER_MAILED, str(event.offer_id))
    if await work.cancel_webhook(OFFER_MADE, str(event.offer_id)):
        return
    was_sent = await work.sent_offers.has_been_sent(event.package_id, event.offer_id)
    await _lapse_about_offer(event.offer_id, OFFER_WITHDRAWN.makes_pointless, work)
    if was_sent:
        await notify_providers([announcement], work, package_id=event.package_id)


async def _lapse_about_offer(offer_id: OfferId, kinds: tuple[NoticeKind, ...], work: RegistryWork) -> None:
    found = work.notices.get_open_matters().notices
    await lapse([each for each in found if each.kind in kinds and each.about == offer_id], work)


async def notify_of_placement(event: PackagePlaced, work: RegistryWork) -> None:
    """Tells the provider, and the others whose proposals stood; calls about offers and the advert are pointless."""
    matters = work.notices.get_open_matters()
    await lapse([each for each in matters.notices if each.kind in PACKAGE_PLACED.makes_pointless], work)
    placed = PACKAGE_PLACED.announce(event, event.provider_id, work.delivery_terms.addresses)
    others = [each for each in matters.proposals if each.provider_id != event.provider_id]
    unchosen = [announce_unchosen(each, _PLACED_WITH_ANOTHER) for each in others]
    await notify_providers([placed, *unchosen], work, package_id=event.package_id)
    if matters.proposals:
        work.notices.end_proposals(event.package_id)


async def notify_of_counter_offer(event: CounterOfferMade, work: RegistryWork) -> None:
    """Tells the provider the council's rate; it takes the place of an older one that the provider was not told."""
    matters = work.notices.get_open_matters()
    older = [each for each in matters.notices if each.provider_id == event.provider_id]
    await lapse([each for each in older if each.kind in COUNTER_OFFER_MADE.makes_pointless], work)
    announcement = COUNTER_OFFER_MADE.announce(event, event.provider_id, work.delivery_terms.addresses)
    proposed = [each.facts for each in matters.proposals if each.proposal_id == event.proposal_id]
    facts = announcement.facts.complete(*proposed) if proposed else announcement.facts
    await notify_providers([replace(announcement, facts=facts)], work, package_id=event.package_id)


async def notify_of_voided_placement(event: PlacementVoided, work: RegistryWork) -> None:
    """Tells the provider; a call that was to tell it of the placement is pointless, what is being sent is not."""
    found = work.notices.get_open_matters().notices
    calls = [each for each in found if each.about == event.placement_id and each.state is NoticeState.TO_CALL]
    await lapse([each for each in calls if each.kind in PLACEMENT_VOIDED.makes_pointless], work)
    announcement = PLACEMENT_VOIDED.announce(event, event.provider_id, work.delivery_terms.addresses)
    await notify_providers([announcement], work, package_id=event.package_id)


async def notify_of_stop(event: SourcingStopped, work: RegistryWork) -> None:
    """Tells those whose proposals stood that the package is withdrawn; adverts are pointless."""
    matters = work.notices.get_open_matters()
    await lapse([each for each in matters.notices if each.kind in PACKAGE_PLACED.makes_pointless], work)
    if matters.proposals:
        unchosen = [announce_unchosen(each, _WITHDRAWN) for each in matters.proposals]
        await notify_providers(unchosen, work, package_id=event.package_id)
        work.notices.end_proposals(event.package_id)


async def remember_proposal(event: ProposalReceived, work: RegistryWork) -> None:
    """Saves the proposal in place of the provider's older one."""
    facts = PROPOSAL_NOT_CHOSEN.facts(event)
    work.notices.save_proposal(event.package_id, StandingProposal(event.provider_id, event.proposal_id, facts))


async def advertise_open_package(event: PackageListed, work: RegistryWork) -> None:
    """Tells every provider that may propose; of a package that waits for a list, the list tells."""
    if event.opens_at is not None:
        return
    recipients = await work.providers.find_open_package_recipients(
        OpenPackage(event.framework, event.advert.lot, event.advert.area, event.reach),
        council=CouncilKey(work.cause.council),
        members=event.members,
        spot=event.spot,
    )
    addresses = work.delivery_terms.addresses
    announcements = [PACKAGE_AVAILABLE.announce(event, each, addresses) for each in recipients]
    await notify_providers(announcements, work, package_id=event.package_id)
