"""A package that is open to all: how it is told of, and who may have it.

What providers propose for it is in `proposing`, what officers make of the proposals in `awarding`.
"""

from contracts.events.listings import Advert, PackageListed, StillListed
from contracts.framework import OpenList
from contracts.ids import ListingReference, ProposalId, ProviderId
from contracts.values import Care, CarerGender
from sourcing.domain.draft import Course
from sourcing.domain.errors import MarketNotKnown, ProposalNotFound
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import Listing, Proposal, SearchStatus


def open_to_all(course: Course, stage: OpenList) -> None:
    """The package goes on the list, told of in a way that points at nobody."""
    care, reference = course.search.care, ListingReference(course.new_id())
    line, ceiling = course.definition.prices.line_for(care.service_type), stage.ceiling_for(care.service_type)
    if line is None or ceiling is None:
        message = f"the definition was accepted for {care.service_type}, but has no price or no ceiling for it"
        raise ValueError(message)
    course.publish(
        PackageListed(
            package_id=course.search.package_id,
            search_id=course.search_id,
            stage=stage.stage,
            framework=care.framework,
            spot=stage.spot,
            advert=advert_of(care, reference, stage),
            unit=line.unit,
            ceiling=ceiling,
        )
    )


def advert_of(care: Care, reference: ListingReference, stage: OpenList) -> Advert:
    """What a list may say (DOMAIN, who may see what of the adult)."""
    return Advert(
        reference=reference,
        area=care.area,
        outward_code=care.outward_code if care.outward_code in stage.outward_codes_shown else None,
        age_band=care.age_band,
        carer_gender=None if care.carer_gender is CarerGender.ANY else care.carer_gender,
        service_type=care.service_type,
        weekly_hours=care.weekly_hours,
        carers_at_once=care.carers_at_once,
        skills=tuple(need for need in care.needs if need.is_skill),
    )


def find_overdue(course: Course) -> None:
    """Nobody has taken the package in time; it stays open, and an officer is told."""
    listing = course.search.listing
    if course.search.status is SearchStatus.LISTED and listing is not None and not listing.is_overdue:
        course.publish(
            StillListed(
                package_id=course.search.package_id,
                search_id=course.search_id,
                stage=listing.stage,
                listed_at=listing.listed_at,
            )
        )


def known_proposal(listing: Listing, proposal_id: ProposalId) -> Proposal:
    """Raises ProposalNotFound."""
    proposal = listing.proposal(proposal_id)
    if proposal is None:
        raise ProposalNotFound("there is no such proposal for this package; a replaced one cannot be awarded")
    return proposal


def known_facts(course: Course, provider_id: ProviderId) -> ProviderFacts:
    """Raises MarketNotKnown for a provider whose eligibility was never heard of."""
    facts = course.market.facts_of(provider_id)
    if facts.eligibility is None:
        raise MarketNotKnown(
            "whether this provider may have the package is not known here yet; try again", retry_after=1
        )
    return facts


def works_here(course: Course, listing: Listing, facts: ProviderFacts) -> bool:
    """A framework provider of the area, or a spot provider there if the list is for the spot market, too."""
    care = course.search.care
    return facts.is_member_of(care.framework, care.area) or (listing.spot and facts.sells_spot_in(care.area))
