"""What a decision comes to: the search afterwards, the events, the alarms, and the outcome for the one who asked."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.events.base import PackageEvent
from contracts.events.listings import AwardBar, ProposalRefusal
from contracts.events.packages import LateReason
from contracts.ids import OfferId
from contracts.values import PassOverReason
from sourcing.domain.search import PendingAward, Placement, Proposal, Search


class AlarmKind(StrEnum):
    """What a search can be woken for. An alarm is known by its kind and what it is about; set again, it moves."""

    OFFER_EXPIRES = "offer-expires"
    DELIVERY_OVERDUE = "delivery-overdue"
    NEXT_OFFER_DUE = "next-offer-due"
    LISTED_TOO_LONG = "listed-too-long"


@dataclass(frozen=True)
class Alarm:
    """Wake the search at this instant; `about` is the offer's id, or the package's where it is about no one offer."""

    kind: AlarmKind
    about: str
    at: datetime


@dataclass(frozen=True)
class Cancelled:
    """The alarm of this kind and subject is not needed any more; cancelling one that has fired is no mistake."""

    kind: AlarmKind
    about: str


@dataclass(frozen=True)
class Done:
    """Nothing to tell the one who asked."""


@dataclass(frozen=True)
class Placed:
    """The acceptance counts."""

    placement: Placement


@dataclass(frozen=True)
class Declined:
    """The decline counts."""

    offer_id: OfferId


@dataclass(frozen=True)
class Late:
    """The answer is on record and was not used."""

    reason: LateReason
    passed_over: tuple[PassOverReason, ...] = ()


@dataclass(frozen=True)
class Proposed:
    """The proposal stands."""

    proposal: Proposal


@dataclass(frozen=True)
class NotTaken:
    """The proposal is on record and cannot be taken up."""

    reasons: tuple[ProposalRefusal, ...]


@dataclass(frozen=True)
class AwaitsApproval:
    """The award is on record and waits for a second officer."""

    award: PendingAward


@dataclass(frozen=True)
class Barred:
    """The award is on record and was not carried out."""

    reasons: tuple[AwardBar, ...]


Outcome = Done | Placed | Declined | Late | Proposed | NotTaken | AwaitsApproval | Barred


@dataclass(frozen=True)
class Step:
    """One decision. `search` is None only while the package was never requested."""

    search: Search | None
    events: tuple[PackageEvent, ...] = ()
    timers: tuple[Alarm | Cancelled, ...] = ()
    outcome: Outcome = Done()
