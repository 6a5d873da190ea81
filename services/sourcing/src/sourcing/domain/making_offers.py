"""Making one offer to one provider, or passing the provider over, for all reasons that hold at this instant."""

from datetime import timedelta
from typing import Final

from contracts.events.offers import OfferMade
from contracts.events.searches import ProviderPassedOver, StageCandidate
from contracts.framework.stages import AnswerWithin, MakesOffers, OfferToAll
from contracts.ids import OfferId
from contracts.values import AnswerBy, Channel, PassOverReason, Terms
from sourcing.domain.draft import Draft
from sourcing.domain.market import ProviderFacts
from sourcing.domain.passing_over import find_pass_over_reasons

ONE_MINUTE: Final = timedelta(minutes=1)


def is_waiting_for_opening(draft: Draft) -> bool:
    """Return whether offers wait for brokerage time. Urgent packages never wait; others are not evaluated before it."""
    return not draft.search.is_urgent and not draft.calendar.is_open(draft.at)


def build_answer_by(draft: Draft, stage: MakesOffers, channel: Channel, *, alone: bool = False) -> AnswerBy:
    """Return the time to answer: a length that begins with the delivery, or the deadline of all that are asked.

    `alone` is an offer out of order; in a stage that asks all providers at once it has the usual time to answer.
    """
    urgent = draft.search.is_urgent
    if alone or not isinstance(stage, OfferToAll):
        answer_within = AnswerWithin() if isinstance(stage, OfferToAll) else stage.answer_within
        length = answer_within.get_duration(channel, urgent=urgent)
        return AnswerBy(minutes=length // ONE_MINUTE, brokerage_time=not urgent)
    length = stage.deadline.urgent if urgent else stage.deadline.routine
    instant = draft.at + length if urgent else draft.calendar.add_open_time(draft.at, length)
    return AnswerBy(minutes=length // ONE_MINUTE, brokerage_time=not urgent, instant=instant)


def offer_or_pass_over(draft: Draft, candidate: StageCandidate) -> None:
    """Offer the package to the candidate, or record why it is passed over."""
    search, facts = draft.search, draft.market.get_facts(candidate.provider_id)
    reasons = find_pass_over_reasons(
        facts,
        care=search.care,
        wishes=search.wishes,
        candidate=candidate,
        definition=draft.definition,
        at_award=False,
    )
    terms = draft.market.compute_terms(facts, search.care, area=candidate.area, on=draft.local_day)
    if terms is not None and not reasons:
        draft.publish(_build_offer(draft, candidate, facts, terms))
        return
    draft.publish(
        ProviderPassedOver(
            package_id=search.package_id,
            search_id=draft.search_id,
            stage=draft.stage.name,
            provider_id=candidate.provider_id,
            rank=candidate.rank,
            reasons=(*reasons, *(() if terms else (PassOverReason.NO_RATE_SELECTED,))),
            views=facts.projection_uses,
        )
    )


def _build_offer(draft: Draft, candidate: StageCandidate, facts: ProviderFacts, terms: Terms) -> OfferMade:
    care, stage = draft.search.care, draft.definition.get_offering_stage(draft.stage.name)
    return OfferMade(
        package_id=draft.search.package_id,
        search_id=draft.search_id,
        offer_id=OfferId(draft.new_id()),
        stage=stage.stage,
        provider_id=candidate.provider_id,
        rank=candidate.rank,
        tier=candidate.tier,
        channel=facts.channel,
        care=care,
        weekly_hours=care.weekly_hours,
        terms=terms,
        answer_by=build_answer_by(draft, stage, facts.channel),
        deliver_within_minutes=stage.undeliverable_after // ONE_MINUTE,
        asks_all=isinstance(stage, OfferToAll),
        views=facts.projection_uses,
    )
