"""Taking up a late tick on a Batching List: an offer to its provider as soon as no other offer is live."""

from contracts.events.officer_acts import OfferDirected
from contracts.events.searches import StageCandidate
from contracts.ids import ActId, ListId
from sourcing.domain.draft import Draft
from sourcing.domain.errors import ProviderBarred
from sourcing.domain.listing import get_known_facts
from sourcing.domain.market import ProviderFacts
from sourcing.domain.offering import advance
from sourcing.domain.officers.allowed_acts import Act, list_late_ticks, require_allowed
from sourcing.domain.officers.commands import DirectOffer, TakeUpTick
from sourcing.domain.officers.directed_offers import find_bars
from sourcing.domain.officers.directing import find_directed_place, refuse_provider_with_live_offer
from sourcing.domain.officers.reasons import check_officer_reason
from sourcing.domain.steps import ActWaits, Result


def take_up_tick(draft: Draft, command: TakeUpTick) -> Result:
    """Direct an offer to a provider that ticked late; no second officer is needed, and the same again is the same act.

    Raises ActNotPossible, InvalidInput, MarketNotKnown, and ProviderBarred for a provider that did not tick late, that
    has a live offer, or that may not have the package.
    """
    waiting = draft.search.acts.find_directed_to(command.provider_id)
    if waiting is not None and waiting.is_ready:
        return Result(ActWaits(waiting.act_id))
    require_allowed(draft, Act.TAKE_UP_TICK)
    if waiting is not None:
        raise ProviderBarred(f"act {waiting.act_id} for this provider waits for a second officer; refuse it first")
    check_officer_reason(draft, command.reason)
    if command.provider_id not in list_late_ticks(draft.search):
        raise ProviderBarred(f"provider {command.provider_id} has no late tick; propose an offer out of order instead")
    refuse_provider_with_live_offer(draft, command.provider_id)
    facts = get_known_facts(draft, command.provider_id)
    place = _find_place(draft, facts, command)
    bars = find_bars(draft, facts, place)
    if bars:
        raise ProviderBarred(f"provider {command.provider_id}: {', '.join(bars)}; choose another provider")
    act_id = ActId(draft.new_id())
    draft.publish(_build_event(draft, command, facts, place, act_id))
    return Result(ActWaits(act_id), advance(draft).follow_up)


def _find_place(draft: Draft, facts: ProviderFacts, command: TakeUpTick) -> StageCandidate:
    """Find the place by which the provider was asked to tick; in a later stage, its best place for the package."""
    stage = draft.search.stage
    candidate = None if stage is None else stage.find_candidate(command.provider_id)
    if candidate is not None:
        return candidate
    wanted = DirectOffer(command.package_id, command.provider_id, command.officer, command.reason)
    place = find_directed_place(draft, facts, wanted)
    return StageCandidate(provider_id=command.provider_id, rank=1, lot=place.lot, tier=place.tier, area=place.area)


def _build_event(
    draft: Draft, command: TakeUpTick, facts: ProviderFacts, place: StageCandidate, act_id: ActId
) -> OfferDirected:
    return OfferDirected(
        package_id=draft.search.package_id,
        search_id=draft.search_id,
        act_id=act_id,
        provider_id=command.provider_id,
        lot=place.lot,
        tier=place.tier,
        area=place.area,
        second_officer_needed=False,
        list_id=_get_list_id(draft),
        officer=command.officer,
        reason=command.reason,
        note_id=command.note_id,
        views=facts.projection_uses,
    )


def _get_list_id(draft: Draft) -> ListId:
    entry = draft.search.batching
    assert entry is not None, "late ticks are ticks on a list"
    return entry.list_id
