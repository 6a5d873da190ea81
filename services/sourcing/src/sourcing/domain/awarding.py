"""An officer takes a proposal; above the package's ceiling a second one has to agree (pricing asks it).

Embargo and the person's refusal bar an award; a rating is shown, and Inadequate needs the officer's reason. All of it
is looked at when the award is made, and once more when the second officer agrees. Who comes too late is on record.
"""

from collections.abc import Iterator

from contracts.errors import FieldError, InvalidInput
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardBar,
    AwardEnd,
    AwardLapsed,
    AwardRefused,
    InadequateReason,
    ProposalAwarded,
)
from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.ids import AwardId
from contracts.values import Rating
from sourcing.domain.draft import Course
from sourcing.domain.errors import PackageNotOpen
from sourcing.domain.listing import known_facts, known_proposal, works_here
from sourcing.domain.market import ProviderFacts
from sourcing.domain.placing import place
from sourcing.domain.search import Listing, PendingAward, Proposal, SearchStatus
from sourcing.domain.steps import AwaitsApproval, Barred, Outcome, Placed
from sourcing.domain.triggers import Award


def award(course: Course, order: Award) -> Outcome:
    """An officer takes a proposal. Raises PackageNotOpen, ProposalNotFound, MarketNotKnown, and InvalidInput where a
    provider that is rated Inadequate is awarded without a reason.
    """
    listing = course.search.listing
    if listing is None:
        raise PackageNotOpen(f"the package is {course.search.status} and was never open to proposals")
    proposal = known_proposal(listing, order.proposal_id)
    return _as_it_stands(course, listing, proposal) or _decide(course, listing, proposal, order)


def place_approved(course: Course, event: SpotPriceApproved) -> None:
    """The second officer agrees: whoever may still have the package, has it. An award that has lapsed stays so."""
    listing = course.search.listing
    if listing is None or listing.award is None or listing.award.award_id != event.award_id:
        return
    decided, proposal = listing.award, known_proposal(listing, listing.award.proposal_id)
    facts = known_facts(course, proposal.provider_id)
    bars = tuple(_bars_at_approval(course, decided, facts, second_officer=event.officer))
    if bars:
        _bar(course, decided, proposal, facts, bars, officer=event.officer)
        return
    _carry_out(course, decided, proposal, facts, second_officer=event.officer)


def drop_award(course: Course, event: SpotPriceRefused) -> None:
    """The second officer does not agree: the package stays open."""
    listing = course.search.listing
    if listing is not None and listing.award is not None and listing.award.award_id == event.award_id:
        lapse(course, AwardEnd.PRICE_REFUSED)


def withdraw_award(course: Course) -> None:
    """The package is withdrawn while an award of it waits for a second officer."""
    if course.search.listing is not None:
        lapse(course, AwardEnd.PACKAGE_WITHDRAWN)


def lapse(course: Course, reason: AwardEnd) -> None:
    """An award that waits, waits no more."""
    pending = course.listing.award
    if pending is None:
        return
    proposal = known_proposal(course.listing, pending.proposal_id)
    course.publish(
        AwardLapsed(
            package_id=course.search.package_id,
            search_id=course.search_id,
            award_id=pending.award_id,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            reason=reason,
        )
    )


def _as_it_stands(course: Course, listing: Listing, proposal: Proposal) -> Outcome | None:
    """The same award again is the same award, whoever gives it."""
    if course.search.status is SearchStatus.PLACED and course.placement.proposal_id == proposal.proposal_id:
        return Placed(course.placement)
    if listing.award is not None and listing.award.proposal_id == proposal.proposal_id:
        return AwaitsApproval(listing.award)
    return None


def _decide(course: Course, listing: Listing, proposal: Proposal, order: Award) -> Outcome:
    decided = PendingAward(AwardId(course.new_id()), order.proposal_id, order.officer, order.inadequate_reason)
    too_late = tuple(_too_late(course, listing))
    if too_late:
        facts = course.market.facts_of(proposal.provider_id)
        return _bar(course, decided, proposal, facts, too_late, officer=order.officer)
    facts = known_facts(course, proposal.provider_id)
    _check_reason(facts, order)
    bars = tuple(_bars(course, facts))
    if bars:
        return _bar(course, decided, proposal, facts, bars, officer=order.officer)
    if proposal.terms.rate > listing.ceiling:
        return _await_approval(course, decided, proposal)
    return _carry_out(course, decided, proposal, facts, second_officer=None)


def _too_late(course: Course, listing: Listing) -> Iterator[AwardBar]:
    """Another officer, or the council's withdrawal, was faster."""
    if course.search.status is not SearchStatus.LISTED:
        yield AwardBar.NO_LONGER_OPEN
    if listing.award is not None:
        yield AwardBar.ANOTHER_WAITS


def _bars(course: Course, facts: ProviderFacts) -> Iterator[AwardBar]:
    if facts.embargoed:
        yield AwardBar.EMBARGOED
    if facts.provider_id in course.search.wishes.refused:
        yield AwardBar.REFUSED_BY_PERSON
    if not works_here(course, course.listing, facts):
        yield AwardBar.NOT_OF_THIS_AREA


def _bars_at_approval(
    course: Course, decided: PendingAward, facts: ProviderFacts, *, second_officer: str
) -> Iterator[AwardBar]:
    """The provider may have been rated Inadequate since: only the first officer can say why it is awarded even so."""
    if second_officer == decided.officer:
        yield AwardBar.SAME_OFFICER
    yield from _bars(course, facts)
    if _lacks_reason(facts, decided.inadequate_reason):
        yield AwardBar.INADEQUATE_WITHOUT_REASON


def _check_reason(facts: ProviderFacts, order: Award) -> None:
    if _lacks_reason(facts, order.inadequate_reason):
        known = ", ".join(reason.value for reason in InadequateReason)
        detail = f"the provider is rated Inadequate: say why it is awarded all the same ({known})"
        raise InvalidInput(FieldError("#/inadequate_reason", detail))


def _lacks_reason(facts: ProviderFacts, reason: InadequateReason | None) -> bool:
    return facts.rating is Rating.INADEQUATE and reason is None


def _await_approval(course: Course, decided: PendingAward, proposal: Proposal) -> AwaitsApproval:
    course.publish(
        AwardAwaitsApproval(
            package_id=course.search.package_id,
            search_id=course.search_id,
            award_id=decided.award_id,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            terms=proposal.terms,
            ceiling=course.listing.ceiling,
            officer=decided.officer,
            inadequate_reason=decided.inadequate_reason,
        )
    )
    return AwaitsApproval(decided)


def _bar(
    course: Course,
    decided: PendingAward,
    proposal: Proposal,
    facts: ProviderFacts,
    bars: tuple[AwardBar, ...],
    *,
    officer: str,
) -> Barred:
    course.publish(
        AwardRefused(
            package_id=course.search.package_id,
            search_id=course.search_id,
            award_id=decided.award_id,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            officer=officer,
            reasons=bars,
            views=facts.views,
        )
    )
    return Barred(bars)


def _carry_out(
    course: Course, decided: PendingAward, proposal: Proposal, facts: ProviderFacts, *, second_officer: str | None
) -> Placed:
    course.publish(
        ProposalAwarded(
            package_id=course.search.package_id,
            search_id=course.search_id,
            award_id=decided.award_id,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            officer=decided.officer,
            second_officer=second_officer,
            rating=facts.rating,
            inadequate_reason=decided.inadequate_reason,
        )
    )
    hours = course.search.care.weekly_hours
    return Placed(place(course, proposal, facts, stage=course.listing.stage, weekly_hours=hours))
