"""Events of a mini-competition: invitation, questions, sealed bids, scores, ranking, award; `homecare.packages.v1`.

What people write, the bids themselves, questions, answers and notes, is in no event: it is stored encrypted and can be
erased. Events carry its id and a salted hash. `contracts.sealed_bids` computes the commitment of a bid.
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.events.actors import Actor
from contracts.events.base import (
    HasProjectionVersions,
    HasProvider,
    HasReason,
    HasReasons,
    HasStage,
    PackageEvent,
    ProjectionVersion,
)
from contracts.events.listings import Advert
from contracts.events.reasons import ExtensionCause
from contracts.ids import (
    AreaCode,
    AwardId,
    BidId,
    CompetitionId,
    CriterionKey,
    FrameworkKey,
    LotKey,
    NoteId,
    ProviderId,
    QuestionId,
    ReasonKey,
    SearchId,
    TierKey,
    UnitKey,
)
from contracts.values import Hours, Instant, Money, PassOverReason, Rating, StageName, Terms, UnitKind, Value

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal."""
Salt = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""32 random bytes in hexadecimal."""
Points = Hours
"""Points of 100, to two decimal places; a string in JSON."""


class InvitedProvider(Value):
    """A provider that may bid, with the place by which it is invited."""

    provider_id: ProviderId
    lot: LotKey
    tier: TierKey
    area: AreaCode = Field(description="of its place; in another area than the package where neighbours are invited")


class NotInvited(Value):
    """A holder of a place that is not invited, for all of these reasons."""

    provider_id: ProviderId
    tier: TierKey
    area: AreaCode
    reasons: tuple[PassOverReason, ...] = Field(min_length=1)


class WeightedCriterion(Value):
    """A criterion with its share of the total; its title is in the definition."""

    criterion: CriterionKey
    weight: int = Field(ge=1, le=100, description="percent")


class BidRefusal(StrEnum):
    """Why a bid, or the withdrawal of one, is refused."""

    CLOSED = "the competition has closed"
    NOT_INVITED = "the provider is not invited"
    EMBARGOED = "embargoed"
    REFUSED_BY_PERSON = "refused by the person"
    NO_BID = "the provider has no bid"
    NOT_AS_COMMITTED = "what was opened is not what the bid committed to"


class BidAct(StrEnum):
    """What a provider asked for."""

    BID = "bid"
    WITHDRAWAL = "withdrawal"
    OPENING = "opening"
    """Nobody asked: the bid was to be opened at the close."""


class Unsuitable(StrEnum):
    """Why a bid cannot win."""

    ABOVE_CEILING = "above the ceiling"
    SCORED_TOO_LOW = "below the pass mark"


class CompetitionEnd(StrEnum):
    """How a competition ends without an award."""

    NONE_INVITED = "nobody to invite"
    NO_BIDS = "no bids"
    NONE_SUITABLE = "no suitable bid"
    ENDED_BY_OFFICER = "ended by an officer"
    PACKAGE_WITHDRAWN = "the council withdrew the package"


class RankedBid(Value):
    """A bid with its place in the result and every figure that it follows from; an unsuitable bid comes last."""

    bid_id: BidId
    provider_id: ProviderId
    rank: int = Field(ge=1)
    rate: Money
    quality: Points = Field(description="points for the criteria; 0.00 where nothing is scored")
    price: Points = Field(description="points for the price: lowest suitable rate ÷ rate × weight, half up")
    total: Points = Field(description="quality and price together")
    draw: Hash = Field(description="SHA-256 of `seed/provider`; of equal totals the smaller one comes first")
    unsuitable: tuple[Unsuitable, ...] = ()


class CompetitionOpened(HasStage, HasProjectionVersions):
    """sourcing: these providers are invited to sealed bids, on criteria and weights that stay as they are."""

    search_id: SearchId
    competition_id: CompetitionId
    stage: StageName
    framework: FrameworkKey
    tiers: tuple[TierKey, ...]
    advert: Advert
    criteria: tuple[WeightedCriterion, ...]
    price_weight: int = Field(ge=0, le=100, description="percent")
    lowest_price: bool = Field(description="the lowest rate that is not above the ceiling wins; nothing is scored")
    highest_score: int = Field(ge=1, le=100)
    pass_mark: int | None = Field(description="a lower score in any criterion makes a bid unsuitable")
    unit: UnitKey
    unit_kind: UnitKind
    ceiling: Money = Field(description="up to this rate one officer awards alone; where the lowest price wins, a limit")
    shows_ceiling: bool = Field(description="the invited providers see the ceiling")
    second_officer_always: bool = Field(description="every award needs a second officer")
    questions_until: Instant = Field(description="questions are taken before this instant")
    closes_at: Instant = Field(description="bids are taken before this instant")
    invited: tuple[InvitedProvider, ...]
    not_invited: tuple[NotInvited, ...]
    views: tuple[ProjectionVersion, ...]


class CompetitionExtended(HasStage):
    """sourcing: bids and questions are taken for longer than was stated first."""

    search_id: SearchId
    competition_id: CompetitionId
    stage: StageName
    down_from: Instant
    up_at: Instant
    questions_until: Instant
    closes_at: Instant = Field(description="bids are taken before this instant")
    cause: ExtensionCause = Field(description="why more time was given")


class QuestionAsked(HasProvider):
    """sourcing: an invited provider asked a question; its text is stored under its id."""

    search_id: SearchId
    competition_id: CompetitionId
    question_id: QuestionId
    provider_id: ProviderId
    content_hash: Hash


class QuestionAnswered(PackageEvent):
    """sourcing: an officer answered a question, to all that are invited; a later answer replaces it."""

    search_id: SearchId
    competition_id: CompetitionId
    question_id: QuestionId
    note_id: NoteId = Field(description="the text of the answer is stored under it")
    officer: Actor
    content_hash: Hash


class BidReceived(HasProvider, HasProjectionVersions):
    """sourcing: a sealed bid is in; it replaces the provider's earlier one. Nobody can read it before the close."""

    search_id: SearchId
    competition_id: CompetitionId
    bid_id: BidId
    provider_id: ProviderId
    commitment: Hash
    replaces: BidId | None
    views: tuple[ProjectionVersion, ...]


