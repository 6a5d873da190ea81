"""`offer-to-all`: all providers are asked at once, and the first eligible one of those that accept gets the package.

The stage ends when every offer has ended or was accepted: at the deadline, or as soon as all have answered. Those that
accepted are put in the stage's order; the others are told in the same step.
"""

from collections.abc import Iterable, Sequence

from contracts.events.offers import AcceptancesOrdered, OfferAccepted
from contracts.events.reasons import OfferEnd
from contracts.events.searches import StageCandidate
from contracts.framework.stages import OfferToAll
from sourcing.domain.draft import Draft
from sourcing.domain.holding import hold_for
from sourcing.domain.making_offers import is_waiting_for_opening, offer_or_pass_over
from sourcing.domain.offer import Offer, OfferStatus
from sourcing.domain.ordering import NEEDS_NO_DRAW, Contender, order_contenders
from sourcing.domain.passing_over import find_pass_over_reasons
from sourcing.domain.placing import place_package
from sourcing.domain.stage_entry import enter_next_stage
from sourcing.domain.withdrawing import withdraw_offer


def ask_all_or_close(draft: Draft, stage: OfferToAll) -> bool:
    """Ask all candidates, or end the stage once all have answered; True when another step may follow now."""
    untried = draft.stage.untried
    if untried:
        if is_waiting_for_opening(draft) or hold_for(
            draft, draft.market.find_missing_facts(draft.search.care, untried)
        ):
            return False
        for candidate in untried:
            offer_or_pass_over(draft, candidate)
        return True
    accepted = [offer for offer in draft.search.offers if offer.status is OfferStatus.WAITING]
    if accepted:
        return _award_or_go_on(draft, stage, accepted)
    return not is_waiting_for_opening(draft) and enter_next_stage(draft, stage.stage)


def _award_or_go_on(draft: Draft, stage: OfferToAll, accepted: Sequence[Offer]) -> bool:
    """Place the package with the first eligible provider, if all that accepted are known and any is eligible."""
    by_provider = {offer.provider_id: offer for offer in accepted}
    candidates = [each for each in draft.stage.candidates if each.provider_id in by_provider]
    unknown = [gap for each in candidates for gap in draft.market.get_facts(each.provider_id).missing]
    if hold_for(draft, tuple(unknown)):
        return False
    for candidate in _order_acceptances(draft, stage, by_provider.values()):
        offer = by_provider[candidate.provider_id]
        reasons = find_pass_over_reasons(
            draft.market.get_facts(candidate.provider_id),
            care=draft.search.care,
            wishes=draft.search.wishes,
            candidate=candidate,
            definition=draft.definition,
            at_award=True,
        )
        if not reasons:
            _award(draft, offer)
            return False
        withdraw_offer(draft, offer, OfferEnd.PROVIDER_NOT_ELIGIBLE, passed_over=reasons)
    return True


def _order_acceptances(draft: Draft, stage: OfferToAll, accepted: Iterable[Offer]) -> Sequence[StageCandidate]:
    """Order those that accepted by what is known now, and publish the order with its figures."""
    order, seed = stage.order, None if stage.order == NEEDS_NO_DRAW else draft.new_id()
    offers = {offer.provider_id: offer for offer in accepted}
    contenders = [
        _build_contender(draft, candidate, offers[candidate.provider_id])
        for candidate in draft.stage.candidates
        if candidate.provider_id in offers
    ]
    candidates = order_contenders(contenders, order, seed)
    draft.publish(
        AcceptancesOrdered(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            stage=stage.stage,
            order=order,
            seed=seed,
            candidates=candidates,
        )
    )
    return candidates


def _build_contender(draft: Draft, candidate: StageCandidate, offer: Offer) -> Contender:
    """Return who accepted, with the price of its offer and its turn in the pinned order; no tier has precedence."""
    facts, framework = draft.market.get_facts(candidate.provider_id), draft.search.care.framework
    place = facts.find_place(framework, candidate.lot, candidate.area, candidate.tier)
    return Contender(
        provider_id=candidate.provider_id,
        lot=candidate.lot,
        tier=candidate.tier,
        area=candidate.area,
        list_rank=candidate.rank,
        number=place.number if place is not None else None,
        price=offer.terms.total_cost,
        last_award_at=draft.market.last_awards.get(candidate.provider_id),
        joined_on=place.joined_on if place is not None else None,
    )


def _award(draft: Draft, offer: Offer) -> None:
    """Place the package with the offer's provider, and tell the others that accepted."""
    search = draft.search
    draft.publish(OfferAccepted(package_id=search.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id))
    for other in search.offers:
        if other.status is OfferStatus.WAITING and other.offer_id != offer.offer_id:
            withdraw_offer(draft, other, OfferEnd.PLACED_WITH_ANOTHER)
    facts = draft.market.get_facts(offer.provider_id)
    place_package(draft, offer, facts, stage=offer.stage, weekly_hours=offer.weekly_hours)
