"""Placing a package with a provider: by an accepted offer, or by an awarded proposal."""

from decimal import Decimal

from contracts.events.searches import PackagePlaced
from contracts.ids import PlacementId
from sourcing.domain.draft import Draft
from sourcing.domain.listed_package import Proposal
from sourcing.domain.market import ProviderFacts
from sourcing.domain.offer import Offer
from sourcing.domain.search import Placement


def place_package(
    draft: Draft, accepted: Offer | Proposal, facts: ProviderFacts, *, stage: str, weekly_hours: Decimal
) -> Placement:
    """Place the package on the agreed terms; `facts` are what is known of the provider at this instant."""
    care = draft.search.care
    draft.publish(
        PackagePlaced(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            placement_id=PlacementId(draft.new_id()),
            offer_id=accepted.offer_id if isinstance(accepted, Offer) else None,
            proposal_id=accepted.proposal_id if isinstance(accepted, Proposal) else None,
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
