"""Awards of a package to a proposal. Above the package's ceiling a second officer has to approve, through pricing.

An embargo and the person's refusal bar an award; a rating is shown, and Inadequate needs the officer's reason. All of
it is checked when the award is made, and again when the second officer approves. An award that is too late is
recorded.
"""

from collections.abc import Iterator

from contracts.errors import FieldError, InvalidInput
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardEnd,
    AwardLapsed,
    AwardRefusal,
    AwardRefused,
    ProposalAwarded,
)
from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.framework.words import Reasons
from contracts.ids import AwardId, NoteId, ReasonKey
from contracts.values import ListReach, Rating
from sourcing.domain.draft import Draft
from sourcing.domain.errors import PackageNotOpen
from sourcing.domain.known_reasons import require_known_reason
from sourcing.domain.listed_package import Listing, PendingAward, Proposal
from sourcing.domain.listing import get_known_facts, get_proposal, is_listing_provider
from sourcing.domain.market import ProviderFacts
from sourcing.domain.placing import place_package
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AwaitsApproval, AwardBarred, Outcome, Placed, Result
from sourcing.domain.triggers import AwardProposal


def award_proposal(draft: Draft, command: AwardProposal) -> Result:
    """Award the package to a proposal; the same award again has the same outcome.

    Raises PackageNotOpen, ProposalNotFound, MarketNotKnown, and InvalidInput where a provider that is rated Inadequate
    is awarded without a reason.
    """
    listing = draft.search.listing
    if listing is None:
        raise PackageNotOpen(f"the package is {draft.search.status} and was never open to proposals")
    proposal = get_proposal(listing, command.proposal_id)
    repeated = _find_repeated_outcome(draft, listing, proposal)
    return Result(repeated or _decide_award(draft, listing, proposal, command))


def place_approved_award(draft: Draft, event: SpotPriceApproved) -> Result:
    """Place the package when the second officer approves, if the provider may still have it.

    The approval of an award that has lapsed changes nothing.
    """
    listing = draft.search.listing
    if listing is None or listing.award is None or listing.award.award_id != event.award_id:
        return Result()
    pending, proposal = listing.award, get_proposal(listing, listing.award.proposal_id)
    facts = get_known_facts(draft, proposal.provider_id)
    bars = tuple(_find_refusals_at_approval(draft, pending, facts, second_officer=event.officer))
    if bars:
        _refuse_award(draft, pending, proposal, facts, bars, officer=event.officer)
    else:
        _complete_award(draft, pending, proposal, facts, second_officer=event.officer)
    return Result()


def drop_refused_award(draft: Draft, event: SpotPriceRefused) -> Result:
    """Drop the award when the second officer refuses the price; the package stays open."""
    listing = draft.search.listing
    if listing is not None and listing.award is not None and listing.award.award_id == event.award_id:
        lapse_award(draft, AwardEnd.PRICE_REFUSED)
    return Result()


def withdraw_award(draft: Draft) -> None:
    """End an award that waits for a second officer because its package is withdrawn."""
    if draft.search.listing is not None:
        lapse_award(draft, AwardEnd.PACKAGE_WITHDRAWN)


def lapse_award(
    draft: Draft,
    reason: AwardEnd,
    *,
    officer: str | None = None,
    officer_reason: ReasonKey | None = None,
    note_id: NoteId | None = None,
) -> None:
    """End an award that waits for a second officer; without one, do nothing."""
    pending = draft.listing.award
    if pending is None:
        return
    proposal = get_proposal(draft.listing, pending.proposal_id)
    draft.publish(
        AwardLapsed(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            award_id=pending.award_id,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            reason=reason,
            officer=officer,
            officer_reason=officer_reason,
            note_id=note_id,
        )
    )


def _find_repeated_outcome(draft: Draft, listing: Listing, proposal: Proposal) -> Outcome | None:
    """Return the outcome of an award that was made before, by any officer; else None."""
    if draft.search.status is SearchStatus.PLACED and draft.placement.proposal_id == proposal.proposal_id:
        return Placed(draft.placement)
    if listing.award is not None and listing.award.proposal_id == proposal.proposal_id:
        return AwaitsApproval(listing.award)
    return None


