"""Listing of packages that are open to all, and the providers to whom they are open.

Providers' proposals are in `proposing`, officers' awards in `awarding`.
"""

from datetime import datetime

from contracts.events.listings import PackageListed, StillListed
from contracts.events.lists import ListKind, ListRowAdded
from contracts.framework.stages import OpenList, SecondOfficer
from contracts.ids import ListingReference, ProposalId, ProviderId
from contracts.values import ListReach
from sourcing.domain.adverts import build_advert
from sourcing.domain.draft import Draft
from sourcing.domain.errors import MarketNotKnown, ProposalNotFound
from sourcing.domain.list_calendar import find_list_day_from, find_list_day_until
from sourcing.domain.list_ids import LATE_AFTER, make_list_id
from sourcing.domain.listed_package import Listing, Proposal
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import FollowUp, Result
from sourcing.domain.triggers import ListGoesOut, ListingOverdue


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
            reach=stage.reach,
            opens_at=_find_first_list(draft, stage),
            advert=build_advert(care, reference, draft.definition, outward_codes_shown=stage.outward_codes_shown),
            unit=lines[0].unit,
            unit_kind=draft.definition.get_unit_kind(lines[0].unit),
            ceiling=ceiling,
            second_officer_always=stage.second_officer is SecondOfficer.ALWAYS,
        )
    )


def _find_first_list(draft: Draft, stage: OpenList) -> datetime | None:
    """Find when the package is first on a list: the instant of a list itself is in time; None without lists."""
    return None if stage.issued is None else find_list_day_from(draft.calendar, stage.issued, draft.at).at


def add_to_next_list(draft: Draft, _: ListGoesOut) -> Result:
    """Make a package that is still open a row of the list that is due, under a new reference."""
    listing = draft.search.listing
    if draft.search.status is not SearchStatus.LISTED or listing is None:
        return Result()
    stage = draft.definition.get_stage(listing.stage)
    if not isinstance(stage, OpenList) or stage.issued is None:
        return Result()
    care, due = draft.search.care, find_list_day_until(draft.calendar, stage.issued, draft.at)
    reference = ListingReference(draft.new_id())
    draft.publish(
        ListRowAdded(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            list_id=make_list_id(care.framework, stage.stage, due.day),
            kind=ListKind.AVAILABLE_PACKAGES,
            framework=care.framework,
            stage=stage.stage,
            day=due.day,
            moved_from=due.moved_from,
            late=draft.at - due.at > LATE_AFTER,
            advert=build_advert(care, reference, draft.definition, outward_codes_shown=stage.outward_codes_shown),
            unit=listing.unit,
            listed_since=listing.listed_at,
        )
    )
    return Result(follow_up=FollowUp.SEND_NEXT_LIST)


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
    """Return whether the provider may propose: the framework's providers, spot providers, or both.

    They are those of the whole council, or of the package's area, as the definition says.
    """
    care = draft.search.care
    if listing.reach is ListReach.COUNCIL:
        is_spot = any(draft.definition.has_area(area) for area in facts.spot_areas)
        return (listing.members and facts.is_member_of_framework(care.framework)) or (listing.spot and is_spot)
    is_member = listing.members and facts.is_member_of(care.framework, care.lot, care.area)
    return is_member or (listing.spot and facts.is_spot_provider_in(care.area))
