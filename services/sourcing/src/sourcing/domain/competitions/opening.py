"""Opening a competition: who is invited and who is not, with all reasons, and until when bids are taken."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from contracts.events.competitions import (
    CompetitionEnd,
    CompetitionOpened,
    InvitedProvider,
    NotInvited,
    WeightedCriterion,
)
from contracts.events.searches import StageCandidate
from contracts.framework.stages import MiniCompetition, Reach, SecondOfficer
from contracts.ids import AreaCode, CompetitionId, ListingReference, ProviderId
from contracts.values import PassOverReason
from sourcing.domain.adverts import build_advert
from sourcing.domain.competitions.ending import end_competition
from sourcing.domain.draft import Draft
from sourcing.domain.holding import hold_for
from sourcing.domain.making_offers import is_waiting_for_opening
from sourcing.domain.passing_over import find_pass_over_reasons


def open_competition(draft: Draft, stage: MiniCompetition) -> None:
    """Invite all eligible holders of places at once; wait for the opening of the brokerage where it is closed.

    The search is held while no places are entered. With nobody to invite the competition ends at once, on record.
    """
    if is_waiting_for_opening(draft) or hold_for(draft, draft.market.find_missing_places(draft.search.care)):
        return
    candidates = tuple(_list_candidates(draft, stage))
    reasons = {each.provider_id: _find_reasons(draft, each) for each in candidates}
    invited = tuple(
        InvitedProvider(provider_id=each.provider_id, lot=each.lot, tier=each.tier, area=each.area)
        for each in candidates
        if not reasons[each.provider_id]
    )
    not_invited = tuple(
        NotInvited(provider_id=each.provider_id, tier=each.tier, area=each.area, reasons=reasons[each.provider_id])
        for each in candidates
        if reasons[each.provider_id]
    )
    draft.publish(_build_invitation(draft, stage, invited, not_invited))
    if not invited:
        end_competition(draft, draft.competition, CompetitionEnd.NONE_INVITED)


def _build_invitation(
    draft: Draft, stage: MiniCompetition, invited: Sequence[InvitedProvider], not_invited: Sequence[NotInvited]
) -> CompetitionOpened:
    """Build the event. Raises ValueError without a price or a ceiling, which no accepted definition lacks."""
    care, definition = draft.search.care, draft.definition
    lines, ceiling = definition.find_price_lines(care.service_type, care.area), stage.find_ceiling(care.service_type)
    if not lines or ceiling is None:
        message = f"the definition was accepted for {care.service_type}, but has no price or no ceiling for it"
        raise ValueError(message)
    competition_id, closes_at = CompetitionId(draft.new_id()), compute_close(draft, stage, draft.at)
    facts = (draft.market.get_facts(each.provider_id) for each in (*invited, *not_invited))
    return CompetitionOpened(
        package_id=draft.search.package_id,
        search_id=draft.search_id,
        competition_id=competition_id,
        stage=stage.stage,
        framework=care.framework,
        tiers=stage.to.tiers,
        advert=build_advert(
            care, ListingReference(competition_id), definition, outward_codes_shown=stage.outward_codes_shown
        ),
        criteria=tuple(WeightedCriterion(criterion=each.criterion, weight=each.weight) for each in stage.criteria),
        price_weight=stage.price_weight,
        lowest_price=stage.lowest_price,
        highest_score=stage.highest_score,
        pass_mark=stage.pass_mark,
        unit=lines[0].unit,
        unit_kind=definition.get_unit_kind(lines[0].unit),
        ceiling=ceiling,
        shows_ceiling=stage.shows_ceiling,
        second_officer_always=stage.second_officer is SecondOfficer.ALWAYS,
        questions_until=compute_end_of_questions(draft, stage, draft.at),
        closes_at=closes_at,
        invited=tuple(invited),
        not_invited=tuple(not_invited),
        views=tuple(use for each in facts for use in each.projection_uses),
    )


def compute_close(draft: Draft, stage: MiniCompetition, opened_at: datetime) -> datetime:
    """Compute the instant before which bids are in time."""
    length = stage.open_for.get_length(urgent=draft.search.is_urgent)
    return opened_at + length if draft.search.is_urgent else draft.calendar.add_length(opened_at, length)


def compute_end_of_questions(draft: Draft, stage: MiniCompetition, opened_at: datetime) -> datetime:
    """Compute the instant after which `questions_end` of the time for bids is left."""
    urgent, calendar = draft.search.is_urgent, draft.calendar
    total, rest = (each.get_length(urgent=urgent) for each in (stage.open_for, stage.questions_end))
    if urgent:
        return opened_at + (total - rest)
    return calendar.add_open_time(opened_at, calendar.to_open_time(total) - calendar.to_open_time(rest))


def _find_reasons(draft: Draft, candidate: StageCandidate) -> tuple[PassOverReason, ...]:
    """Find why the provider is not invited: the same reasons for which it would be passed over for an offer."""
    return find_pass_over_reasons(
        draft.market.get_facts(candidate.provider_id),
        care=draft.search.care,
        wishes=draft.search.wishes,
        candidate=candidate,
        definition=draft.definition,
        at_award=False,
    )


def _list_candidates(draft: Draft, stage: MiniCompetition) -> Iterator[StageCandidate]:
    """List the holders of places, each once: in the first tier, and neighbours without those of the area itself."""
    care, market, seen = draft.search.care, draft.market, set[ProviderId]()
    if stage.to.reach is Reach.NEIGHBOURS:
        seen |= {each.provider_id for tier in stage.to.tiers for each in market.list_holders(tier, care.area)}
    for tier in stage.to.tiers:
        for area in _list_areas(draft, stage):
            for holder in market.list_holders(tier, area):
                if holder.provider_id not in seen:
                    seen.add(holder.provider_id)
                    place = holder.place
                    yield StageCandidate(
                        provider_id=holder.provider_id, rank=len(seen), lot=place.lot, tier=tier, area=place.area
                    )


def _list_areas(draft: Draft, stage: MiniCompetition) -> Sequence[AreaCode]:
    area = draft.definition.find_area(draft.search.care.area)
    if area is None:
        return ()
    return area.neighbours if stage.to.reach is Reach.NEIGHBOURS else (area.code,)
