"""What people, providers and other services do in a generated search: each move takes a number to choose by."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from contracts.events.offers import CallResult, OfferDelivered, OfferUndeliverable
from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.events.packages import WithdrawalRequested
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Reasons
from contracts.ids import ReasonKey
from contracts.values import Channel
from sourcing.domain.listed_package import Listing, Proposal
from sourcing.domain.offer import Accept, Decline, Offer, ProviderAnswer
from sourcing.domain.triggers import (
    AnswerOffer,
    AnswerRecorded,
    AwardProposal,
    ChangeVersion,
    ProjectionUpdated,
    RecordCall,
    SubmitProposal,
)
from testkit.sourcing.generated_markets import PROVIDERS
from testkit.sourcing.generated_search import GeneratedSearch

OFFICERS: Final = ("officer:first", "officer:second")
NUMBERS: Final = 24
"""Moves choose by a number below this one."""


def _pick_offer(search: GeneratedSearch, number: int) -> Offer | None:
    """Returns a live offer or, in one of four cases, any offer: an answer to it is late, or given twice."""
    offers = search.current.offers
    chosen = (search.current.live_offers if number % 4 else ()) or offers
    return chosen[number % len(chosen)] if chosen else None


def _pick_answer(search: GeneratedSearch, number: int) -> ProviderAnswer:
    """Returns an acceptance or a decline, once in a while for a reason that no definition declares."""
    declared = Reasons.list_keys(search.world.definitions[0].reasons.decline) if search.world.definitions else ()
    reasons = (*declared[:2], ReasonKey("undeclared")) if number % 8 == 5 else declared[:2]
    return Decline(reasons[number // 2 % len(reasons)]) if number % 2 and reasons else Accept()


def answer(search: GeneratedSearch, number: int) -> None:
    offer = _pick_offer(search, number)
    if offer is not None:
        reply = _pick_answer(search, number // 2)
        search.command(AnswerOffer(search.current.package_id, offer.offer_id, offer.provider_id, reply))


def answer_all(search: GeneratedSearch, number: int) -> None:
    """Each provider with a live offer answers, one after the other, as the number's digits say."""
    for position, offer in enumerate(search.current.live_offers):
        reply = _pick_answer(search, number // 2 ** (position % 4))
        search.at += timedelta(seconds=1)
        search.command(AnswerOffer(search.current.package_id, offer.offer_id, offer.provider_id, reply))


def answer_for_another(search: GeneratedSearch, number: int) -> None:
    """A provider answers an offer that was made to another one."""
    offer = _pick_offer(search, number)
    if offer is not None:
        others = [each for each in PROVIDERS if each != offer.provider_id]
        search.command(
            AnswerOffer(search.current.package_id, offer.offer_id, others[number % len(others)], Accept()),
        )


def call(search: GeneratedSearch, number: int) -> None:
    """An officer telephones about an offer, if possible about one that goes by telephone."""
    by_phone = [offer for offer in search.current.live_offers if offer.awaits_call]
    offer = by_phone[number % len(by_phone)] if by_phone and number % 5 else _pick_offer(search, number)
    if offer is not None:
        result = CallResult.REACHED if number % 3 else CallResult.NOT_REACHED
        reply = _pick_answer(search, number // 3) if result is CallResult.REACHED and number % 2 else None
        search.command(RecordCall(search.current.package_id, offer.offer_id, result, reply))


def _pick_channel(offer: Offer, number: int) -> Channel:
    """Returns the offer's channel or, for a late report, the webhook that was tried before it."""
    return Channel.WEBHOOK if number % 8 == 7 else offer.channel


def deliver(search: GeneratedSearch, number: int) -> None:
    offers = [offer for offer in search.current.offers if offer.channel is not Channel.PHONE]
    for offer in offers[-1 - number % 3 :]:
        search.publish(
            OfferDelivered(
                package_id=search.current.package_id,
                offer_id=offer.offer_id,
                provider_id=offer.provider_id,
                channel=_pick_channel(offer, number),
                delivered_at=max(offer.made_at, search.at - timedelta(minutes=1)),
            )
        )


def fail_to_deliver(search: GeneratedSearch, number: int) -> None:
    offer = _pick_offer(search, number)
    if offer is not None:
        search.publish(
            OfferUndeliverable(
                package_id=search.current.package_id,
                offer_id=offer.offer_id,
                provider_id=offer.provider_id,
                channel=_pick_channel(offer, number),
                first_attempt_at=offer.made_at,
                reason="timed out",
            )
        )


def repeat_own_event(search: GeneratedSearch, number: int) -> None:
    """Kafka delivers one of the search's own events again."""
    consumed = [each for each in search.record if each.is_sourcing and isinstance(each.event, AnswerRecorded)]
    if consumed:
        search.handle_own_event(consumed[-1 - number % len(consumed)])


def request_again(search: GeneratedSearch, _: int) -> None:
    search.publish(search.request)


def retry(search: GeneratedSearch, _: int) -> None:
    search.fire(ProjectionUpdated())


def withdraw(search: GeneratedSearch, number: int) -> None:
    if number % 6 == 0:
        reasons = search.world.definitions[0].reasons.withdrawal if search.world.definitions else ()
        reason = reasons[0].reason if reasons else ReasonKey("no-longer-needed")
        search.publish(WithdrawalRequested(package_id=search.current.package_id, reason=reason))


def simulate_outage(search: GeneratedSearch, number: int) -> None:
    search.simulate_outage(timedelta(minutes=(2, 20, 300)[number % 3]), reported=number % 2 == 0)


def change_version(search: GeneratedSearch, number: int) -> None:
    """An officer moves the search to a version, now and then to one that is not published."""
    version = (2, 2, 1, 3)[number % 4]
    search.command(ChangeVersion(search.current.package_id, version, OFFICERS[0]))


def propose(search: GeneratedSearch, number: int) -> None:
    listing = search.current.listing
    ceiling = Decimal("20.00") if listing is None else listing.ceiling
    rate = ceiling + (Decimal(0), Decimal("0.01"), Decimal("-0.50"))[number % 3]
    variations = _list_variations(search)[: number % 2]
    provider = PROVIDERS[number // 3 % len(PROVIDERS)]
    search.command(SubmitProposal(search.current.package_id, provider, max(rate, Decimal(0)), variations))


def _list_variations(search: GeneratedSearch) -> tuple[ReasonKey, ...]:
    return Reasons.list_keys(search.world.definitions[0].reasons.variation) if search.world.definitions else ()


def propose_all(search: GeneratedSearch, number: int) -> None:
    for position in range(len(PROVIDERS)):
        propose(search, number + 4 * position)


def _pick_proposal(listing: Listing | None, number: int) -> Proposal | None:
    proposals = listing.proposals if listing is not None else ()
    return proposals[number % len(proposals)] if proposals else None


def award(search: GeneratedSearch, number: int) -> None:
    proposal = _pick_proposal(search.current.listing, number // 2)
    if proposal is not None:
        reasons = Reasons.list_keys(search.world.definitions[0].reasons.inadequate_award)
        reason = reasons[0] if number % 3 else None
        search.command(
            AwardProposal(search.current.package_id, proposal.proposal_id, OFFICERS[number % 2], reason),
        )


def approve(search: GeneratedSearch, number: int) -> None:
    """The second officer approves the waiting award; it can be the first one."""
    listing = search.current.listing
    waiting = listing.award if listing is not None else None
    proposal = listing.find_proposal(waiting.proposal_id) if listing is not None and waiting is not None else None
    if waiting is not None and proposal is not None:
        search.publish(
            SpotPriceApproved(
                package_id=search.current.package_id,
                award_id=waiting.award_id,
                proposal_id=proposal.proposal_id,
                provider_id=proposal.provider_id,
                rate=proposal.terms.rate,
                officer=OFFICERS[number % 2],
            )
        )


def refuse_price(search: GeneratedSearch, number: int) -> None:
    listing = search.current.listing
    waiting, proposal = listing.award if listing is not None else None, _pick_proposal(listing, number)
    if waiting is not None and proposal is not None:
        search.publish(
            SpotPriceRefused(
                package_id=search.current.package_id,
                award_id=waiting.award_id,
                proposal_id=proposal.proposal_id,
                provider_id=proposal.provider_id,
                officer=OFFICERS[number % 2],
                reason=search.world.definitions[0].reasons.price_refusal[0].reason,
            )
        )


def publish_definition(search: GeneratedSearch, definition: FrameworkDefinition) -> None:
    """Publishes a version that is not published yet."""
    if all(each.version != definition.version for each in search.world.definitions):
        search.change_world(lambda at: search.world.publish_definition(definition, at))


def jump(search: GeneratedSearch, number: int) -> None:
    """Lets hours pass, over the closing and the next opening."""
    search.advance(search.at + timedelta(hours=(1, 8, 16, 24)[number % 4]))


Move = Callable[[GeneratedSearch, int], None]
MOVES: Final[Sequence[Move]] = (
    *[answer] * 5,
    *[answer_all] * 4,
    answer_for_another,
    *[call] * 4,
    *[deliver] * 4,
    *[fail_to_deliver] * 2,
    *[repeat_own_event] * 2,
    request_again,
    retry,
    withdraw,
    *[simulate_outage] * 2,
    change_version,
    propose,
    award,
    approve,
    jump,
)
MOVES_WHILE_LISTED: Final[Sequence[Move]] = (
    *[propose] * 3,
    *[propose_all] * 2,
    *[award] * 4,
    *[approve] * 4,
    *[refuse_price] * 2,
    answer,
    repeat_own_event,
    change_version,
    simulate_outage,
    withdraw,
    jump,
)
