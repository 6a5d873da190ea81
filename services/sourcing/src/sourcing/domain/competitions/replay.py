"""Finds the trigger of a recorded decision about a competition from the events that it caused.

A bid's answers are not on record; that it answered each criterion is, since a bid that does not is no event. Of a
refused award the reasons to overrule are not on record; any valid ones replay it.
"""

from collections.abc import Iterable
from uuid import UUID

from contracts.events.base import PackageEvent
from contracts.events.competitions import (
    BidAct,
    BidOpened,
    BidReceived,
    BidRefused,
    BidWithdrawn,
    CompetitionAwarded,
    CompetitionClosed,
    CompetitionEnd,
    CompetitionEnded,
    QuestionAnswered,
    QuestionAsked,
    ScoreGiven,
)
from contracts.events.listings import AwardAwaitsApproval, AwardRefused
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Reasons
from contracts.ids import BidId, CompetitionId, CriterionKey, NoteId
from sourcing.domain.competitions.competition import Competition
from sourcing.domain.competitions.triggers import (
    AnswerQuestion,
    AskQuestion,
    AwardBid,
    CompetitionCommand,
    CompetitionDue,
    EndCompetition,
    GiveScore,
    SubmitBid,
    UnsealedBid,
    WithdrawBid,
)
from sourcing.domain.search import Search


def find_competition_due(events: Iterable[PackageEvent]) -> CompetitionDue:
    """Return the trigger of a close, with the bids as they were opened."""
    closed, opened = CompetitionId(UUID(int=0)), list[UnsealedBid]()
    for event in events:
        if isinstance(event, CompetitionClosed):
            closed = event.competition_id
        elif isinstance(event, BidOpened):
            opened.append(UnsealedBid(event.bid_id, event.rate, event.salt, event.content_hash))
    return CompetitionDue(closed, tuple(opened))


def find_competition_command(
    event: PackageEvent, search: Search | None, definition: FrameworkDefinition | None
) -> CompetitionCommand | None:
    """Return the command that caused the event; None for an event that no command about a competition causes."""
    match event:
        case QuestionAsked() | QuestionAnswered():
            return _find_question_command(event)
        case BidReceived() | BidRefused() | BidWithdrawn():
            return _find_bid_command(event, search)
        case ScoreGiven():
            return GiveScore(
                event.package_id,
                event.competition_id,
                event.bid_id,
                event.criterion,
                event.score,
                event.officer,
                event.score_reason,
                event.note_id,
                event.content_hash,
            )
        case AwardAwaitsApproval() | AwardRefused() | CompetitionAwarded():
            return _find_award(event, search, definition)
        case CompetitionEnded():
            return _find_end(event)
        case _:
            return None


def _find_question_command(event: QuestionAsked | QuestionAnswered) -> AskQuestion | AnswerQuestion:
    if isinstance(event, QuestionAsked):
        return AskQuestion(
            event.package_id, event.competition_id, event.question_id, event.provider_id, event.content_hash
        )
    return AnswerQuestion(
        event.package_id, event.competition_id, event.question_id, event.note_id, event.officer, event.content_hash
    )


def _find_bid_command(
    event: BidReceived | BidRefused | BidWithdrawn, search: Search | None
) -> SubmitBid | WithdrawBid | None:
    is_withdrawal = isinstance(event, BidRefused) and event.act is BidAct.WITHDRAWAL
    if isinstance(event, BidWithdrawn) or is_withdrawal:
        return WithdrawBid(event.package_id, event.competition_id, event.provider_id)
    if event.bid_id is None or event.commitment is None:
        return None
    return SubmitBid(
        event.package_id,
        event.competition_id,
        event.bid_id,
        event.provider_id,
        event.commitment,
        _list_criteria(search, event.competition_id),
    )


def _list_criteria(search: Search | None, competition_id: CompetitionId) -> tuple[CriterionKey, ...]:
    competitions = () if search is None else search.competitions
    found = (each for each in competitions if each.competition_id == competition_id)
    return tuple(each.criterion for competition in found for each in competition.criteria)


def _find_award(
    event: AwardAwaitsApproval | AwardRefused | CompetitionAwarded,
    search: Search | None,
    definition: FrameworkDefinition | None,
) -> AwardBid | None:
    bid_id = event.bid_id if isinstance(event, CompetitionAwarded) else BidId(event.proposal_id)
    competition = _find_competition_of(search, bid_id)
    if competition is None:
        return None
    if not isinstance(event, AwardRefused):
        return AwardBid(
            event.package_id,
            competition.competition_id,
            bid_id,
            event.officer,
            event.overrule_reason,
            event.note_id,
            event.inadequate_reason,
        )
    reasons = None if definition is None else definition.reasons
    is_first = competition.winner is not None and competition.winner.bid_id == bid_id
    overrule = None if reasons is None or is_first else next(iter(Reasons.list_keys(reasons.overrule)), None)
    inadequate = None if reasons is None else next(iter(Reasons.list_keys(reasons.inadequate_award)), None)
    note_id = None if is_first else NoteId(UUID(int=0))
    return AwardBid(event.package_id, competition.competition_id, bid_id, event.officer, overrule, note_id, inadequate)


def _find_competition_of(search: Search | None, bid_id: BidId) -> Competition | None:
    competitions = () if search is None else search.competitions
    return next((each for each in competitions if each.find_bid(bid_id) is not None), None)


def _find_end(event: CompetitionEnded) -> EndCompetition | AwardBid | None:
    """Return the officer's command: to end it early, or to confirm that no bid is suitable."""
    if event.reason is CompetitionEnd.NONE_SUITABLE and event.officer is not None:
        return AwardBid(event.package_id, event.competition_id, None, event.officer)
    if event.officer is None or event.officer_reason is None:
        return None
    return EndCompetition(
        event.package_id,
        event.competition_id,
        event.officer,
        event.officer_reason,
        event.note_id,
        event.runs_again,
    )
