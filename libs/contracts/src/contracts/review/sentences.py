"""Sentences about the stages of a definition, in plain English."""

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import (
    AnyStage,
    BatchingList,
    Conditions,
    Designated,
    Exhausted,
    MakesOffers,
    MiniCompetition,
    OfferToAll,
    OpenList,
    Reach,
    SecondOfficer,
    SequentialOffers,
)
from contracts.framework.titles import Titles
from contracts.review.competition_sentences import describe_competition
from contracts.review.list_sentences import describe_batching_list, describe_issue_days
from contracts.review.phrases import format_count, format_minutes, join_words, name_ceilings
from contracts.values import ListReach, Order

ORDERS: Final = {
    Order.RANKED_LIST: "the ranked list",
    Order.NUMBER: "their numbers",
    Order.PRICE: "the price of this package, the lowest first",
    Order.ROTATION: "rotation, whose last award in the area lies longest ago first, never awarded before all others",
    Order.DRAW: "a draw with a recorded seed",
}


def describe_stage(definition: FrameworkDefinition, stage: AnyStage, *, ends_road: bool = False) -> Sequence[str]:
    """Describes in sentences whom a stage asks, in which order, how long they have, and what follows.

    `ends_road` is true for the last stage of a road.
    """
    match stage:
        case SequentialOffers():
            whom = f"{name_recipients(definition, stage)} are offered the package one at a time"
            asked = [f"{whom}, in the order of {_name_order(stage.order)}", *_describe_offers(stage)]
        case Designated():
            asked = [*_describe_designation(definition, stage), *_describe_offers(stage)]
        case OfferToAll():
            asked = [*_describe_offer_to_all(definition, stage)]
        case BatchingList():
            listed = describe_batching_list(stage, name_recipients(definition, stage))
            asked = [*listed, *_describe_offers(stage)]
        case OpenList():
            return _write_sentences(_describe_open_list(definition, stage))
        case MiniCompetition():
            invited = name_recipients(definition, stage)
            return _write_sentences(describe_competition(definition, stage, invited, ends_road=ends_road))
        case _:
            assert_never(stage)
    return _write_sentences([*asked, _describe_delivery(stage), _describe_end(stage, ends_road=ends_road)])


def describe_conditions(definition: FrameworkDefinition, when: Conditions) -> str:
    """Describes for which packages a stage is meant; empty for all packages."""
    titles = Titles(definition)
    parts = [
        _list_words("lot", (titles.get_lot(each) for each in when.lots)),
        _list_words("in", (titles.get_area(each) for each in when.areas)),
        _list_words("service type", (titles.get_service_type(each) for each in when.service_types)),
        _list_words("route", (titles.get_route(each) for each in when.routes)),
        _list_words("with a need of", (titles.get_need(each) for each in when.needs)),
        _list_words("travel band", when.travel_bands),
        {True: "urgent", False: "not urgent", None: ""}[when.urgent],
    ]
    return "; ".join(part for part in parts if part)


def _list_words(label: str, words: Iterable[str]) -> str:
    found = list(words)
    return f"{label} {' or '.join(found)}" if found else ""


def _write_sentences(sentences: Iterable[str]) -> Sequence[str]:
    return [f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences]


def name_recipients(definition: FrameworkDefinition, stage: MakesOffers | MiniCompetition) -> str:
    """`the active providers of the area (Tier 1)`; tiers that are asked one after the other are joined by "then"."""
    titles = Titles(definition)
    tiers = [titles.get_tier(tier) for tier in stage.to.tiers]
    named = join_words(tiers) if isinstance(stage, OfferToAll | MiniCompetition) else ", then ".join(tiers)
    where = "the neighbouring areas" if stage.to.reach is Reach.NEIGHBOURS else "the area"
    return f"the active providers of {where} ({named})"


def _name_order(order: Sequence[Order]) -> str:
    first, *others = (ORDERS[each] for each in order)
    ties = f" (ties: {', then '.join(others)})" if others else ""
    return f"{first}{ties}"


def _describe_designation(definition: FrameworkDefinition, stage: Designated) -> Iterable[str]:
    titles = Titles(definition)
    if stage.follows_in:
        lots = join_words([titles.get_lot(lot) for lot in stage.follows_in])
        yield f"if the package follows another one of {lots}, the provider that delivers that one is asked first"
    if stage.to.tiers:
        also = "then " if stage.follows_in else ""
        yield f"{also}{name_recipients(definition, stage)} are asked one at a time, in the order of their numbers"
    else:
        yield "for a package that follows none, this stage asks nobody"


def _describe_offers(stage: SequentialOffers | Designated | BatchingList) -> Iterable[str]:
    within = stage.answer_within
    yield (
        f"each has {format_minutes(within.webhook)} of brokerage time to answer by webhook, "
        f"{format_minutes(within.email)} by email and {format_minutes(within.phone)} by telephone, "
        "counted from delivery"
    )
    yield f"for an urgent package it is {format_minutes(within.urgent)} of plain time on every channel"


def _describe_delivery(stage: MakesOffers) -> str:
    calls = stage.calls_before_expiry
    ended = "one call that reaches nobody ends it" if calls == 1 else f"{calls} calls that reach nobody end it"
    return (
        f"an offer that is not delivered within {format_minutes(stage.undeliverable_after)} goes to the next channel, "
        f"at last to the telephone, where {ended}"
    )


def _describe_end(stage: MakesOffers, *, ends_road: bool) -> str:
    if ends_road or stage.exhausted is Exhausted.STOP:
        return "when nobody is left, the road ends and an officer acts"
    if stage.exhausted is Exhausted.WAIT_FOR_LIST:
        return "when nobody is left by the cut-off, the package waits for the list; else the stage after it follows"
    return "when nobody is left, the next stage follows"


def _describe_offer_to_all(definition: FrameworkDefinition, stage: OfferToAll) -> Iterable[str]:
    yield f"{name_recipients(definition, stage)} are asked at once"
    yield (
        f"they have {format_minutes(stage.deadline.routine)} of brokerage time, for an urgent package "
        f"{format_minutes(stage.deadline.urgent)} of plain time; the stage ends as soon as all have answered"
    )
    yield f"those that accept are put in the order of {_name_order(stage.order)}, and the first eligible one gets it"
    yield "the others are told at once"


def _describe_open_list(definition: FrameworkDefinition, stage: OpenList) -> Iterable[str]:
    where = "area" if stage.reach is ListReach.AREA else "council"
    members = [f"the framework's providers of the {where}"] if stage.members else []
    spot = [f"spot providers of the {where}"] if stage.spot else []
    yield f"the package is open to {join_words([*members, *spot])}, who may propose a rate and a way to deliver"
    if stage.issued is not None:
        yield describe_issue_days(stage.issued)
    if stage.second_officer is SecondOfficer.ALWAYS:
        yield "an officer awards it, and a second officer approves each award"
    else:
        ceilings = name_ceilings(definition, stage.ceilings)
        yield f"an officer awards it; above the ceiling ({ceilings}) a second officer approves"
    yield f"after {format_count(stage.alarm_after.days, 'day')} without an award officers are notified"
    if stage.outward_codes_shown:
        yield f"the list shows the outward code, not the area alone, of {join_words(stage.outward_codes_shown)}"
    yield "it stays open until it is placed"
