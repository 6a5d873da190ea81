"""Routes for officers: answer questions, score bids, award the package, and end a competition early."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from contracts.ids import BidId, CompetitionId, NoteId, PackageId, QuestionId
from service_runtime.http.commands import CommandBus, json_response, to_stored_problem
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import (
    CriterionName,
    LongText,
    ReasonName,
    RequestBody,
    Uuid,
    WholeNumber,
    YesOrNo,
)
from service_runtime.idempotency import StoredResponse as HttpAnswer
from sourcing.api.awards import AwardNotPossible
from sourcing.api.callers import Bus, Officer, Queries, find_search, to_stream_key
from sourcing.api.competition_callers import build_note, get_competition, get_note_id, salt_text
from sourcing.api.competition_officers import PATH, RankingOut, to_ranking_out
from sourcing.api.competition_views import CompetitionSummaryOut, to_summary_out
from sourcing.domain.competitions.contents import SaltedText
from sourcing.domain.competitions.outcomes import BidAwaitsApproval, CompetitionIsOver
from sourcing.domain.competitions.triggers import AnswerQuestion, AwardBid, EndCompetition, GiveScore
from sourcing.domain.steps import AwardBarred, Placed
from sourcing.handlers import CommandResult, CommandWithTexts, handle_command_with_texts
from sourcing.ports import NewText

router = APIRouter(tags=["officers"])


class AnswerToQuestionIn(RequestBody):
    question_id: Uuid
    text: LongText = Field(description="all that are invited read it; name no person")


class ScoreIn(RequestBody):
    """A score by one criterion, for a reason of the framework's list, with a note, or both."""

    bid_id: Uuid
    criterion: CriterionName
    score: WholeNumber = Field(ge=0, le=100)
    reason: ReasonName | None = None
    note: LongText | None = Field(default=None, description="the bidder reads it; name no person")


class AwardBidIn(RequestBody):
    """The bid that gets the package; none confirms that no bid is suitable."""

    bid_id: Uuid | None = None
    overrule_reason: ReasonName | None = Field(default=None, description="needed for another bid than the first")
    note: LongText | None = Field(default=None, description="needed for another bid than the first")
    inadequate_reason: ReasonName | None = None


class AwardedBidOut(BaseModel):
    """The result of an award."""

    result: Literal["placed", "waits for a second officer", "no suitable bid"]
    competition_id: UUID
    placement_id: UUID | None
    award_id: UUID | None = Field(description="at pricing, /v1/spot-prices/{award_id}")


class EndIn(RequestBody):
    reason: ReasonName = Field(description="one of the framework's reasons to end a competition early")
    note: LongText | None = None
    run_again: YesOrNo = Field(default=False, description="true: the same stage opens a new competition")


@router.post(f"{PATH}/answers", status_code=204, responses=describe_problems(404, 409))
async def answer_question(
    package_id: UUID, competition_id: UUID, *, body: AnswerToQuestionIn, caller: Officer, queries: Queries, bus: Bus
) -> Response:
    """Answer a question, to all that are invited; another answer to the same question replaces it."""
    search = await find_search(package_id, caller, queries)
    answer, note_id = salt_text(body.text), NoteId(bus.new_id())
    command = AnswerQuestion(
        search.package_id,
        CompetitionId(competition_id),
        QuestionId(body.question_id),
        note_id,
        caller.actor,
        answer.content_hash,
    )
    return await bus.execute(
        CommandWithTexts(command, (build_note(answer, note_id, search.package_id),)),
        handle_command_with_texts,
        on=to_stream_key(search.package_id),
        by=caller,
        respond=_respond_with_nothing,
    )


