"""Routes for officers: competitions under way, those of a package, their bids from the close on, and the ranking."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from contracts.ids import CriterionKey, PackageId
from contracts.values import PassOverReason
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from sourcing.api.callers import Officer, Queries, find_search
from sourcing.api.competition_callers import Competitions, get_competition
from sourcing.api.competition_views import (
    CompetitionSummaryOut,
    CompetitionTermsOut,
    OpenedBidOut,
    QuestionOut,
    RankedBidOut,
    ScoreOut,
    Texts,
    list_question_texts,
    list_score_notes,
    to_opened_bid_out,
    to_question_out,
    to_ranked_bid_out,
    to_scores_out,
    to_summary_out,
    to_terms_out,
)
from sourcing.domain.competitions.competition import Bid, Competition
from sourcing.domain.competitions.contents import parse_content

router = APIRouter(tags=["officers"])
PATH: Final = "/v1/packages/{package_id}/competitions/{competition_id}"


class CompetitionUnderWayOut(CompetitionSummaryOut):
    """A competition that takes bids or is judged."""

    package_id: UUID
    bids: int
    unanswered_questions: int
    missing_scores: int


class InvitationOut(BaseModel):
    provider_id: UUID
    tier: str
    area: str
    reasons: list[PassOverReason] = Field(description="why it is not invited; empty for an invited provider")


class AnswerSeenOut(BaseModel):
    """A bid's answer to a criterion; an erased one is null."""

    criterion: CriterionKey
    text: str | None


class BidSeenOut(BaseModel):
    """A bid as officers see it: before the close its commitment only."""

    bid_id: UUID
    provider_id: UUID
    received_at: datetime
    commitment: str
    opened: OpenedBidOut | None = Field(description="null until the competition closes")
    answers: list[AnswerSeenOut] = Field(description="empty until the competition closes")
    scores: list[ScoreOut]


class QuestionSeenOut(QuestionOut):
    provider_id: UUID


class CompetitionSeenOut(CompetitionTermsOut):
    """A competition with all that officers may see of it now."""

    package_id: UUID
    invitations: list[InvitationOut]
    questions: list[QuestionSeenOut]
    bids: list[BidSeenOut]
    missing_scores: int
    awaiting_approval: UUID | None = Field(description="the award that waits for a second officer in pricing")
    awarded: UUID | None = Field(description="the bid that got the package")


class CompetitionsOut(BaseModel):
    """All competitions of a package, the oldest first."""

    items: list[CompetitionSummaryOut]


class RankingOut(BaseModel):
    """The result as it stands: empty until every bid has all its scores."""

    competition_id: UUID
    missing_scores: int
    seed: UUID | None = Field(description="of the draw between equal bids")
    items: list[RankedBidOut]


@router.get("/v1/competitions-under-way", response_model=Page[CompetitionUnderWayOut], responses=describe_problems())
async def list_competitions_under_way(
    caller: Officer, competitions: Competitions, cursor: Cursor = None, limit: Limit = 50
) -> Page[CompetitionUnderWayOut]:
    """List the council's competitions that take bids or are judged, the newest first."""
    found = await competitions.list_under_way(caller.council, after=decode_cursor(cursor), limit=limit + 1)
    rows = [(get_competition(details.search, own_id), details.search.package_id) for own_id, details in found]
    return build_page(
        rows,
        limit,
        to_item=lambda row: _to_under_way_out(*row),
        position=lambda row: (row[0].opened_at, row[0].competition_id),
    )


@router.get("/v1/packages/{package_id}/competitions", response_model=CompetitionsOut, responses=describe_problems(404))
async def list_competitions_of_package(package_id: UUID, caller: Officer, queries: Queries) -> CompetitionsOut:
    """List the competitions that were opened for a package, the oldest first."""
    search = await find_search(package_id, caller, queries)
    return CompetitionsOut(items=[to_summary_out(each) for each in search.competitions])


@router.get(PATH, response_model=CompetitionSeenOut, responses=describe_problems(404))
async def show_competition_to_officer(
    package_id: UUID, competition_id: UUID, caller: Officer, queries: Queries, competitions: Competitions
) -> CompetitionSeenOut:
    """Show a competition: who is invited, who is not and why, questions, and from the close on the bids."""
    search = await find_search(package_id, caller, queries)
    competition = get_competition(search, competition_id)
    opened = [bid for bid in competition.bids if bid.opened is not None]
    notes = [note for bid in opened for note in list_score_notes(bid)]
    wanted = [*list_question_texts(competition), *notes, *(bid.bid_id for bid in opened)]
    texts, definition = await competitions.find_texts(wanted), await queries.find_definition(search)
    return CompetitionSeenOut(
        **to_terms_out(competition, definition, shows_ceiling=True).model_dump(),
        package_id=package_id,
        invitations=_list_invitations(competition),
        questions=[
            QuestionSeenOut(**to_question_out(each, texts).model_dump(), provider_id=each.provider_id)
            for each in competition.questions
        ],
        bids=[
            _to_bid_seen_out(bid, texts, to_scores_out(competition, bid, texts, definition)) for bid in competition.bids
        ],
        missing_scores=competition.missing_scores,
        awaiting_approval=None if competition.award is None else competition.award.award_id,
        awarded=competition.awarded,
    )


@router.get(f"{PATH}/ranking", response_model=RankingOut, responses=describe_problems(404))
async def show_ranking(package_id: UUID, competition_id: UUID, caller: Officer, queries: Queries) -> RankingOut:
    """Show the result with its figures; it is computed when the last score is in, and anew after a changed one."""
    competition = get_competition(await find_search(package_id, caller, queries), competition_id)
    return to_ranking_out(competition)


def _list_invitations(competition: Competition) -> list[InvitationOut]:
    invited = [
        InvitationOut(provider_id=each.provider_id, tier=each.tier, area=each.area, reasons=[])
        for each in competition.invited
    ]
    others = [
        InvitationOut(provider_id=each.provider_id, tier=each.tier, area=each.area, reasons=list(each.reasons))
        for each in competition.not_invited
    ]
    return [*invited, *others]


def _to_bid_seen_out(bid: Bid, texts: Texts, scores: list[ScoreOut]) -> BidSeenOut:
    content = texts.get(bid.bid_id)
    no_answers: Mapping[CriterionKey, str] = {}
    answers = no_answers if content is None or bid.opened is None else parse_content(content).answers
    return BidSeenOut(
        bid_id=bid.bid_id,
        provider_id=bid.provider_id,
        received_at=bid.received_at,
        commitment=bid.commitment,
        opened=to_opened_bid_out(bid),
        answers=[AnswerSeenOut(criterion=key, text=text) for key, text in sorted(answers.items())],
        scores=scores,
    )


def _to_under_way_out(competition: Competition, package_id: PackageId) -> CompetitionUnderWayOut:
    return CompetitionUnderWayOut(
        **to_summary_out(competition).model_dump(),
        package_id=package_id,
        bids=len(competition.bids),
        unanswered_questions=len(competition.unanswered),
        missing_scores=competition.missing_scores,
    )


def to_ranking_out(competition: Competition) -> RankingOut:
    return RankingOut(
        competition_id=competition.competition_id,
        missing_scores=competition.missing_scores,
        seed=competition.seed,
        items=[to_ranked_bid_out(each) for each in competition.ranking],
    )
