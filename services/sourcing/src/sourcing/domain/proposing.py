"""Providers' proposals for a package that is open to all; a proposal that cannot be considered is on record too."""

from collections.abc import Iterator
from typing import Final

from contracts.events.listings import AwardEnd, ProposalReceived, ProposalRefusal, ProposalRefused
from contracts.framework.words import Reasons
from contracts.ids import CounterOfferId, ProposalId
from contracts.terms import compute_terms_at_rate
from contracts.values import ListReach
from sourcing.domain.awarding import lapse_award
from sourcing.domain.draft import Draft
from sourcing.domain.errors import ListingNotFound
from sourcing.domain.known_reasons import require_known_reason
from sourcing.domain.listed_package import Listing, Proposal
from sourcing.domain.listing import get_known_facts, get_proposal, is_listing_provider
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import Outcome, ProposalNotUsed, Proposed, Result
from sourcing.domain.triggers import SubmitProposal

PRICE_LIST: Final = "as proposed"


def submit_proposal(draft: Draft, command: SubmitProposal) -> Result:
    """Record a proposal; it replaces the provider's older one. Raises ListingNotFound, MarketNotKnown."""
    listing = draft.search.listing
    if listing is None:
        raise ListingNotFound
    allowed = Reasons.list_keys(draft.definition.reasons.variation)
    for position, variation in enumerate(command.variations):
        require_known_reason(variation, allowed, f"#/variations/{position}")
    return Result(consider_proposal(draft, command))


def consider_proposal(
    draft: Draft, command: SubmitProposal, *, counter_offer_id: CounterOfferId | None = None
) -> Outcome:
    """Record the proposal, or refuse it on record; `counter_offer_id` is a counter-offer that it accepts."""
    listing, facts = draft.listing, get_known_facts(draft, command.provider_id)
    reasons = tuple(_find_refusal_reasons(draft, listing, facts))
    if reasons:
        return _refuse_proposal(draft, command, facts, reasons)
    before = listing.find_proposal_of(command.provider_id)
    is_same = before is not None and before.is_same_as(command.rate, command.variations, command.can_start_on)
    if before is not None and is_same and counter_offer_id is None:
        return Proposed(before)
    if before is not None and listing.award is not None and listing.award.proposal_id == before.proposal_id:
        lapse_award(draft, AwardEnd.PROPOSAL_REPLACED)
    return Proposed(_record_proposal(draft, command, facts, replaces=before, counter_offer_id=counter_offer_id))


def _find_refusal_reasons(draft: Draft, listing: Listing, facts: ProviderFacts) -> Iterator[ProposalRefusal]:
    if draft.search.status is not SearchStatus.LISTED:
        yield ProposalRefusal.NO_LONGER_OPEN
    elif not listing.is_open:
        yield ProposalRefusal.NOT_OPEN_YET
    if not is_listing_provider(draft, listing, facts):
        is_of_area = listing.reach is ListReach.AREA
        yield ProposalRefusal.NOT_OF_THIS_AREA if is_of_area else ProposalRefusal.NOT_OF_THE_COUNCIL
    if facts.embargoed:
        yield ProposalRefusal.EMBARGOED
    if facts.provider_id in draft.search.wishes.refused:
        yield ProposalRefusal.REFUSED_BY_PERSON


def _refuse_proposal(
    draft: Draft, command: SubmitProposal, facts: ProviderFacts, reasons: tuple[ProposalRefusal, ...]
) -> ProposalNotUsed:
    draft.publish(
        ProposalRefused(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            provider_id=command.provider_id,
            rate=command.rate,
            reasons=reasons,
            views=facts.projection_uses,
        )
    )
    return ProposalNotUsed(reasons)


def _record_proposal(
    draft: Draft,
    command: SubmitProposal,
    facts: ProviderFacts,
    *,
    replaces: Proposal | None,
    counter_offer_id: CounterOfferId | None,
) -> Proposal:
    listing, care, proposal_id = draft.listing, draft.search.care, ProposalId(draft.new_id())
    draft.publish(
        ProposalReceived(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            stage=listing.stage,
            proposal_id=proposal_id,
            provider_id=command.provider_id,
            care=care,
            terms=compute_terms_at_rate(care, listing.unit, listing.unit_kind, command.rate, price_list=PRICE_LIST),
            variations=command.variations,
            can_start_on=command.can_start_on,
            replaces=replaces.proposal_id if replaces is not None else None,
            rating=facts.rating,
            views=facts.projection_uses,
            counter_offer_id=counter_offer_id,
            entered_by=command.entered_by,
        )
    )
    return get_proposal(draft.listing, proposal_id)
