"""Who is asked next: one provider at a time, in ranked order, stage by stage, in brokerage time."""

from datetime import timedelta
from typing import Final

from contracts.events.packages import (
    Candidate,
    ExhaustedReason,
    OfferMade,
    OfferRedirected,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    StageEntered,
)
from contracts.framework import Exhausted, OpenList, SequentialOffers
from contracts.ids import OfferId, SearchId
from contracts.values import AnswerBy, Channel, PassOverReason, Terms
from sourcing.domain.draft import Course
from sourcing.domain.listing import open_to_all
from sourcing.domain.market import ProviderFacts, reasons_against
from sourcing.domain.search import Offer

ONE_MINUTE: Final = timedelta(minutes=1)


def go_on(course: Course) -> None:
    """Take the search as far as it goes now: to its next offer, to the opening, to a hold, or to its end."""
    course.looked_for_provider = True
    if not _is_under_way(course) or _waits_for_opening(course):
        return
    while course.search.is_between_offers and _next_turn(course):
        pass


def redirect(course: Course, offer: Offer) -> None:
    """The same offer by the provider's next channel, once, with a fresh clock; after the last one by telephone.

    What goes out by itself goes out in brokerage time; the officers' call list can be written at any hour.
    """
    to_channel = course.market.facts_of(offer.provider_id).channel_after(offer.channel)
    if to_channel is not Channel.PHONE and _waits_for_opening(course):
        course.waits_to_redirect = True
        return
    course.publish(
        OfferRedirected(
            package_id=course.search.package_id,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            from_channel=offer.channel,
            to_channel=to_channel,
            answer_by=_answer_by(course, course.definition.sequence_named(offer.stage), to_channel),
        )
    )


def _is_under_way(course: Course) -> bool:
    """Whether the search stands in a stage; started and in its first one if that can be now, else held."""
    search = course.search
    if _held_for(course, course.market.missing_definition(search.care, search.definition_version)):
        return False
    if search.search_id is None:
        _start(course)
    return course.search.stage is not None or _enter(course, course.definition.stage_after(None))


def _waits_for_opening(course: Course) -> bool:
    """Offers go out in brokerage time only, save for urgent packages; nobody is looked at before."""
    return not course.search.is_urgent and not course.calendar.is_open(course.at)


def _next_turn(course: Course) -> bool:
    """One provider's turn, or the end of the stage; whether there may be another turn now."""
    untried = course.stage.untried
    if not untried:
        return _enter(course, _following_stage(course))
    facts = course.market.facts_of(untried[0].provider_id)
    care = course.search.care
    if course.market.missing_facts(care, untried[:1]):
        return not _held_for(course, course.market.missing_facts(care, untried))
    _take_turn(course, untried[0], facts)
    return True


def _take_turn(course: Course, candidate: Candidate, facts: ProviderFacts) -> None:
    search, stage = course.search, course.stage
    reasons = reasons_against(facts, care=search.care, wishes=search.wishes, tier=stage.tier, at_award=False)
    terms = course.market.terms_with(facts, search.care, on=course.local_day)
    if terms is not None and not reasons:
        course.publish(_offer(course, candidate, facts, terms))
        return
    course.publish(
        ProviderPassedOver(
            package_id=search.package_id,
            search_id=course.search_id,
            stage=stage.name,
            provider_id=candidate.provider_id,
            rank=candidate.rank,
            reasons=(*reasons, *(() if terms else (PassOverReason.NO_RATE_SELECTED,))),
            views=facts.views,
        )
    )


def _offer(course: Course, candidate: Candidate, facts: ProviderFacts, terms: Terms) -> OfferMade:
    care, stage = course.search.care, course.definition.sequence_named(course.stage.name)
    return OfferMade(
        package_id=course.search.package_id,
        search_id=course.search_id,
        offer_id=OfferId(course.new_id()),
        stage=stage.stage,
        provider_id=candidate.provider_id,
        rank=candidate.rank,
        channel=facts.channel,
        care=care,
        weekly_hours=care.weekly_hours,
        terms=terms,
        answer_by=_answer_by(course, stage, facts.channel),
        views=facts.views,
    )


def _answer_by(course: Course, stage: SequentialOffers, channel: Channel) -> AnswerBy:
    """The time to answer as a length; it becomes an instant when the offer is delivered."""
    urgent = course.search.is_urgent
    return AnswerBy(
        minutes=stage.answer_within.by(channel, urgent=urgent) // ONE_MINUTE,
        brokerage_time=not urgent,
    )


def _start(course: Course) -> None:
    care = course.search.care
    course.publish(
        SourcingStarted(
            package_id=course.search.package_id,
            search_id=SearchId(course.new_id()),
            framework=care.framework,
            definition_version=course.definition.version,
            area=care.area,
        )
    )


def _following_stage(course: Course) -> SequentialOffers | OpenList | None:
    current = course.definition.sequence_named(course.stage.name)
    return None if current.exhausted is Exhausted.STOP else course.definition.stage_after(current.stage)


def _enter(course: Course, stage: SequentialOffers | OpenList | None) -> bool:
    """Enter a stage with its list pinned; without its list the search is held, without a stage it is exhausted."""
    if stage is None:
        _exhaust(course)
        return False
    if isinstance(stage, OpenList):
        open_to_all(course, stage)
        return False
    care = course.search.care
    if _held_for(course, course.market.missing_list(care, stage.tier)):
        return False
    ranked_list = course.market.ranked_lists[stage.tier]
    course.publish(
        StageEntered(
            package_id=course.search.package_id,
            search_id=course.search_id,
            stage=stage.stage,
            tier=stage.tier,
            list_version=ranked_list.list_version,
            candidates=ranked_list.ranking,
        )
    )
    return True


def _exhaust(course: Course) -> None:
    course.publish(
        SourcingExhausted(
            package_id=course.search.package_id,
            search_id=course.search_id,
            last_stage=course.stage.name,
            reason=ExhaustedReason.NO_STAGE_LEFT,
        )
    )


def _held_for(course: Course, missing: tuple[str, ...]) -> bool:
    """Whether something is missing; the search is held for it then, on record once for the same things."""
    if not missing:
        return False
    missing = tuple(dict.fromkeys(missing))
    if course.search.missing != missing:
        course.publish(SourcingHeld(package_id=course.search.package_id, missing=missing))
    return True