@router.put(f"{PATH}/scores", response_model=RankingOut, responses=describe_problems(404, 409))
async def put_score(
    package_id: UUID, competition_id: UUID, *, body: ScoreIn, caller: Officer, queries: Queries, bus: Bus
) -> Response:
    """Score a bid by one criterion; a later score replaces it, also another officer's. Answers with the ranking."""
    search = await find_search(package_id, caller, queries)
    note = None if body.note is None else salt_text(body.note)
    notes = _build_notes(note, search.package_id, bus)
    command = GiveScore(
        search.package_id,
        CompetitionId(competition_id),
        BidId(body.bid_id),
        body.criterion,
        body.score,
        caller.actor,
        body.reason,
        get_note_id(notes),
        None if note is None else note.content_hash,
    )
    return await bus.execute(
        CommandWithTexts(command, notes),
        handle_command_with_texts,
        on=to_stream_key(search.package_id),
        by=caller,
        respond=lambda result: json_response(to_ranking_out(get_competition(result.search, competition_id))),
    )


@router.post(f"{PATH}/awards", response_model=AwardedBidOut, responses=describe_problems(404, 409))
async def award_competition(
    package_id: UUID, competition_id: UUID, *, body: AwardBidIn, caller: Officer, queries: Queries, bus: Bus
) -> Response:
    """Confirm the first bid of the ranking, overrule it, or confirm that none is suitable.

    Above the ceiling, and whenever the result is overruled, the award waits (202) for a second officer.
    """
    search = await find_search(package_id, caller, queries)
    notes = _build_notes(None if body.note is None else salt_text(body.note), search.package_id, bus)
    command = AwardBid(
        search.package_id,
        CompetitionId(competition_id),
        None if body.bid_id is None else BidId(body.bid_id),
        caller.actor,
        body.overrule_reason,
        get_note_id(notes),
        body.inadequate_reason,
    )
    return await bus.execute(
        CommandWithTexts(command, notes),
        handle_command_with_texts,
        on=to_stream_key(search.package_id),
        by=caller,
        respond=lambda result: _respond_with_award(result, competition_id),
    )


@router.post(f"{PATH}/end", response_model=CompetitionSummaryOut, responses=describe_problems(404, 409))
async def end_competition(
    package_id: UUID, competition_id: UUID, *, body: EndIn, caller: Officer, queries: Queries, bus: Bus
) -> Response:
    """End a competition before its award: the next stage follows, or with `run_again` a new competition."""
    search = await find_search(package_id, caller, queries)
    notes = _build_notes(None if body.note is None else salt_text(body.note), search.package_id, bus)
    command = EndCompetition(
        search.package_id,
        CompetitionId(competition_id),
        caller.actor,
        body.reason,
        get_note_id(notes),
        body.run_again,
    )
    return await bus.execute(
        CommandWithTexts(command, notes),
        handle_command_with_texts,
        on=to_stream_key(search.package_id),
        by=caller,
        respond=lambda result: json_response(to_summary_out(get_competition(result.search, competition_id))),
    )


def _build_notes(text: SaltedText | None, package_id: PackageId, bus: CommandBus) -> tuple[NewText, ...]:
    return () if text is None else (build_note(text, bus.new_id(), package_id),)


def _respond_with_nothing(_: CommandResult) -> HttpAnswer:
    return HttpAnswer(204, b"", ())


def _respond_with_award(result: CommandResult, competition_id: UUID) -> HttpAnswer:
    out = AwardedBidOut(result="placed", competition_id=competition_id, placement_id=None, award_id=None)
    match result.outcome:
        case Placed(placement=placement):
            return json_response(out.model_copy(update={"placement_id": placement.placement_id}))
        case BidAwaitsApproval(award=award):
            waits = {"result": "waits for a second officer", "award_id": award.award_id}
            return json_response(out.model_copy(update=waits), status=202)
        case CompetitionIsOver():
            return json_response(out.model_copy(update={"result": "no suitable bid"}))
        case AwardBarred(reasons=reasons):
            return to_stored_problem(AwardNotPossible(f"{', '.join(reasons)}; your award is on record"))
        case _:
            message = "an award places the package, waits for approval, ends the competition, or is refused"
            raise AssertionError(message)
