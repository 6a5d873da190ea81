"""The sentences of events about mini-competitions."""

from typing import Final

from audit.domain.names import (
    Names,
    format_instant,
    format_pounds,
    format_rate,
    format_stage,
    format_terms,
    format_word,
    join_phrases,
)
from audit.domain.narration import Narration
from contracts.events.competitions import (
    BidAct,
    BidOpened,
    BidReceived,
    BidRefused,
    BidWithdrawn,
    CompetitionAwarded,
    CompetitionClosed,
    CompetitionEnded,
    CompetitionExtended,
    CompetitionOpened,
    CompetitionRanked,
    FeedbackAvailable,
    QuestionAnswered,
    QuestionAsked,
    RankedBid,
    ScoreGiven,
)
from contracts.events.reasons import ExtensionCause


def _narrate_opened(event: CompetitionOpened, names: Names) -> str:
    invited = names.name_providers(each.provider_id for each in event.invited) or "nobody"
    others = "".join(
        f"; {names.find_name(each.provider_id)} was not: {join_phrases(reason.value for reason in each.reasons)}"
        for each in event.not_invited
    )
    ceiling = format_rate(event.ceiling, event.unit)
    if event.lowest_price:
        judged = f"the lowest rate up to {ceiling} wins"
    else:
        weights = [f"{format_word(each.criterion)} {each.weight}%" for each in event.criteria]
        judged = (
            f"judged by {join_phrases([*weights, f'price {event.price_weight}%'])}, one officer awards up to {ceiling}"
        )
    until = format_instant(event.closes_at)
    return f"Invited to bid before {until} in the stage {format_stage(event.stage)}, {judged}: {invited}{others}"


def _narrate_extended(event: CompetitionExtended, _: Names) -> str:
    why = "a bank holiday was proclaimed"
    if event.cause is ExtensionCause.OUTAGE:
        why = f"Call-off was down from {format_instant(event.down_from)} to {format_instant(event.up_at)}"
    return f"Bids are taken until {format_instant(event.closes_at)}: {why}"


def _narrate_bid_received(event: BidReceived, names: Names) -> str:
    sentence = f"{names.find_name(event.provider_id)} handed in a sealed bid, committed to by {event.commitment[:12]}…"
    return f"{sentence}; it replaces its earlier bid" if event.replaces is not None else sentence


def _narrate_bid_refused(event: BidRefused, names: Names) -> str:
    reasons, whose = join_phrases(each.value for each in event.reasons), names.find_name(event.provider_id)
    match event.act:
        case BidAct.BID:
            return f"A bid of {whose} was not taken: {reasons}"
        case BidAct.WITHDRAWAL:
            return f"The withdrawal of a bid of {whose} was not taken: {reasons}"
        case BidAct.OPENING:
            return f"The bid of {whose} does not count: {reasons}"


def _narrate_closed(event: CompetitionClosed, _: Names) -> str:
    bids = "1 bid" if event.bids == 1 else f"{event.bids} bids"
    return f"The competition of the stage {format_stage(event.stage)} closed with {bids}"


def _narrate_score(event: ScoreGiven, names: Names) -> str:
    why = "" if event.score_reason is None else f" ({format_word(event.score_reason)})"
    officer, whose = names.name_actor(event.officer), names.find_name(event.provider_id)
    sentence = f"{officer} gave the bid of {whose} {event.score} for {format_word(event.criterion)}{why}"
    return f"{sentence}, with a note" if event.note_id is not None else sentence


def _narrate_ranked(event: CompetitionRanked, names: Names) -> str:
    return f"The bids are in this order: {join_phrases(_format_rank(each, names) for each in event.ranking)}"


def _format_rank(ranked: RankedBid, names: Names) -> str:
    who = f"{names.find_name(ranked.provider_id)} at {format_pounds(ranked.rate)}"
    if ranked.unsuitable:
        return f"{who}, not suitable ({join_phrases(each.value for each in ranked.unsuitable)})"
    return f"{who} with {ranked.total} points ({ranked.quality} quality, {ranked.price} price)"


def _narrate_awarded(event: CompetitionAwarded, names: Names) -> str:
    officers = join_phrases(
        names.name_actor(each) for each in (event.officer, event.second_officer) if each is not None
    )
    sentence = f"{officers} awarded the package to {names.find_name(event.provider_id)} (rated {event.rating.value})"
    if event.overrule_reason is not None:
        sentence += f", not the first of the ranking: {format_word(event.overrule_reason)}"
    if event.inadequate_reason is not None:
        sentence += f", although Inadequate: {format_word(event.inadequate_reason)}"
    return sentence


def _narrate_ended(event: CompetitionEnded, names: Names) -> str:
    sentence = f"The competition of the stage {format_stage(event.stage)} ended without an award: {event.reason.value}"
    if event.officer is not None:
        why = "" if event.officer_reason is None else f" ({format_word(event.officer_reason)})"
        sentence += f", by {names.name_actor(event.officer)}{why}"
    return f"{sentence}; the stage runs again" if event.runs_again else sentence


COMPETITION_NARRATIONS: Final = (
    Narration(CompetitionOpened, _narrate_opened),
    Narration(CompetitionExtended, _narrate_extended),
    Narration(QuestionAsked, lambda event, names: f"{names.find_name(event.provider_id)} asked about the competition"),
    Narration(
        QuestionAnswered,
        lambda event, names: f"{names.name_actor(event.officer)} answered a question, to all that are invited",
    ),
    Narration(BidReceived, _narrate_bid_received),
    Narration(BidWithdrawn, lambda event, names: f"{names.find_name(event.provider_id)} took its bid back"),
    Narration(BidRefused, _narrate_bid_refused),
    Narration(CompetitionClosed, _narrate_closed),
    Narration(
        BidOpened,
        lambda event, names: f"The bid of {names.find_name(event.provider_id)} was opened: {format_terms(event.terms)}",
    ),
    Narration(ScoreGiven, _narrate_score),
    Narration(CompetitionRanked, _narrate_ranked),
    Narration(CompetitionAwarded, _narrate_awarded),
    Narration(CompetitionEnded, _narrate_ended),
    Narration(
        FeedbackAvailable,
        lambda event, names: f"{names.find_name(event.provider_id)} can read how its bid was judged",
    ),
)
