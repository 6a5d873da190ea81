"""Routes for providers: the competitions to which they are invited, questions and answers, and feedback."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from contracts.errors import NotFound
from contracts.events.competitions import CompetitionEnd, Unsuitable
from contracts.values import Money
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from sourcing.api.callers import Provider, Queries
from sourcing.api.competition_callers import Competitions, find_own_competition, get_competition
from sourcing.api.competition_views import (
    CompetitionSummaryOut,
    CompetitionTermsOut,
    OpenedBidOut,
    PointsOut,
    QuestionOut,
    ScoreOut,
    list_question_texts,
    list_score_notes,
    to_opened_bid_out,
    to_points_out,
    to_question_out,
    to_scores_out,
    to_summary_out,
    to_terms_out,
)
from sourcing.domain.competitions.competition import Bid, Competition, CompetitionStatus

router = APIRouter(tags=["competitions"])


class FeedbackNotFound(NotFound):
    """There is no feedback for the caller, or not yet."""

    title = "No feedback"


class BidReceiptOut(BaseModel):
    """Your sealed bid: its commitment is published at once, its content when the competition closes."""

    bid_id: UUID
    commitment: str = Field(description="SHA-256 of the bid and a salt; compare it with BidOpened after the close")
    received_at: datetime
    opened: OpenedBidOut | None = Field(description="null until the competition closes; nobody reads a bid before")


class CompetitionOut(CompetitionTermsOut):
    """A competition to which you are invited, with your bid."""

    my_bid: BidReceiptOut | None


class QuestionsOut(BaseModel):
    """All questions of a competition with their answers; nobody learns who asked."""

    items: list[QuestionOut]


class FeedbackOut(BaseModel):
    """Your scores with their reasons, your points, and the winner's points."""

    competition_id: UUID
    bid_id: UUID
    rate: Money
    rank: int
    bids: int = Field(description="how many bids were judged")
    scores: list[ScoreOut]
    points: PointsOut
    unsuitable: list[Unsuitable]
    winner: PointsOut | None = Field(description="null if no bid was suitable")


@router.get("/v1/competitions", response_model=Page[CompetitionSummaryOut], responses=describe_problems())
async def list_my_competitions(
    caller: Provider,
    competitions: Competitions,
    open: Annotated[bool, Query(description="only those that take bids")] = True,  # noqa: A002, FBT002  a query parameter
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[CompetitionSummaryOut]:
    """List the competitions to which you are invited, the newest first."""
    found = await competitions.list_of_provider(
        caller.as_provider, caller.council, only_open=open, after=decode_cursor(cursor), limit=limit + 1
    )
    rows = [get_competition(details.search, competition_id) for competition_id, details in found]
    return build_page(rows, limit, to_item=to_summary_out, position=lambda row: (row.opened_at, row.competition_id))


@router.get("/v1/competitions/{competition_id}", response_model=CompetitionOut, responses=describe_problems(404))
async def show_competition(
    competition_id: UUID, caller: Provider, competitions: Competitions, queries: Queries
) -> CompetitionOut:
    """Show a competition to which you are invited: criteria and weights, until when it takes bids, and your bid."""
    search, competition = await find_own_competition(competition_id, caller, competitions)
    terms = to_terms_out(competition, await queries.find_definition(search), shows_ceiling=competition.shows_ceiling)
    bid = competition.find_bid_of(caller.as_provider)
    return CompetitionOut(**terms.model_dump(), my_bid=None if bid is None else _to_receipt_out(bid))


@router.get(
    "/v1/competitions/{competition_id}/questions", response_model=QuestionsOut, responses=describe_problems(404)
)
async def list_questions(competition_id: UUID, caller: Provider, competitions: Competitions) -> QuestionsOut:
    """List all questions with their answers, the oldest first; a question without an answer waits for an officer."""
    _, competition = await find_own_competition(competition_id, caller, competitions)
    texts = await competitions.find_texts(list_question_texts(competition))
    return QuestionsOut(items=[to_question_out(each, texts) for each in competition.questions])


@router.get("/v1/competitions/{competition_id}/feedback", response_model=FeedbackOut, responses=describe_problems(404))
async def show_feedback(
    competition_id: UUID, caller: Provider, competitions: Competitions, queries: Queries
) -> FeedbackOut:
    """Show how your bid was judged, once the competition is awarded or no bid was suitable."""
    search, competition = await find_own_competition(competition_id, caller, competitions)
    bid = competition.find_bid_of(caller.as_provider)
    ranked = None if bid is None else competition.find_ranked(bid.bid_id)
    if bid is None or ranked is None or not _is_judged(competition):
        message = "there is no feedback for you; it follows when bids of yours were judged and the result stands"
        raise FeedbackNotFound(message)
    winner = None if competition.awarded is None else competition.find_ranked(competition.awarded)
    texts = await competitions.find_texts(list_score_notes(bid))
    return FeedbackOut(
        competition_id=competition.competition_id,
        bid_id=bid.bid_id,
        rate=ranked.rate,
        rank=ranked.rank,
        bids=len(competition.ranking),
        scores=to_scores_out(competition, bid, texts, await queries.find_definition(search)),
        points=to_points_out(ranked),
        unsuitable=list(ranked.unsuitable),
        winner=None if winner is None else to_points_out(winner),
    )


def _is_judged(competition: Competition) -> bool:
    is_awarded = competition.status is CompetitionStatus.AWARDED
    return is_awarded or competition.end is CompetitionEnd.NONE_SUITABLE


def _to_receipt_out(bid: Bid) -> BidReceiptOut:
    return BidReceiptOut(
        bid_id=bid.bid_id,
        commitment=bid.commitment,
        received_at=bid.received_at,
        opened=to_opened_bid_out(bid),
    )
