"""Placing a package with a provider: by an accepted offer, an awarded proposal or bid, or an officer's hand."""

from decimal import Decimal

from contracts.events.officer_acts import ActEnd
from contracts.events.reasons import OfferEnd
from contracts.events.searches import PackagePlaced
from contracts.ids import PlacementId
from sourcing.domain.competitions.competition import AwardedBid
from sourcing.domain.draft import Draft
from sourcing.domain.listed_package import Proposal
from sourcing.domain.market import ProviderFacts
from sourcing.domain.offer import Offer, OfferStatus
from sourcing.domain.officers.ending_acts import end_pending_acts
from sourcing.domain.officers.pending_acts import HandPlacement
from sourcing.domain.search import Placement
from sourcing.domain.withdrawing import withdraw_offer


def place_package(
    draft: Draft,
    accepted: Offer | Proposal | AwardedBid | HandPlacement,
    facts: ProviderFacts,
    *,
    stage: str,
    weekly_hours: Decimal,
) -> Placement:
    """Place the package on the agreed terms; `facts` are what is known of the provider at this instant.

    Offers that can still be answered are withdrawn, and acts of officers that wait end.
    """
    care = draft.search.care
    for offer in draft.search.offers:
        if offer.is_live or offer.status is OfferStatus.WAITING:
            withdraw_offer(draft, offer, OfferEnd.PLACED_OTHERWISE)
    end_pending_acts(draft, ActEnd.PLACED, but=accepted.act_id if isinstance(accepted, HandPlacement) else None)
    draft.publish(
        PackagePlaced(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            placement_id=PlacementId(draft.new_id()),
            offer_id=accepted.offer_id if isinstance(accepted, Offer) else None,
            proposal_id=accepted.proposal_id if isinstance(accepted, Proposal) else None,
            manual_id=accepted.act_id if isinstance(accepted, HandPlacement) else None,
            bid_id=accepted.bid_id if isinstance(accepted, AwardedBid) else None,
            provider_id=accepted.provider_id,
            stage=stage,
            framework=care.framework,
            lot=care.lot,
            area=care.area,
            service_type=care.service_type,
            starts_on=care.starts_on,
            weekly_hours=weekly_hours,
            terms=accepted.terms,
            views=facts.projection_uses,
        )
    )
    return draft.placement
