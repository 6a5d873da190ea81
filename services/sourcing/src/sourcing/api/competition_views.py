"""What callers see of a competition: its terms, questions, bids, scores and points."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.events.competitions import CompetitionEnd, RankedBid, Unsuitable
from contracts.events.listings import Advert
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import MiniCompetition
from contracts.ids import CriterionKey, ReasonKey, UnitKey
from contracts.values import Money
from sourcing.domain.competitions.competition import Bid, Competition, CompetitionStatus, Question
from sourcing.domain.competitions.contents import parse_text

Texts = Mapping[UUID, str]


class CompetitionSummaryOut(BaseModel):
    """A competition in a list; its random reference reveals nothing about the person."""

    competition_id: UUID
    status: CompetitionStatus
    stage: str
    advert: Advert
    unit: UnitKey = Field(description="what a rate is for")
    lowest_price: bool = Field(description="the lowest rate that is not above the ceiling wins; nothing is scored")
    opened_at: datetime
    questions_until: datetime = Field(description="exclusive")
    closes_at: datetime = Field(description="exclusive: at this instant a bid is late")
    ended: CompetitionEnd | None = Field(description="how it ended without an award")


class CriterionOut(BaseModel):
    criterion: CriterionKey
    title: str
    description: str
    weight: int = Field(description="percent of the total")


class CompetitionTermsOut(CompetitionSummaryOut):
    """The terms of a competition, which never change."""

    criteria: list[CriterionOut]
    price_weight: int = Field(description="percent of the total")
    highest_score: int = Field(description="of each criterion; the lowest is 0")
    pass_mark: int | None = Field(description="a lower score in any criterion makes a bid unsuitable")
    ceiling: Money | None = Field(description="null where providers do not see it")


class QuestionOut(BaseModel):
    """A question with its answer; a text that was erased is null."""

    question_id: UUID
    asked_at: datetime
    question: str | None
    answered_at: datetime | None
    answer: str | None


class ScoreOut(BaseModel):
    """A score with its reason; a note that was erased is null."""

    criterion: CriterionKey
    title: str
    weight: int
    score: int
    reason: ReasonKey | None
    note: str | None


class PointsOut(BaseModel):
    """Points of 100, to two decimal places."""

    quality: Money
    price: Money
    total: Money


class OpenedBidOut(BaseModel):
    """What a bid committed to: SHA-256 of salt and canonical bid is the commitment (`docs/decisions/0046`)."""

    rate: Money
    weekly_cost: Money
    salt: str
    content_hash: str


class RankedBidOut(PointsOut):
    """A bid's place in the result."""

    bid_id: UUID
    provider_id: UUID
    rank: int
    rate: Money
    unsuitable: list[Unsuitable]


def to_summary_out(competition: Competition) -> CompetitionSummaryOut:
    return CompetitionSummaryOut(
        competition_id=competition.competition_id,
        status=competition.status,
        stage=competition.stage,
        advert=competition.advert,
        unit=competition.unit,
        lowest_price=competition.lowest_price,
        opened_at=competition.opened_at,
        questions_until=competition.questions_until,
        closes_at=competition.closes_at,
        ended=competition.end,
    )


def to_terms_out(
    competition: Competition, definition: FrameworkDefinition | None, *, shows_ceiling: bool
) -> CompetitionTermsOut:
    return CompetitionTermsOut(
        **to_summary_out(competition).model_dump(),
        criteria=[
            CriterionOut(
                criterion=each.criterion,
                title=get_title(competition, definition, each.criterion),
                description=_find_description(competition, definition, each.criterion),
                weight=each.weight,
            )
            for each in competition.criteria
        ],
        price_weight=competition.price_weight,
        highest_score=competition.highest_score,
        pass_mark=competition.pass_mark,
        ceiling=competition.ceiling if shows_ceiling else None,
    )


def to_question_out(question: Question, texts: Texts) -> QuestionOut:
    return QuestionOut(
        question_id=question.question_id,
        asked_at=question.asked_at,
        question=_find_text(texts, question.question_id),
        answered_at=question.answered_at,
        answer=_find_text(texts, question.note_id),
    )


def to_scores_out(
    competition: Competition, bid: Bid, texts: Texts, definition: FrameworkDefinition | None
) -> list[ScoreOut]:
    scores = ((each, bid.find_score(each.criterion)) for each in competition.criteria)
    return [
        ScoreOut(
            criterion=each.criterion,
            title=get_title(competition, definition, each.criterion),
            weight=each.weight,
            score=score.score,
            reason=score.score_reason,
            note=_find_text(texts, score.note_id),
        )
        for each, score in scores
        if score is not None
    ]


def to_opened_bid_out(bid: Bid) -> OpenedBidOut | None:
    if bid.opened is None:
        return None
    return OpenedBidOut(
        rate=bid.opened.rate,
        weekly_cost=bid.opened.terms.weekly_cost,
        salt=bid.opened.salt,
        content_hash=bid.opened.content_hash,
    )


def to_points_out(ranked: RankedBid) -> PointsOut:
    return PointsOut(quality=ranked.quality, price=ranked.price, total=ranked.total)


def to_ranked_bid_out(ranked: RankedBid) -> RankedBidOut:
    return RankedBidOut(
        bid_id=ranked.bid_id,
        provider_id=ranked.provider_id,
        rank=ranked.rank,
        rate=ranked.rate,
        quality=ranked.quality,
        price=ranked.price,
        total=ranked.total,
        unsuitable=list(ranked.unsuitable),
    )


def list_question_texts(competition: Competition) -> list[UUID]:
    """List the ids of the texts of all questions and answers."""
    questions = competition.questions
    return [*(each.question_id for each in questions), *(each.note_id for each in questions if each.note_id)]


def list_score_notes(bid: Bid) -> list[UUID]:
    return [each.note_id for each in bid.scores if each.note_id is not None]


def get_title(competition: Competition, definition: FrameworkDefinition | None, key: CriterionKey) -> str:
    """Return the title of a criterion, or its key where the definition is not known here."""
    found = _find_stage(competition, definition)
    criterion = None if found is None else found.find_criterion(key)
    return str(key) if criterion is None else criterion.title


def _find_description(competition: Competition, definition: FrameworkDefinition | None, key: CriterionKey) -> str:
    found = _find_stage(competition, definition)
    criterion = None if found is None else found.find_criterion(key)
    return "" if criterion is None else criterion.description


def _find_stage(competition: Competition, definition: FrameworkDefinition | None) -> MiniCompetition | None:
    stages = () if definition is None else definition.sourcing
    named = (each for each in stages if each.stage == competition.stage)
    return next((each for each in named if isinstance(each, MiniCompetition)), None)


def _find_text(texts: Texts, text_id: UUID | None) -> str | None:
    stored = None if text_id is None else texts.get(text_id)
    return None if stored is None else parse_text(stored).text
