"""Routes for providers: ask about a competition, hand in a sealed bid, take it back."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from contracts.errors import Conflict
from contracts.events.competitions import BidRefusal
from contracts.ids import BidId, CompetitionId, QuestionId
from service_runtime.http.commands import json_response, to_stored_problem
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import CriterionName, LongText, Rate, RequestBody
from service_runtime.idempotency import StoredResponse as HttpAnswer
from sourcing.api.callers import Bus, Provider, to_stream_key
from sourcing.api.competition_callers import (
    Competitions,
    build_note,
    draw_salt,
    find_competing_search,
    find_own_competition,
    salt_text,
)
from sourcing.domain.competitions.contents import BidContent, render_content
from sourcing.domain.competitions.errors import CompetitionNotFound
from sourcing.domain.competitions.outcomes import BidNotTaken
from sourcing.domain.competitions.triggers import AskQuestion, SubmitBid, WithdrawBid
from sourcing.handlers import CommandResult, CommandWithTexts, handle_command_with_texts
from sourcing.ports import NewText

router = APIRouter(tags=["competitions"])


class BidNotAccepted(Conflict):
    """The bid, or its withdrawal, is recorded and does not count."""

    title = "This bid does not count"


class QuestionIn(RequestBody):
    text: LongText = Field(description="all that are invited read it; name no person")


class QuestionTakenOut(BaseModel):
    question_id: UUID


class AnswerIn(RequestBody):
    criterion: CriterionName
    text: LongText = Field(description="name no person")


class BidIn(RequestBody):
    """A rate, and an answer to each criterion; none where the lowest price wins."""

    rate: Rate = Field(description="pounds for each unit of the package")
    answers: list[AnswerIn] = Field(default=[], max_length=20)


class BidTakenOut(BaseModel):
    bid_id: UUID
    commitment: str


@router.post(
    "/v1/competitions/{competition_id}/questions",
    response_model=QuestionTakenOut,
    status_code=201,
    responses=describe_problems(404, 409),
)
async def ask_question(
    competition_id: UUID, body: QuestionIn, caller: Provider, competitions: Competitions, bus: Bus
) -> Response:
    """Ask a question about the competition, until `questions_until`; the answer goes to all that are invited."""
    search, competition = await find_own_competition(competition_id, caller, competitions)
    question_id, question = QuestionId(bus.new_id()), salt_text(body.text)
    command = AskQuestion(
        search.package_id, competition.competition_id, question_id, caller.as_provider, question.content_hash
    )
    return await bus.execute(
        CommandWithTexts(command, (build_note(question, question_id, search.package_id),)),
        handle_command_with_texts,
        on=to_stream_key(search.package_id),
        by=caller,
        respond=lambda _: json_response(QuestionTakenOut(question_id=question_id), status=201),
    )


@router.put("/v1/competitions/{competition_id}/bid", response_model=BidTakenOut, responses=describe_problems(404, 409))
async def put_bid(
    competition_id: UUID, body: BidIn, caller: Provider, competitions: Competitions, bus: Bus
) -> Response:
    """Hand in your sealed bid; it replaces your earlier one. It is in time strictly before `closes_at`."""
    search = await find_competing_search(competition_id, caller, competitions)
    content = BidContent(
        rate=body.rate,
        answers={each.criterion: each.text for each in body.answers},
        salt=draw_salt(),
        answers_salt=draw_salt(),
    )
    bid_id, own_id = BidId(bus.new_id()), CompetitionId(competition_id)
    commitment = content.compute_commitment(own_id, caller.as_provider)
    answered = tuple(each.criterion for each in body.answers)
    command = SubmitBid(search.package_id, own_id, bid_id, caller.as_provider, commitment, answered)
    return await bus.execute(
        CommandWithTexts(command, (NewText(bid_id, search.package_id, render_content(content)),)),
        handle_command_with_texts,
        on=to_stream_key(search.package_id),
        by=caller,
        respond=lambda result: _respond_with_bid(result, BidTakenOut(bid_id=bid_id, commitment=commitment)),
    )


@router.delete("/v1/competitions/{competition_id}/bid", status_code=204, responses=describe_problems(404, 409))
async def withdraw_bid(competition_id: UUID, caller: Provider, competitions: Competitions, bus: Bus) -> Response:
    """Take your bid back before the close; it is deleted unread, and you may hand in another one."""
    search = await find_competing_search(competition_id, caller, competitions)
    command = WithdrawBid(search.package_id, CompetitionId(competition_id), caller.as_provider)
    return await bus.execute(
        CommandWithTexts(command),
        handle_command_with_texts,
        on=to_stream_key(search.package_id),
        by=caller,
        respond=lambda result: _respond_with_bid(result, None),
    )


def _respond_with_bid(result: CommandResult, taken: BidTakenOut | None) -> HttpAnswer:
    """Build the response; a provider that is not invited learns as little as of a competition that does not exist."""
    if isinstance(result.outcome, BidNotTaken):
        if BidRefusal.NOT_INVITED in result.outcome.reasons:
            return to_stored_problem(CompetitionNotFound())
        shown = [each for each in result.outcome.reasons if each is not BidRefusal.REFUSED_BY_PERSON]
        why = ", ".join(shown) or "this package cannot be placed with you"  # the person's refusal is confidential
        return to_stored_problem(BidNotAccepted(f"{why}; your request is on record"))
    return HttpAnswer(204, b"", ()) if taken is None else json_response(taken)
