"""Making offers out of order: as soon as no other offer is live, before the stage's own procedure goes on.

They are made at any hour; outside brokerage time their clock starts at the next opening.
"""

from contracts.errors import FieldError, InvalidInput
from contracts.events.offers import OfferMade
from contracts.events.officer_acts import ActEnd, OfficerActEnded
from contracts.events.searches import StageCandidate
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import MakesOffers, OfferingStage
from contracts.ids import OfferId
from contracts.values import PassOverReason, Terms
from sourcing.domain.draft import Draft
from sourcing.domain.making_offers import ONE_MINUTE, build_answer_by
from sourcing.domain.market import ProviderFacts
from sourcing.domain.officers.pending_acts import DirectedOffer
from sourcing.domain.passing_over import find_pass_over_reasons
from sourcing.domain.search import Search


def make_directed_offers(draft: Draft) -> bool:
    """Make the first offer out of order whose provider may have the package; True when one is live now.

    The others end on record with what bars their providers. Nothing is made while the search is paused, and while
    acceptances of providers that were asked at once wait to be put in order.
    """
    while (directed := _find_next(draft.search)) is not None:
        _offer_or_end(draft, directed)
    return bool(draft.search.live_offers)


def find_bars(draft: Draft, facts: ProviderFacts, candidate: StageCandidate) -> tuple[PassOverReason, ...]:
    """Find what bars an offer out of order: rating, state of the place, embargo and the person's refusal."""
    return _find_reasons(draft, facts, candidate, at_award=True)


def _find_next(search: Search) -> DirectedOffer | None:
    is_free = not (search.live_offers or search.acts.is_paused or search.has_waiting_acceptances)
    return search.acts.next_offer if is_free else None


def _offer_or_end(draft: Draft, directed: DirectedOffer) -> None:
    """Make the offer. Capacity, service type and skills are shown in it and bar nobody whom officers chose."""
    facts, candidate = draft.market.get_facts(directed.provider_id), _to_candidate(draft, directed)
    bars = find_bars(draft, facts, candidate)
    terms = draft.market.compute_terms(facts, draft.search.care, area=directed.area, on=draft.local_day)
    if terms is None or bars:
        bars = (*bars, *(() if terms else (PassOverReason.NO_RATE_SELECTED,)))
        _end_unmade(draft, directed, facts, bars)
        return
    draft.publish(_build_offer(draft, directed, candidate, facts, terms))


def _find_reasons(
    draft: Draft, facts: ProviderFacts, candidate: StageCandidate, *, at_award: bool
) -> tuple[PassOverReason, ...]:
    return find_pass_over_reasons(
        facts,
        care=draft.search.care,
        wishes=draft.search.wishes,
        candidate=candidate,
        definition=draft.definition,
        at_award=at_award,
    )


def _to_candidate(draft: Draft, directed: DirectedOffer) -> StageCandidate:
    """Return the place as a candidate with its turn in the current stage; 1 where it has none there."""
    stage = draft.search.stage
    ranked = None if stage is None else stage.find_candidate(directed.provider_id)
    return StageCandidate(
        provider_id=directed.provider_id,
        rank=1 if ranked is None else ranked.rank,
        lot=directed.lot,
        tier=directed.tier,
        area=directed.area,
    )


def _end_unmade(draft: Draft, directed: DirectedOffer, facts: ProviderFacts, bars: tuple[PassOverReason, ...]) -> None:
    draft.publish(
        OfficerActEnded(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            act_id=directed.act_id,
            provider_id=directed.provider_id,
            reason=ActEnd.PROVIDER_NOT_ELIGIBLE,
            passed_over=bars,
            officer=None,
            views=facts.projection_uses,
        )
    )


def _build_offer(
    draft: Draft,
    directed: DirectedOffer,
    candidate: StageCandidate,
    facts: ProviderFacts,
    terms: Terms,
) -> OfferMade:
    search, stage = draft.search, find_offering_stage(draft.definition, draft.search)
    return OfferMade(
        package_id=search.package_id,
        search_id=draft.search_id,
        offer_id=OfferId(draft.new_id()),
        stage=stage.stage,
        provider_id=directed.provider_id,
        rank=candidate.rank,
        tier=directed.tier,
        channel=facts.channel,
        care=search.care,
        weekly_hours=search.care.weekly_hours,
        terms=terms,
        answer_by=build_answer_by(draft, stage, facts.channel, alone=True),
        deliver_within_minutes=stage.undeliverable_after // ONE_MINUTE,
        views=facts.projection_uses,
        act_id=directed.act_id,
        place_lot=directed.lot,
        place_area=directed.area,
        shown=_find_reasons(draft, facts, candidate, at_award=False),
    )


def find_offering_stage(definition: FrameworkDefinition, search: Search) -> MakesOffers:
    """Find the stage whose times an offer out of order has: the current one, else the framework's first.

    Raises InvalidInput for a framework that makes no offers.
    """
    stages = {each.stage: each for each in definition.sourcing if isinstance(each, OfferingStage)}
    current = None if search.stage is None else stages.get(search.stage.name)
    first = next(iter(stages.values()), None)
    if current is None and first is None:
        message = f"version {definition.version} of {definition.framework} has no stage that makes offers"
        raise InvalidInput(FieldError("#/provider_id", message))
    return current or first  # pyright: ignore[reportReturnType]  one of them is there
