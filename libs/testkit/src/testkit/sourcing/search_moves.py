"""The moves of a random search: functions that choose the next trigger from a search's state and a random number."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from contracts.events.offers import CallResult, OfferDelivered, OfferUndeliverable
from contracts.events.orders import SpotPriceRefused
from contracts.example_words import DeclineReasons, InadequateReasons, PriceRefusals, Variations
from contracts.values import Channel
from sourcing.domain.listed_package import Proposal
from sourcing.domain.offer import Accept, Decline, Offer
from sourcing.domain.triggers import (
    AnswerOffer,
    AnswerRecorded,
    AwardProposal,
    Outage,
    OutageOver,
    ProjectionUpdated,
    RecordCall,
    RegisterInterest,
    SubmitProposal,
    Trigger,
)
from testkit.sourcing.builders import (
    PACKAGE,
    a_request,
    a_withdrawal,
    replace_facts,
    to_provider_id,
)
from testkit.sourcing.search_driver import SearchDriver, an_approval

NAMES: Final = ("Alder", "Birch", "Cedar", "Damson", "Elm")
SPOT_NAMES: Final = ("Spruce", "Sorrel")
OFFICERS: Final = ("officer:first", "officer:second")


def _pick_offer(driver: SearchDriver, pick: int) -> Offer | None:
    offers = driver.current.offers
    return offers[-1 - pick % len(offers)] if offers else None


def _retry(_: SearchDriver, __: int) -> Trigger:
    return ProjectionUpdated()


def _request_again(_: SearchDriver, __: int) -> Trigger:
    return a_request()


def withdraw(_: SearchDriver, pick: int) -> Trigger | None:
    return a_withdrawal() if pick == 11 else None


def _accept(driver: SearchDriver, pick: int) -> Trigger | None:
    offer = _pick_offer(driver, pick)
    return AnswerOffer(PACKAGE, offer.offer_id, offer.provider_id, Accept()) if offer else None


def _decline(driver: SearchDriver, pick: int) -> Trigger | None:
    offer = _pick_offer(driver, pick // 3)
    reason = (DeclineReasons.RISK, DeclineReasons.TOO_FAR, DeclineReasons.OTHER)[pick % 3]
    return AnswerOffer(PACKAGE, offer.offer_id, offer.provider_id, Decline(reason)) if offer else None


def _call(driver: SearchDriver, pick: int) -> Trigger | None:
    offer = _pick_offer(driver, pick // 4)
    if offer is None:
        return None
    orders = (
        RecordCall(PACKAGE, offer.offer_id, CallResult.NOT_REACHED),
        RecordCall(PACKAGE, offer.offer_id, CallResult.REACHED),
        RecordCall(PACKAGE, offer.offer_id, CallResult.REACHED, Accept()),
        RecordCall(PACKAGE, offer.offer_id, CallResult.REACHED, Decline(DeclineReasons.OTHER)),
    )
    return orders[pick % 4]


def _pick_channel(offer: Offer, pick: int) -> Channel:
    """Returns the offer's channel or, for a late report, the webhook that was tried before it."""
    return Channel.WEBHOOK if pick % 4 == 3 else offer.channel


def _deliver(driver: SearchDriver, pick: int) -> Trigger | None:
    offer = _pick_offer(driver, pick)
    if offer is None:
        return None
    return OfferDelivered(
        package_id=PACKAGE,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        channel=_pick_channel(offer, pick),
        delivered_at=max(offer.made_at, driver.at - timedelta(minutes=1)),
    )


def _fail_to_deliver(driver: SearchDriver, pick: int) -> Trigger | None:
    offer = _pick_offer(driver, pick)
    if offer is None:
        return None
    return OfferUndeliverable(
        package_id=PACKAGE,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        channel=_pick_channel(offer, pick),
        first_attempt_at=offer.made_at,
        reason="timed out",
    )


