"""Applies events to a competition."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from contracts.events.competitions import (
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
    QuestionAnswered,
    QuestionAsked,
    ScoreGiven,
)
from contracts.events.listings import AwardAwaitsApproval, AwardLapsed, AwardRefused
from contracts.events.reasons import ExtensionCause
from contracts.ids import BidId
from sourcing.domain.competitions.competition import (
    Bid,
    Competition,
    CompetitionStatus,
    OpenedBid,
    PendingBidAward,
    Question,
    Score,
)

AwardEvent = AwardAwaitsApproval | AwardRefused | AwardLapsed
CompetitionEvent = (
    CompetitionExtended
    | QuestionAsked
    | QuestionAnswered
    | BidReceived
    | BidWithdrawn
    | BidRefused
    | CompetitionClosed
    | BidOpened
    | ScoreGiven
    | CompetitionRanked
    | CompetitionAwarded
    | CompetitionEnded
)


def build_competition(event: CompetitionOpened, at: datetime) -> Competition:
    return Competition(
        competition_id=event.competition_id,
        stage=event.stage,
        advert=event.advert,
        criteria=event.criteria,
        price_weight=event.price_weight,
        lowest_price=event.lowest_price,
        highest_score=event.highest_score,
        pass_mark=event.pass_mark,
        unit=event.unit,
        unit_kind=event.unit_kind,
        ceiling=event.ceiling,
        shows_ceiling=event.shows_ceiling,
        second_officer_always=event.second_officer_always,
        opened_at=at,
        questions_until=event.questions_until,
        closes_at=event.closes_at,
        invited=event.invited,
        not_invited=event.not_invited,
    )


def apply_competition_event(competition: Competition, event: CompetitionEvent, at: datetime) -> Competition:
    """Apply an event about this competition."""
    match event:
        case QuestionAsked() | QuestionAnswered():
            return _apply_question_event(competition, event, at)
        case BidReceived() | BidWithdrawn() | BidRefused() | BidOpened() | ScoreGiven():
            return _apply_bid_event(competition, event, at)
        case CompetitionExtended():
            return _extend(competition, event)
        case CompetitionClosed() | CompetitionAwarded() | CompetitionEnded():
            return _change_status(competition, event)
        case CompetitionRanked():
            return replace(competition, seed=event.seed, ranking=event.ranking)


def _extend(competition: Competition, event: CompetitionExtended) -> Competition:
    counted_to = event.up_at if event.cause is ExtensionCause.OUTAGE else competition.outages_counted_to
    return replace(
        competition,
        questions_until=event.questions_until,
        closes_at=event.closes_at,
        outages_counted_to=counted_to,
    )


def _change_status(
    competition: Competition, event: CompetitionClosed | CompetitionAwarded | CompetitionEnded
) -> Competition:
    match event:
        case CompetitionClosed():
            return replace(competition, status=CompetitionStatus.CLOSED)
        case CompetitionAwarded():
            return replace(competition, status=CompetitionStatus.AWARDED, awarded=event.bid_id, award=None)
        case CompetitionEnded():
            return replace(
                competition,
                status=CompetitionStatus.ENDED,
                end=event.reason,
                runs_again=event.runs_again,
                award=None,
            )


def apply_award_event(competition: Competition, event: AwardEvent) -> Competition:
    """Apply an event about an award of one of the bids that waits for a second officer."""
    if not isinstance(event, AwardAwaitsApproval):
        has_ended = competition.award is not None and competition.award.award_id == event.award_id
        return replace(competition, award=None) if has_ended else competition
    pending = PendingBidAward(
        award_id=event.award_id,
        bid_id=BidId(event.proposal_id),
        officer=event.officer,
        inadequate_reason=event.inadequate_reason,
        overrule_reason=event.overrule_reason,
        note_id=event.note_id,
    )
    return replace(competition, award=pending)


def _apply_question_event(
    competition: Competition, event: QuestionAsked | QuestionAnswered, at: datetime
) -> Competition:
    if isinstance(event, QuestionAsked):
        question = Question(event.question_id, event.provider_id, asked_at=at)
        return replace(competition, questions=(*competition.questions, question))
    questions = (
        replace(each, note_id=event.note_id, answered_at=at) if each.question_id == event.question_id else each
        for each in competition.questions
    )
    return replace(competition, questions=tuple(questions))


def _apply_bid_event(
    competition: Competition, event: BidReceived | BidWithdrawn | BidRefused | BidOpened | ScoreGiven, at: datetime
) -> Competition:
    match event:
        case BidReceived():
            others = (each for each in competition.bids if each.provider_id != event.provider_id)
            bid = Bid(event.bid_id, event.provider_id, event.commitment, received_at=at)
            return replace(competition, bids=(*others, bid))
        case BidWithdrawn() | BidRefused():
            return replace(competition, bids=tuple(each for each in competition.bids if each.bid_id != event.bid_id))
        case BidOpened():
            opened = OpenedBid(event.rate, event.salt, event.content_hash, event.terms)
            return _change_bid(competition, event.bid_id, lambda bid: replace(bid, opened=opened))
        case ScoreGiven():
            score = Score(event.criterion, event.score, event.officer, event.score_reason, event.note_id, given_at=at)
            return _change_bid(competition, event.bid_id, lambda bid: _add_score(bid, score))


def _change_bid(competition: Competition, bid_id: BidId, change: Callable[[Bid], Bid]) -> Competition:
    bids = (change(each) if each.bid_id == bid_id else each for each in competition.bids)
    return replace(competition, bids=tuple(bids))


def _add_score(bid: Bid, score: Score) -> Bid:
    """Return the bid with the score in place of an older one by the same criterion."""
    others = [each for each in bid.scores if each.criterion != score.criterion]
    return replace(bid, scores=tuple(sorted((*others, score), key=lambda each: each.criterion)))
