"""What a provider proposes for a package that is open to all; what cannot be taken up is on record."""

from collections.abc import Iterator
from typing import Final

from contracts.events.listings import AwardEnd, ProposalReceived, ProposalRefusal, ProposalRefused
from contracts.ids import ProposalId
from contracts.terms import terms_at
from sourcing.domain.awarding import lapse
from sourcing.domain.draft import Course
from sourcing.domain.errors import ListingNotFound
from sourcing.domain.listing import known_facts, known_proposal, works_here
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import Listing, Proposal, SearchStatus
from sourcing.domain.steps import NotTaken, Outcome, Proposed
from sourcing.domain.triggers import Propose

PRICE_LIST: Final = "as proposed"


def propose(course: Course, order: Propose) -> Outcome:
    """A provider's newest proposal replaces its older one. Raises ListingNotFound, MarketNotKnown."""
    listing = course.search.listing
    if listing is None:
        raise ListingNotFound
    facts = known_facts(course, order.provider_id)
    reasons = tuple(_reasons_against(course, listing, facts))
    if reasons:
        return _refuse(course, order, facts, reasons)
    before = listing.proposal_of(order.provider_id)
    if before is not None and before.says_the_same(order.rate, order.variations, order.can_start_on):
        return Proposed(before)
    if before is not None and listing.award is not None and listing.award.proposal_id == before.proposal_id:
        lapse(course, AwardEnd.PROPOSAL_REPLACED)
    return Proposed(_receive(course, order, facts, replaces=before))


def _reasons_against(course: Course, listing: Listing, facts: ProviderFacts) -> Iterator[ProposalRefusal]:
    if course.search.status is not SearchStatus.LISTED:
        yield ProposalRefusal.NO_LONGER_OPEN
    if not works_here(course, listing, facts):
        yield ProposalRefusal.NOT_OF_THIS_AREA
    if facts.embargoed:
        yield ProposalRefusal.EMBARGOED
    if facts.provider_id in course.search.wishes.refused:
        yield ProposalRefusal.REFUSED_BY_PERSON


def _refuse(course: Course, order: Propose, facts: ProviderFacts, reasons: tuple[ProposalRefusal, ...]) -> NotTaken:
    course.publish(
        ProposalRefused(
            package_id=course.search.package_id,
            search_id=course.search_id,
            provider_id=order.provider_id,
            rate=order.rate,
            reasons=reasons,
            views=facts.views,
        )
    )
    return NotTaken(reasons)


def _receive(course: Course, order: Propose, facts: ProviderFacts, *, replaces: Proposal | None) -> Proposal:
    listing, care, proposal_id = course.listing, course.search.care, ProposalId(course.new_id())
    course.publish(
        ProposalReceived(
            package_id=course.search.package_id,
            search_id=course.search_id,
            stage=listing.stage,
            proposal_id=proposal_id,
            provider_id=order.provider_id,
            care=care,
            terms=terms_at(care, listing.unit, order.rate, price_list=PRICE_LIST),
            variations=order.variations,
            can_start_on=order.can_start_on,
            replaces=replaces.proposal_id if replaces is not None else None,
            rating=facts.rating,
            views=facts.views,
        )
    )
    return known_proposal(course.listing, proposal_id)