def _repeat_own_event(driver: SearchDriver, pick: int) -> Trigger | None:
    """Delivers an own event again: the newest answer or end of an offer, or an older one."""
    ends = [event for event in driver.events if isinstance(event, AnswerRecorded)]
    return ends[-1 - pick // 2 % len(ends)] if ends else None


def embargo(driver: SearchDriver, pick: int) -> Trigger:
    """Embargoes a provider of the market, or lifts its embargo."""
    facts = driver.market.get_facts(to_provider_id((*NAMES, *SPOT_NAMES)[pick % 7]))
    driver.market = replace_facts(driver.market, replace(facts, embargoed=not facts.embargoed))
    return ProjectionUpdated()


def _simulate_outage(driver: SearchDriver, pick: int) -> Trigger:
    """Moves the time over an outage, during which no timer fires and no trigger is handled."""
    down_from = driver.at
    driver.at += timedelta(minutes=(2, 20, 300)[pick % 3])
    driver.outages = (*driver.outages, Outage(down_from, driver.at))
    return OutageOver()


def _tick(driver: SearchDriver, pick: int) -> Trigger | None:
    """Ticks the package on the Batching List, in time or late, or takes a tick back."""
    entry = driver.current.batching
    if entry is None:
        return None
    return RegisterInterest(PACKAGE, entry.list_id, to_provider_id(NAMES[pick % 5]), interested=pick % 4 > 0)


def _propose(_: SearchDriver, pick: int) -> Trigger:
    name = (NAMES[0], NAMES[-1], *SPOT_NAMES)[pick % 4]
    rate = ("28.00", "29.00", "29.01")[pick % 3]
    return SubmitProposal(PACKAGE, to_provider_id(name), Decimal(rate), (Variations.SHARED,) if pick == 11 else ())


def _pick_proposal(driver: SearchDriver, pick: int) -> Proposal | None:
    proposals = driver.current.listing.proposals if driver.current.listing is not None else ()
    return proposals[pick % len(proposals)] if proposals else None


def _award(driver: SearchDriver, pick: int) -> Trigger | None:
    proposal = _pick_proposal(driver, pick // 2)
    reason = InadequateReasons.CONTINUITY if pick % 3 else None
    return AwardProposal(PACKAGE, proposal.proposal_id, OFFICERS[pick % 2], reason) if proposal else None


def _approve(driver: SearchDriver, pick: int) -> Trigger | None:
    """Approves the price of the pending award, as another officer or as the one who awarded it."""
    listing = driver.current.listing
    return an_approval(listing, officer=OFFICERS[pick % 2]) if listing is not None and listing.award else None


def _refuse_price(driver: SearchDriver, pick: int) -> Trigger | None:
    listing, proposal = driver.current.listing, _pick_proposal(driver, pick)
    if listing is None or listing.award is None or proposal is None:
        return None
    return SpotPriceRefused(
        package_id=PACKAGE,
        award_id=listing.award.award_id,
        proposal_id=proposal.proposal_id,
        provider_id=proposal.provider_id,
        officer=OFFICERS[pick % 2],
        reason=PriceRefusals.TOO_HIGH,
    )


MOVES: Final[tuple[Callable[[SearchDriver, int], Trigger | None], ...]] = (
    _accept,
    _decline,
    _decline,
    _call,
    _call,
    _deliver,
    _deliver,
    _fail_to_deliver,
    _repeat_own_event,
    _repeat_own_event,
    _retry,
    _request_again,
    withdraw,
    embargo,
    _simulate_outage,
    _propose,
    _award,
    _approve,
    _tick,
    _tick,
)
MOVES_WHILE_OPEN: Final[tuple[Callable[[SearchDriver, int], Trigger | None], ...]] = (
    _propose,
    _propose,
    _propose,
    _award,
    _award,
    _approve,
    _approve,
    _refuse_price,
    embargo,
    _accept,
    _repeat_own_event,
    _retry,
    _simulate_outage,
    withdraw,
)
