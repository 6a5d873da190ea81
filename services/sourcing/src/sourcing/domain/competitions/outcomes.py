"""What came of a command about a competition, for the caller."""

from dataclasses import dataclass

from contracts.events.competitions import BidRefusal
from contracts.ids import BidId, NoteId, QuestionId
from sourcing.domain.competitions.competition import PendingBidAward


@dataclass(frozen=True)
class QuestionTaken:
    """The question is on record and waits for an answer."""

    question_id: QuestionId


@dataclass(frozen=True)
class QuestionIsAnswered:
    """The answer is on record; it replaces the text `replaces`."""

    question_id: QuestionId
    replaces: NoteId | None


@dataclass(frozen=True)
class BidTaken:
    """The sealed bid counts; it replaces the provider's bid `replaces`."""

    bid_id: BidId
    replaces: BidId | None


@dataclass(frozen=True)
class BidTakenBack:
    """The bid is withdrawn."""

    bid_id: BidId


@dataclass(frozen=True)
class BidNotTaken:
    """The bid, or its withdrawal, is on record and does not count."""

    reasons: tuple[BidRefusal, ...]


@dataclass(frozen=True)
class BidScored:
    """The score counts; it replaces one with the note `replaces`."""

    bid_id: BidId
    replaces: NoteId | None


@dataclass(frozen=True)
class BidAwaitsApproval:
    """The award is on record and waits for a second officer."""

    award: PendingBidAward


@dataclass(frozen=True)
class CompetitionIsOver:
    """The competition has ended without an award."""


CompetitionOutcome = (
    QuestionTaken
    | QuestionIsAnswered
    | BidTaken
    | BidTakenBack
    | BidNotTaken
    | BidScored
    | BidAwaitsApproval
    | CompetitionIsOver
)