class BidWithdrawn(HasProvider):
    """sourcing: a provider took its bid back before the close; its content is deleted unread."""

    search_id: SearchId
    competition_id: CompetitionId
    bid_id: BidId
    provider_id: ProviderId


class BidRefused(HasProvider, HasReasons, HasProjectionVersions):
    """sourcing: a bid, or the withdrawal of one, is not taken for all of these reasons; it is recorded."""

    search_id: SearchId
    competition_id: CompetitionId
    bid_id: BidId | None
    provider_id: ProviderId
    act: BidAct
    commitment: Hash | None
    reasons: tuple[BidRefusal, ...] = Field(min_length=1)
    views: tuple[ProjectionVersion, ...]


class CompetitionClosed(HasStage):
    """sourcing: no more bids are taken; those that are in are opened in the same transaction."""

    search_id: SearchId
    competition_id: CompetitionId
    stage: StageName
    bids: int = Field(ge=0)


class BidOpened(HasProvider):
    """sourcing: what a bid committed to; `contracts.sealed_bids` computes the commitment again from these fields."""

    search_id: SearchId
    competition_id: CompetitionId
    bid_id: BidId
    provider_id: ProviderId
    rate: Money
    salt: Salt
    content_hash: Hash = Field(description="of the answers to the criteria, with a salt that is stored with them")
    terms: Terms


class ScoreGiven(HasProvider):
    """sourcing: an officer scored a bid by one criterion; a later score replaces it."""

    search_id: SearchId
    competition_id: CompetitionId
    bid_id: BidId
    provider_id: ProviderId
    criterion: CriterionKey
    score: int = Field(ge=0, le=100)
    officer: Actor
    score_reason: ReasonKey | None
    note_id: NoteId | None
    content_hash: Hash | None = Field(description="of the note; null without one")


class CompetitionRanked(HasStage):
    """sourcing: every bid has all its scores; this is the result, which a later score computes anew."""

    search_id: SearchId
    competition_id: CompetitionId
    stage: StageName
    seed: UUID = Field(description="of the draw; drawn once for a competition")
    ranking: tuple[RankedBid, ...] = Field(description="the bids in their order, the winner first")


class CompetitionAwarded(HasProvider, HasStage):
    """sourcing: the council awards the package to the bid; PackagePlaced follows in the same transaction."""

    search_id: SearchId
    competition_id: CompetitionId
    stage: StageName
    award_id: AwardId
    bid_id: BidId
    provider_id: ProviderId
    officer: Actor
    second_officer: Actor | None
    overrule_reason: ReasonKey | None = Field(description="why not the first of the ranking; null for the first")
    note_id: NoteId | None
    rating: Rating
    inadequate_reason: ReasonKey | None


class CompetitionEnded(HasStage, HasReason):
    """sourcing: the competition is over without an award; the next stage follows, or the same one again."""

    search_id: SearchId
    competition_id: CompetitionId
    stage: StageName
    reason: CompetitionEnd
    officer: Actor | None
    officer_reason: ReasonKey | None
    note_id: NoteId | None
    runs_again: bool = Field(description="the same stage opens a new competition")


class FeedbackAvailable(HasProvider):
    """sourcing: a bidder that did not win can read its scores, their reasons, and the winner's points."""

    search_id: SearchId
    competition_id: CompetitionId
    bid_id: BidId
    provider_id: ProviderId
