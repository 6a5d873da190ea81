"""Deciding on an offer out of order: one officer proposes it, and a second one has to approve it."""

from contracts.events.officer_acts import OfferDirected
from contracts.events.providers import Place
from contracts.events.searches import StageCandidate
from contracts.ids import ActId, ProviderId
from contracts.values import PlaceState
from sourcing.domain.draft import Draft
from sourcing.domain.errors import ProviderBarred
from sourcing.domain.listing import get_known_facts
from sourcing.domain.market import ProviderFacts
from sourcing.domain.officers.allowed_acts import Act, require_allowed
from sourcing.domain.officers.commands import DirectOffer
from sourcing.domain.officers.directed_offers import find_bars
from sourcing.domain.officers.reasons import check_officer_reason
from sourcing.domain.steps import ActWaits, Result


def direct_offer(draft: Draft, command: DirectOffer) -> Result:
    """Propose an offer to a provider with a place in the framework; the same proposal again is the same act.

    Raises ActNotPossible, InvalidInput, MarketNotKnown, and ProviderBarred for a provider without such a place, with a
    live offer, or that may not have the package.
    """
    waiting = draft.search.acts.find_directed_to(command.provider_id)
    if waiting is not None:
        return Result(ActWaits(waiting.act_id))
    require_allowed(draft, Act.OFFER)
    check_officer_reason(draft, command.reason)
    refuse_provider_with_live_offer(draft, command.provider_id)
    facts = get_known_facts(draft, command.provider_id)
    place = find_directed_place(draft, facts, command)
    _refuse_barred_provider(draft, facts, place)
    act_id = ActId(draft.new_id())
    draft.publish(
        OfferDirected(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            act_id=act_id,
            provider_id=command.provider_id,
            lot=place.lot,
            tier=place.tier,
            area=place.area,
            second_officer_needed=True,
            officer=command.officer,
            reason=command.reason,
            note_id=command.note_id,
            views=facts.projection_uses,
        )
    )
    return Result(ActWaits(act_id))


def refuse_provider_with_live_offer(draft: Draft, provider_id: ProviderId) -> None:
    """Raises ProviderBarred while the provider can answer an offer of this package."""
    if any(offer.provider_id == provider_id for offer in draft.search.live_offers):
        raise ProviderBarred(f"provider {provider_id} has a live offer of this package; record its answer instead")


def find_directed_place(draft: Draft, facts: ProviderFacts, command: DirectOffer) -> Place:
    """Find the place that is named; of several, one of the package's lot and area, active, in the first tier.

    Raises ProviderBarred for a provider without such a place.
    """
    care = draft.search.care
    tiers = [tier.tier for tier in draft.definition.tiers]
    wanted = ((command.lot, "lot"), (command.tier, "tier"), (command.area, "area"))
    places = [
        place
        for place in facts.places
        if place.framework == care.framework
        and place.tier in tiers
        and all(value is None or getattr(place, name) == value for value, name in wanted)
    ]
    if not places:
        raise ProviderBarred(
            f"provider {command.provider_id} has no such place in {care.framework}; name another place, or record a "
            "placement made by hand"
        )
    return min(
        places,
        key=lambda place: (
            (place.lot, place.area) != (care.lot, care.area),
            place.state is not PlaceState.ACTIVE,
            tiers.index(place.tier),
            str(place.lot),
            str(place.area),
        ),
    )


def _refuse_barred_provider(draft: Draft, facts: ProviderFacts, place: Place) -> None:
    candidate = StageCandidate(provider_id=facts.provider_id, rank=1, lot=place.lot, tier=place.tier, area=place.area)
    bars = find_bars(draft, facts, candidate)
    if bars:
        raise ProviderBarred(f"provider {facts.provider_id}: {', '.join(bars)}; choose another provider")
