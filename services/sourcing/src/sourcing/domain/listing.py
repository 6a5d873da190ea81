"""Listing of packages that are open to all, and the providers to whom they are open.

Providers' proposals are in `proposing`, officers' awards in `awarding`.
"""

from contracts.events.listings import Advert, PackageListed, StillListed
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import OpenList, SecondOfficer
from contracts.ids import ListingReference, ProposalId, ProviderId
from contracts.values import Care, CarerGender
from sourcing.domain.draft import Draft
from sourcing.domain.errors import MarketNotKnown, ProposalNotFound
from sourcing.domain.listed_package import Listing, Proposal
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import Result
from sourcing.domain.triggers import ListingOverdue


def list_package(draft: Draft, stage: OpenList) -> None:
    """Put the package on the list, with an advert that identifies no person. Raises ValueError without a ceiling."""
    care, reference = draft.search.care, ListingReference(draft.new_id())
    lines, ceiling = (
        draft.definition.find_price_lines(care.service_type, care.area),
        stage.find_ceiling(care.service_type),
    )
    if not lines or ceiling is None:
        message = f"the definition was accepted for {care.service_type}, but has no price or no ceiling for it"
        raise ValueError(message)
    draft.publish(
        PackageListed(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            stage=stage.stage,
            framework=care.framework,
            members=stage.members,
            spot=stage.spot,
            advert=build_advert(care, reference, stage, draft.definition),
            unit=lines[0].unit,
            unit_kind=draft.definition.get_unit_kind(lines[0].unit),
            ceiling=ceiling,
            second_officer_always=stage.second_officer is SecondOfficer.ALWAYS,
        )
    )


def build_advert(care: Care, reference: ListingReference, stage: OpenList, definition: FrameworkDefinition) -> Advert:
    """Build the advert that the list may show of a package (DOMAIN, who may see what of the adult)."""
    return Advert(
        reference=reference,
        lot=care.lot,
        area=care.area,
        outward_code=care.outward_code if care.outward_code in stage.outward_codes_shown else None,
        age_band=care.age_band,
        carer_gender=None if care.carer_gender is CarerGender.ANY else care.carer_gender,
        service_type=care.service_type,
        weekly_hours=care.weekly_hours,
        carers_at_once=care.carers_at_once,
        skills=tuple(need for need in care.needs if definition.find_skill(need) is not None),
    )


def report_overdue_listing(draft: Draft, _: ListingOverdue) -> Result:
    """Report a package that was not placed in time; it stays open and appears on the officers' work list."""
    listing = draft.search.listing
    if draft.search.status is SearchStatus.LISTED and listing is not None and not listing.is_overdue:
        draft.publish(
            StillListed(
                package_id=draft.search.package_id,
                search_id=draft.search_id,
                stage=listing.stage,
                listed_at=listing.listed_at,
            )
        )
    return Result()


def get_proposal(listing: Listing, proposal_id: ProposalId) -> Proposal:
    """Return a valid proposal. Raises ProposalNotFound."""
    proposal = listing.find_proposal(proposal_id)
    if proposal is None:
        raise ProposalNotFound("there is no such proposal for this package; a replaced one cannot be awarded")
    return proposal


def get_known_facts(draft: Draft, provider_id: ProviderId) -> ProviderFacts:
    """Return what is known of a provider. Raises MarketNotKnown where its eligibility is missing."""
    facts = draft.market.get_facts(provider_id)
    if facts.eligibility is None:
        raise MarketNotKnown(
            "the provider's eligibility for this package is not known here yet; try again", retry_after=1
        )
    return facts


def is_listing_provider(draft: Draft, listing: Listing, facts: ProviderFacts) -> bool:
    """Return whether the provider may propose: the framework's providers of the area, spot providers, or both."""
    care = draft.search.care
    is_member = listing.members and facts.is_member_of(care.framework, care.lot, care.area)
    return is_member or (listing.spot and facts.is_spot_provider_in(care.area))
