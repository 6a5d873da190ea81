"""Counter-offers: an officer answers a proposal by another rate; the provider accepts, declines or proposes anew."""

from contracts.errors import FieldError, InvalidInput
from contracts.events.officer_acts import CounterOfferDeclined, CounterOfferMade
from contracts.ids import CounterOfferId
from contracts.terms import compute_terms_at_rate
from sourcing.domain.draft import Draft
from sourcing.domain.errors import ActNotPossible, CounterOfferEnded, CounterOfferNotFound, ListingNotFound
from sourcing.domain.listed_package import CounterOffer, Proposal
from sourcing.domain.listing import get_proposal
from sourcing.domain.officers.allowed_acts import Act, require_allowed
from sourcing.domain.officers.commands import AnswerCounterOffer, MakeCounterOffer
from sourcing.domain.officers.reasons import check_officer_reason
from sourcing.domain.proposing import PRICE_LIST, consider_proposal
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import CounterOffered, Done, Outcome, Proposed, Result
from sourcing.domain.triggers import SubmitProposal


def make_counter_offer(draft: Draft, command: MakeCounterOffer) -> Result:
    """Make a counter-offer; it replaces the provider's older one, and the same again is the same counter-offer.

    Raises ActNotPossible, ProposalNotFound, InvalidInput.
    """
    require_allowed(draft, Act.COUNTER)
    check_officer_reason(draft, command.reason)
    listing = draft.listing
    proposal = get_proposal(listing, command.proposal_id)
    if listing.award is not None and listing.award.proposal_id == proposal.proposal_id:
        raise ActNotPossible(f"award {listing.award.award_id} of this proposal waits for a second officer; withdraw it")
    if command.valid_until <= draft.at:
        raise InvalidInput(FieldError("#/valid_until", "has passed; choose an instant in the future"))
    before = listing.find_counter_offer_to(proposal.provider_id)
    if before is not None and _is_same(before, command):
        return Result(CounterOffered(before))
    return Result(CounterOffered(_record_counter_offer(draft, proposal, command)))


def answer_counter_offer(draft: Draft, command: AnswerCounterOffer) -> Result:
    """Turn a counter-offer into the provider's new proposal at its rate, or record that the provider declines it.

    Raises ListingNotFound, CounterOfferNotFound (also for another provider's), CounterOfferEnded, MarketNotKnown.
    """
    listing = draft.search.listing
    if listing is None:
        raise ListingNotFound
    accepted = listing.find_proposal_of(command.provider_id)
    if accepted is not None and accepted.counter_offer_id == command.counter_offer_id:
        return Result(_repeat_acceptance(accepted, command))
    counter_offer = listing.find_counter_offer(command.counter_offer_id)
    if counter_offer is None or counter_offer.provider_id != command.provider_id:
        raise CounterOfferNotFound
    if counter_offer.is_declined and not command.accepts:
        return Result()
    _require_open(draft, counter_offer)
    if not command.accepts:
        return Result(_decline(draft, counter_offer, command))
    return Result(_accept(draft, counter_offer, command))


def _is_same(before: CounterOffer, command: MakeCounterOffer) -> bool:
    made = (before.proposal_id, before.terms.rate, before.valid_until)
    return not before.is_declined and made == (command.proposal_id, command.rate, command.valid_until)


def _record_counter_offer(draft: Draft, proposal: Proposal, command: MakeCounterOffer) -> CounterOffer:
    care, listing, counter_offer_id = draft.search.care, draft.listing, CounterOfferId(draft.new_id())
    draft.publish(
        CounterOfferMade(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            counter_offer_id=counter_offer_id,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            terms=compute_terms_at_rate(care, listing.unit, listing.unit_kind, command.rate, price_list=PRICE_LIST),
            valid_until=command.valid_until,
            officer=command.officer,
            reason=command.reason,
            note_id=command.note_id,
        )
    )
    made = draft.listing.find_counter_offer(counter_offer_id)
    assert made is not None, "it was made by this event"
    return made


def _repeat_acceptance(accepted: Proposal, command: AnswerCounterOffer) -> Outcome:
    if command.accepts:
        return Proposed(accepted)
    raise CounterOfferEnded("you have accepted this counter-offer; propose another rate instead")


def _require_open(draft: Draft, counter_offer: CounterOffer) -> None:
    """Raises CounterOfferEnded for one that was declined, that is late, or whose package is not open any more."""
    if draft.search.status is not SearchStatus.LISTED:
        raise CounterOfferEnded("the package is no longer open; ask for available packages to see which ones are")
    if counter_offer.is_declined:
        raise CounterOfferEnded("you have declined this counter-offer; propose a rate instead")
    if draft.at >= counter_offer.valid_until:
        raise CounterOfferEnded(
            f"this counter-offer was valid until {counter_offer.valid_until.isoformat()}; propose a rate instead"
        )


def _decline(draft: Draft, counter_offer: CounterOffer, command: AnswerCounterOffer) -> Done:
    draft.publish(
        CounterOfferDeclined(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            counter_offer_id=counter_offer.counter_offer_id,
            proposal_id=counter_offer.proposal_id,
            provider_id=counter_offer.provider_id,
            entered_by=command.entered_by,
        )
    )
    return Done()


def _accept(draft: Draft, counter_offer: CounterOffer, command: AnswerCounterOffer) -> Outcome:
    """Submit the counter-offer as the provider's proposal, with what it proposed for it before."""
    proposal = get_proposal(draft.listing, counter_offer.proposal_id)
    submitted = SubmitProposal(
        command.package_id,
        command.provider_id,
        counter_offer.terms.rate,
        proposal.variations,
        proposal.can_start_on,
        command.entered_by,
    )
    return consider_proposal(draft, submitted, counter_offer_id=counter_offer.counter_offer_id)