def _decide_award(draft: Draft, listing: Listing, proposal: Proposal, command: AwardProposal) -> Outcome:
    pending = PendingAward(AwardId(draft.new_id()), command.proposal_id, command.officer, command.inadequate_reason)
    too_late = tuple(_find_late_refusals(draft, listing))
    if too_late:
        facts = draft.market.get_facts(proposal.provider_id)
        return _refuse_award(draft, pending, proposal, facts, too_late, officer=command.officer)
    facts = get_known_facts(draft, proposal.provider_id)
    check_inadequate_reason(draft, facts, command.inadequate_reason)
    bars = tuple(_find_refusals(draft, facts))
    if bars:
        return _refuse_award(draft, pending, proposal, facts, bars, officer=command.officer)
    if listing.second_officer_always or proposal.terms.rate > listing.ceiling:
        return _request_approval(draft, pending, proposal)
    return _complete_award(draft, pending, proposal, facts, second_officer=None)


def _find_late_refusals(draft: Draft, listing: Listing) -> Iterator[AwardRefusal]:
    """Find why the award is too late: another officer's award, or the council's withdrawal."""
    if draft.search.status is not SearchStatus.LISTED:
        yield AwardRefusal.NO_LONGER_OPEN
    if listing.award is not None:
        yield AwardRefusal.ANOTHER_WAITS


def _find_refusals(draft: Draft, facts: ProviderFacts) -> Iterator[AwardRefusal]:
    if facts.embargoed:
        yield AwardRefusal.EMBARGOED
    if facts.provider_id in draft.search.wishes.refused:
        yield AwardRefusal.REFUSED_BY_PERSON
    if not is_listing_provider(draft, draft.listing, facts):
        is_of_area = draft.listing.reach is ListReach.AREA
        yield AwardRefusal.NOT_OF_THIS_AREA if is_of_area else AwardRefusal.NOT_OF_THE_COUNCIL


def _find_refusals_at_approval(
    draft: Draft, pending: PendingAward, facts: ProviderFacts, *, second_officer: str
) -> Iterator[AwardRefusal]:
    """Find what bars a waiting award; the provider may have been rated Inadequate since the first officer's award."""
    if second_officer == pending.officer:
        yield AwardRefusal.SAME_OFFICER
    yield from _find_refusals(draft, facts)
    if is_reason_missing(facts, pending.inadequate_reason):
        yield AwardRefusal.INADEQUATE_WITHOUT_REASON


def check_inadequate_reason(draft: Draft, facts: ProviderFacts, reason: ReasonKey | None) -> None:
    """Check the reason for a provider that is rated Inadequate. Raises InvalidInput."""
    allowed = Reasons.list_keys(draft.definition.reasons.inadequate_award)
    if reason is not None:
        require_known_reason(reason, allowed, "#/inadequate_reason")
    if is_reason_missing(facts, reason):
        detail = f"the provider is rated Inadequate; state why it is awarded nevertheless: one of {', '.join(allowed)}"
        raise InvalidInput(FieldError("#/inadequate_reason", detail))


def is_reason_missing(facts: ProviderFacts, reason: ReasonKey | None) -> bool:
    """Return whether the provider is rated Inadequate and no reason for it is given."""
    return facts.rating is Rating.INADEQUATE and reason is None


def _request_approval(draft: Draft, pending: PendingAward, proposal: Proposal) -> AwaitsApproval:
    draft.publish(
        AwardAwaitsApproval(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            award_id=pending.award_id,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            terms=proposal.terms,
            ceiling=draft.listing.ceiling,
            officer=pending.officer,
            inadequate_reason=pending.inadequate_reason,
        )
    )
    return AwaitsApproval(pending)


def _refuse_award(
    draft: Draft,
    pending: PendingAward,
    proposal: Proposal,
    facts: ProviderFacts,
    bars: tuple[AwardRefusal, ...],
    *,
    officer: str,
) -> AwardBarred:
    draft.publish(
        AwardRefused(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            award_id=pending.award_id,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            officer=officer,
            reasons=bars,
            views=facts.projection_uses,
        )
    )
    return AwardBarred(bars)


def _complete_award(
    draft: Draft, pending: PendingAward, proposal: Proposal, facts: ProviderFacts, *, second_officer: str | None
) -> Placed:
    draft.publish(
        ProposalAwarded(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            award_id=pending.award_id,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            officer=pending.officer,
            second_officer=second_officer,
            rating=facts.rating,
            inadequate_reason=pending.inadequate_reason,
        )
    )
    hours = draft.search.care.weekly_hours
    return Placed(place_package(draft, proposal, facts, stage=draft.listing.stage, weekly_hours=hours))
