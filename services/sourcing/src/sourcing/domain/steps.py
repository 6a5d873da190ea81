"""The result of one decision: the search afterwards, its events, its timers, and the outcome for the caller."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto

from contracts.events.base import PackageEvent
from contracts.events.listings import AwardRefusal, ProposalRefusal
from contracts.events.lists import InterestRefusal
from contracts.events.officer_acts import ActEnd
from contracts.events.reasons import LateReason
from contracts.ids import ActId, OfferId
from contracts.values import PassOverReason
from sourcing.domain.competitions.outcomes import CompetitionOutcome
from sourcing.domain.listed_package import CounterOffer, PendingAward, Proposal
from sourcing.domain.search import Placement, Search


class TimerKind(StrEnum):
    """The kinds of timers of a search. A timer is identified by its kind and `about`; scheduling it again moves it."""

    OFFER_EXPIRES = "offer-expires"
    DELIVERY_OVERDUE = "delivery-overdue"
    NEXT_OFFER_DUE = "next-offer-due"
    LISTED_TOO_LONG = "listed-too-long"
    LIST_CUT_OFF = "list-cut-off"
    LIST_CLOSES = "list-closes"
    LIST_GOES_OUT = "list-goes-out"
    COMPETITION_CLOSES = "competition-closes"


@dataclass(frozen=True)
class ScheduledTimer:
    """A timer to schedule at `at`; `about` is the offer's id, or the package's id where no single offer is meant."""

    kind: TimerKind
    about: str
    at: datetime


@dataclass(frozen=True)
class CancelledTimer:
    """A timer to cancel; cancelling one that has already fired is no error."""

    kind: TimerKind
    about: str


@dataclass(frozen=True)
class Done:
    """The trigger has no outcome to report: every event and timer, and a recorded call without an answer."""


@dataclass(frozen=True)
class Placed:
    """The acceptance or award counts, and the package is placed."""

    placement: Placement


@dataclass(frozen=True)
class AcceptanceWaits:
    """The acceptance counts; who gets the package is known when all that were asked have answered."""

    offer_id: OfferId


@dataclass(frozen=True)
class Declined:
    """The decline counts."""

    offer_id: OfferId


@dataclass(frozen=True)
class AnswerNotUsed:
    """The answer is on record and was not used."""

    reason: LateReason
    passed_over: tuple[PassOverReason, ...] = ()


@dataclass(frozen=True)
class Ticked:
    """The tick, or its taking back, is recorded; of an urgent package it only tells the officer."""

    interested: bool
    is_for_officer: bool


@dataclass(frozen=True)
class TickNotUsed:
    """The tick is on record and is not used."""

    reason: InterestRefusal


@dataclass(frozen=True)
class Proposed:
    """The proposal is accepted for consideration."""

    proposal: Proposal


@dataclass(frozen=True)
class ProposalNotUsed:
    """The proposal is on record and cannot be considered."""

    reasons: tuple[ProposalRefusal, ...]


@dataclass(frozen=True)
class AwaitsApproval:
    """The award is on record and waits for a second officer."""

    award: PendingAward


@dataclass(frozen=True)
class AwardBarred:
    """The award is on record and was not carried out."""

    reasons: tuple[AwardRefusal, ...]


@dataclass(frozen=True)
class ActWaits:
    """The officers' act is on record and waits: for a second officer, or for its turn."""

    act_id: ActId


@dataclass(frozen=True)
class ActEnded:
    """The officers' act is on record and was not carried out."""

    reason: ActEnd
    passed_over: tuple[PassOverReason, ...] = ()


@dataclass(frozen=True)
class CounterOffered:
    """The counter-offer is on record; the provider decides."""

    counter_offer: CounterOffer


Outcome = (
    Done
    | Placed
    | AcceptanceWaits
    | Declined
    | AnswerNotUsed
    | Ticked
    | TickNotUsed
    | Proposed
    | ProposalNotUsed
    | AwaitsApproval
    | AwardBarred
    | ActWaits
    | ActEnded
    | CounterOffered
    | CompetitionOutcome
)


class FollowUp(Enum):
    """What remains to be done: when the brokerage next opens, or with the next list."""

    NONE = auto()
    LOOK_FOR_PROVIDER = auto()
    REDIRECT_OFFER = auto()
    SEND_NEXT_LIST = auto()


@dataclass(frozen=True)
class Result:
    """What a decision function returns, beside the events that it published on its draft."""

    outcome: Outcome = Done()
    follow_up: FollowUp = FollowUp.NONE
    follow_up_offer: OfferId | None = None
    """The offer to redirect when the brokerage next opens."""


@dataclass(frozen=True)
class Step:
    """One decision, complete. `search` is None only while the package was never requested."""

    search: Search | None
    events: tuple[PackageEvent, ...] = ()
    timers: tuple[ScheduledTimer | CancelledTimer, ...] = ()
    outcome: Outcome = Done()
