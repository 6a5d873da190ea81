"""Recording a placement that was agreed outside the system; above the ceiling a second officer has to approve."""

from collections.abc import Iterator
from decimal import Decimal

from contracts.events.officer_acts import PlacedByHand, PlacementByHandProposed
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import OpenList, SecondOfficer
from contracts.ids import ActId
from contracts.terms import compute_terms_at_rate
from contracts.values import Care, PassOverReason, Terms
from sourcing.domain.awarding import check_inadequate_reason
from sourcing.domain.draft import Draft
from sourcing.domain.errors import ActNotPossible, ProviderBarred
from sourcing.domain.listing import get_known_facts
from sourcing.domain.market import ProviderFacts
from sourcing.domain.officers.allowed_acts import Act, require_allowed
from sourcing.domain.officers.commands import PlaceByHand
from sourcing.domain.officers.directing import refuse_provider_with_live_offer
from sourcing.domain.officers.pending_acts import HandPlacement
from sourcing.domain.officers.reasons import check_officer_reason
from sourcing.domain.placing import place_package
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import ActWaits, Outcome, Placed, Result

BY_HAND = "by-hand"
"""The stage of a placement that no stage of the framework made."""
PRICE_LIST = "as agreed by hand"


def place_by_hand(draft: Draft, command: PlaceByHand) -> Result:
    """Place the package, or have a second officer approve it above the ceiling; the same again is the same placement.

    Offers that can be answered are withdrawn. Raises ActNotPossible, InvalidInput, MarketNotKnown, and ProviderBarred
    for an embargoed provider, one that the person refuses, and one with a live offer, whose answer is recorded instead.
    """
    repeated = _find_repeated_outcome(draft, command)
    if repeated is not None:
        return Result(repeated)
    require_allowed(draft, Act.PLACE)
    check_officer_reason(draft, command.reason)
    refuse_provider_with_live_offer(draft, command.provider_id)
    facts = get_known_facts(draft, command.provider_id)
    bars = tuple(find_bars_to_placing(draft, facts))
    if bars:
        raise ProviderBarred(f"provider {facts.provider_id}: {', '.join(bars)}; choose another provider")
    check_inadequate_reason(draft, facts, command.inadequate_reason)
    terms, ceiling = _compute_terms(draft, command.rate), find_ceiling(draft.definition, draft.search.care)
    placement = HandPlacement(
        act_id=ActId(draft.new_id()),
        provider_id=command.provider_id,
        terms=terms,
        officer=command.officer,
        reason=command.reason,
        inadequate_reason=command.inadequate_reason,
        note_id=command.note_id,
    )
    if ceiling is None or command.rate > ceiling or needs_second_officer_always(draft.definition, draft.search.care):
        return Result(_request_approval(draft, placement, facts, ceiling))
    return Result(complete_hand_placement(draft, placement, facts, second_officer=None))


def complete_hand_placement(
    draft: Draft, placement: HandPlacement, facts: ProviderFacts, *, second_officer: str | None
) -> Placed:
    """Record who placed the package by hand, and place it."""
    hours = draft.search.care.weekly_hours
    draft.publish(
        PlacedByHand(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            act_id=placement.act_id,
            provider_id=placement.provider_id,
            terms=placement.terms,
            weekly_hours=hours,
            rating=facts.rating,
            inadequate_reason=placement.inadequate_reason,
            officer=placement.officer,
            second_officer=second_officer,
            reason=placement.reason,
            note_id=placement.note_id,
        )
    )
    return Placed(place_package(draft, placement, facts, stage=BY_HAND, weekly_hours=hours))


def find_bars_to_placing(draft: Draft, facts: ProviderFacts) -> Iterator[PassOverReason]:
    """Find what bars a placement by hand: an embargo and the person's refusal."""
    if facts.embargoed:
        yield PassOverReason.EMBARGOED
    if facts.provider_id in draft.search.wishes.refused:
        yield PassOverReason.REFUSED_BY_PERSON


def find_ceiling(definition: FrameworkDefinition, care: Care) -> Decimal | None:
    """Find the rate up to which one officer places alone: the open list's ceiling, else the highest of the matrix."""
    ceilings = (stage.find_ceiling(care.service_type) for stage in _list_open_lists(definition, care))
    ceiling = next((each for each in ceilings if each is not None), None)
    lines = definition.find_price_lines(care.service_type, care.area)
    if ceiling is not None or not lines:
        return ceiling
    line = lines[0]
    return max(line.rate, *line.further_rates, line.highest or line.rate)


def needs_second_officer_always(definition: FrameworkDefinition, care: Care) -> bool:
    """Return whether the package's open list has every award approved by a second officer."""
    return any(stage.second_officer is SecondOfficer.ALWAYS for stage in _list_open_lists(definition, care))


def _list_open_lists(definition: FrameworkDefinition, care: Care) -> Iterator[OpenList]:
    road = definition.list_road(definition.describe_kind(care))
    return (stage for stage in road if isinstance(stage, OpenList))


def _find_repeated_outcome(draft: Draft, command: PlaceByHand) -> Outcome | None:
    search, wanted = draft.search, (command.provider_id, command.rate)
    placed, waiting = search.placement, search.acts.placement
    if search.status is SearchStatus.PLACED and placed is not None and placed.manual_id is not None:
        return Placed(placed) if (placed.provider_id, placed.terms.rate) == wanted else None
    if waiting is not None and (waiting.provider_id, waiting.terms.rate) == wanted:
        return ActWaits(waiting.act_id)
    return None


def _compute_terms(draft: Draft, rate: Decimal) -> Terms:
    care = draft.search.care
    lines = draft.definition.find_price_lines(care.service_type, care.area)
    if not lines:
        raise ActNotPossible(f"the definition has no price for {care.service_type} in {care.area}; publish one first")
    kind = draft.definition.get_unit_kind(lines[0].unit)
    return compute_terms_at_rate(care, lines[0].unit, kind, rate, price_list=PRICE_LIST)


def _request_approval(
    draft: Draft, placement: HandPlacement, facts: ProviderFacts, ceiling: Decimal | None
) -> ActWaits:
    draft.publish(
        PlacementByHandProposed(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            act_id=placement.act_id,
            provider_id=placement.provider_id,
            terms=placement.terms,
            ceiling=ceiling,
            rating=facts.rating,
            inadequate_reason=placement.inadequate_reason,
            officer=placement.officer,
            reason=placement.reason,
            note_id=placement.note_id,
            views=facts.projection_uses,
        )
    )
    return ActWaits(placement.act_id)
