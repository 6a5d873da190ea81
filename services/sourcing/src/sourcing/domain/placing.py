"""The one place where a package gets its provider: by an offer that was accepted, or a proposal that was awarded."""

from decimal import Decimal

from contracts.events.packages import PackagePlaced
from contracts.ids import PlacementId
from sourcing.domain.draft import Course
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import Offer, Placement, Proposal


def place(
    course: Course, taken: Offer | Proposal, facts: ProviderFacts, *, stage: str, weekly_hours: Decimal
) -> Placement:
    """On the terms that the provider said yes to; `facts` are what was known of it at this instant."""
    care = course.search.care
    course.publish(
        PackagePlaced(
            package_id=course.search.package_id,
            search_id=course.search_id,
            placement_id=PlacementId(course.new_id()),
            offer_id=taken.offer_id if isinstance(taken, Offer) else None,
            proposal_id=taken.proposal_id if isinstance(taken, Proposal) else None,
            provider_id=taken.provider_id,
            stage=stage,
            framework=care.framework,
            area=care.area,
            service_type=care.service_type,
            starts_on=care.starts_on,
            weekly_hours=weekly_hours,
            terms=taken.terms,
            views=facts.views,
        )
    )
    return course.placement
