"""The triggers of a competition: its closing timer, and the commands of providers and officers.

Texts are in no trigger: whoever builds a command stores the text under the id that the command names, and gives its
hash. A bid is known by its commitment until the timer brings what was sealed.
"""

from dataclasses import dataclass
from decimal import Decimal

from contracts.ids import (
    BidId,
    CompetitionId,
    CriterionKey,
    NoteId,
    PackageId,
    ProviderId,
    QuestionId,
    ReasonKey,
)


@dataclass(frozen=True)
class UnsealedBid:
    """What was sealed in a bid, without the answers themselves."""

    bid_id: BidId
    rate: Decimal
    salt: str
    content_hash: str


@dataclass(frozen=True)
class CompetitionDue:
    """Timer: the competition closes; `bids` are those that could be unsealed."""

    competition_id: CompetitionId
    bids: tuple[UnsealedBid, ...] = ()


@dataclass(frozen=True)
class AskQuestion:
    """Command: an invited provider asks a question."""

    package_id: PackageId
    competition_id: CompetitionId
    question_id: QuestionId
    provider_id: ProviderId
    content_hash: str


@dataclass(frozen=True)
class AnswerQuestion:
    """Command: an officer answers a question to all that are invited."""

    package_id: PackageId
    competition_id: CompetitionId
    question_id: QuestionId
    note_id: NoteId
    officer: str
    content_hash: str


@dataclass(frozen=True)
class SubmitBid:
    """Command: a provider hands in a sealed bid with answers to these criteria."""

    package_id: PackageId
    competition_id: CompetitionId
    bid_id: BidId
    provider_id: ProviderId
    commitment: str
    answered: tuple[CriterionKey, ...]


@dataclass(frozen=True)
class WithdrawBid:
    """Command: a provider takes its bid back."""

    package_id: PackageId
    competition_id: CompetitionId
    provider_id: ProviderId


@dataclass(frozen=True)
class GiveScore:
    """Command: an officer scores a bid by one criterion, for a coded reason, with a note, or both."""

    package_id: PackageId
    competition_id: CompetitionId
    bid_id: BidId
    criterion: CriterionKey
    score: int
    officer: str
    score_reason: ReasonKey | None = None
    note_id: NoteId | None = None
    content_hash: str | None = None


@dataclass(frozen=True)
class AwardBid:
    """Command: an officer confirms the result (no bid: that none is suitable), or overrules it with a reason."""

    package_id: PackageId
    competition_id: CompetitionId
    bid_id: BidId | None
    officer: str
    overrule_reason: ReasonKey | None = None
    note_id: NoteId | None = None
    inadequate_reason: ReasonKey | None = None


@dataclass(frozen=True)
class EndCompetition:
    """Command: an officer ends the competition early; the next stage follows, or the same one runs again."""

    package_id: PackageId
    competition_id: CompetitionId
    officer: str
    officer_reason: ReasonKey
    note_id: NoteId | None = None
    runs_again: bool = False


ProviderCommand = AskQuestion | SubmitBid | WithdrawBid
OfficerCommand = AnswerQuestion | GiveScore | AwardBid | EndCompetition
CompetitionCommand = ProviderCommand | OfficerCommand
