"""The state of one mini-competition as frozen values: who is invited, the bids, their scores, and the result."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from contracts.events.competitions import (
    CompetitionEnd,
    InvitedProvider,
    NotInvited,
    RankedBid,
    WeightedCriterion,
)
from contracts.events.listings import Advert
from contracts.ids import (
    AwardId,
    BidId,
    CompetitionId,
    CriterionKey,
    NoteId,
    ProviderId,
    QuestionId,
    ReasonKey,
    UnitKey,
)
from contracts.values import Terms, UnitKind
from sourcing.domain.invariants import reject_if


class CompetitionStatus(StrEnum):
    OPEN = "open"
    """Bids are taken."""
    CLOSED = "closed"
    """The bids are opened, and officers score and award."""
    AWARDED = "awarded"
    ENDED = "ended"


@dataclass(frozen=True)
class Question:
    """A question of a provider; `note_id` is the id of the newest answer's text."""

    question_id: QuestionId
    provider_id: ProviderId
    asked_at: datetime
    note_id: NoteId | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True)
class OpenedBid:
    """What a bid committed to, known from the close on."""

    rate: Decimal
    salt: str
    content_hash: str
    terms: Terms


@dataclass(frozen=True)
class Score:
    """The newest score of a bid by one criterion."""

    criterion: CriterionKey
    score: int
    officer: str
    score_reason: ReasonKey | None
    note_id: NoteId | None
    given_at: datetime


@dataclass(frozen=True)
class Bid:
    """The newest bid of a provider. Until the close only its commitment is known."""

    bid_id: BidId
    provider_id: ProviderId
    commitment: str
    received_at: datetime
    opened: OpenedBid | None = None
    scores: tuple[Score, ...] = ()

    def find_score(self, criterion: CriterionKey) -> Score | None:
        return next((each for each in self.scores if each.criterion == criterion), None)

    @property
    def content(self) -> OpenedBid:
        """What was opened. Raises ValueError before the close."""
        if self.opened is None:
            message = f"bid {self.bid_id} is sealed until the competition closes"
            raise ValueError(message)
        return self.opened


@dataclass(frozen=True)
class PendingBidAward:
    """An award that waits for a second officer."""

    award_id: AwardId
    bid_id: BidId
    officer: str
    inadequate_reason: ReasonKey | None
    overrule_reason: ReasonKey | None
    note_id: NoteId | None


@dataclass(frozen=True)
class Competition:
    """One competition of a package. What it was opened with never changes."""

    competition_id: CompetitionId
    stage: str
    advert: Advert
    criteria: tuple[WeightedCriterion, ...]
    price_weight: int
    lowest_price: bool
    highest_score: int
    pass_mark: int | None
    unit: UnitKey
    unit_kind: UnitKind
    ceiling: Decimal
    shows_ceiling: bool
    second_officer_always: bool
    opened_at: datetime
    questions_until: datetime
    closes_at: datetime
    invited: tuple[InvitedProvider, ...]
    not_invited: tuple[NotInvited, ...]
    status: CompetitionStatus = CompetitionStatus.OPEN
    questions: tuple[Question, ...] = ()
    bids: tuple[Bid, ...] = ()
    """In the order in which they came; one of each provider."""
    seed: UUID | None = None
    ranking: tuple[RankedBid, ...] = ()
    award: PendingBidAward | None = None
    awarded: BidId | None = None
    end: CompetitionEnd | None = None
    runs_again: bool = False
    outages_counted_to: datetime | None = None
    """Up to when outages of ours have been added to the time for bids."""

    def __post_init__(self) -> None:
        sealed = [bid for bid in self.bids if bid.opened is None]
        reject_if(
            self.status is CompetitionStatus.OPEN and len(sealed) < len(self.bids), "a bid is open before the close"
        )
        reject_if((self.status is CompetitionStatus.ENDED) != (self.end is not None), "ended and how go together")
        reject_if((self.status is CompetitionStatus.AWARDED) != (self.awarded is not None), "awarded to no bid")

    @property
    def is_over(self) -> bool:
        return self.status in {CompetitionStatus.AWARDED, CompetitionStatus.ENDED}

    @property
    def unanswered(self) -> tuple[Question, ...]:
        return tuple(each for each in self.questions if each.note_id is None)

    @property
    def missing_scores(self) -> int:
        """How many scores officers still have to give; none before the close."""
        if self.status is not CompetitionStatus.CLOSED:
            return 0
        return sum(bid.find_score(each.criterion) is None for bid in self.bids for each in self.criteria)

    @property
    def winner(self) -> RankedBid | None:
        """The bid that the rule gives the package to; None before the ranking, or where none is suitable."""
        return next((each for each in self.ranking[:1] if not each.unsuitable), None)

    def is_invited(self, provider_id: ProviderId) -> bool:
        return any(each.provider_id == provider_id for each in self.invited)

    def find_bid(self, bid_id: BidId) -> Bid | None:
        return next((each for each in self.bids if each.bid_id == bid_id), None)

    def find_bid_of(self, provider_id: ProviderId) -> Bid | None:
        return next((each for each in self.bids if each.provider_id == provider_id), None)

    def find_ranked(self, bid_id: BidId) -> RankedBid | None:
        return next((each for each in self.ranking if each.bid_id == bid_id), None)

    def find_question(self, question_id: QuestionId) -> Question | None:
        return next((each for each in self.questions if each.question_id == question_id), None)


@dataclass(frozen=True)
class AwardedBid:
    """The bid by which a package is placed, with its terms."""

    bid_id: BidId
    provider_id: ProviderId
    terms: Terms
