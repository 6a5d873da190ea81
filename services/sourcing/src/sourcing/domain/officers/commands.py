"""The commands of officers; `officer` is the one who gives it, `note_id` refers to a note in an erasable table."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from contracts.ids import (
    ActId,
    AreaCode,
    AwardId,
    CounterOfferId,
    LotKey,
    NoteId,
    PackageId,
    ProposalId,
    ProviderId,
    ReasonKey,
    TierKey,
)


@dataclass(frozen=True)
class PauseSearch:
    """Command: no new offers are made until an officer resumes the search."""

    package_id: PackageId
    officer: str
    reason: ReasonKey
    note_id: NoteId | None = None


@dataclass(frozen=True)
class ResumeSearch:
    """Command: a paused search goes on from where it was."""

    package_id: PackageId
    officer: str
    reason: ReasonKey
    note_id: NoteId | None = None


@dataclass(frozen=True)
class SkipProvider:
    """Command: a provider of the current stage is not asked; without `provider_id` the one whose turn it is."""

    package_id: PackageId
    officer: str
    reason: ReasonKey
    provider_id: ProviderId | None = None
    note_id: NoteId | None = None


@dataclass(frozen=True)
class DirectOffer:
    """Command: the package is offered out of order; a second officer has to approve.

    The place is the provider's best one for the package unless lot, tier or area are named.
    """

    package_id: PackageId
    provider_id: ProviderId
    officer: str
    reason: ReasonKey
    lot: LotKey | None = None
    tier: TierKey | None = None
    area: AreaCode | None = None
    note_id: NoteId | None = None


@dataclass(frozen=True)
class TakeUpTick:
    """Command: a tick that was late is taken up: an offer to its provider as soon as no other is live."""

    package_id: PackageId
    provider_id: ProviderId
    officer: str
    reason: ReasonKey
    note_id: NoteId | None = None


@dataclass(frozen=True)
class OverrideSuspension:
    """Command: offers go on while a Batching List with the package is out."""

    package_id: PackageId
    officer: str
    reason: ReasonKey
    note_id: NoteId | None = None


@dataclass(frozen=True)
class PlaceByHand:
    """Command: the package is placed by agreement outside the system; `rate` is in pounds for each of its units."""

    package_id: PackageId
    provider_id: ProviderId
    rate: Decimal
    officer: str
    reason: ReasonKey
    inadequate_reason: ReasonKey | None = None
    note_id: NoteId | None = None


@dataclass(frozen=True)
class ApproveAct:
    """Command: a second officer approves an offer out of order or a placement by hand."""

    package_id: PackageId
    act_id: ActId
    officer: str


@dataclass(frozen=True)
class RefuseAct:
    """Command: a second officer refuses an act, or the officer who proposed it withdraws it."""

    package_id: PackageId
    act_id: ActId
    officer: str


@dataclass(frozen=True)
class ResourcePackage:
    """Command: the package is sourced again, from the same position or from a stage of the road."""

    package_id: PackageId
    officer: str
    reason: ReasonKey
    stage: str | None = None
    note_id: NoteId | None = None


@dataclass(frozen=True)
class WithdrawAward:
    """Command: an award that waits for its second officer ends."""

    package_id: PackageId
    award_id: AwardId
    officer: str
    reason: ReasonKey
    note_id: NoteId | None = None


@dataclass(frozen=True)
class AssignOfficer:
    """Command: the package is assigned to an officer; None: to nobody any more."""

    package_id: PackageId
    assigned_to: str | None
    officer: str


@dataclass(frozen=True)
class MakeCounterOffer:
    """Command: an officer answers a proposal by another rate, which the provider can accept before `valid_until`."""

    package_id: PackageId
    proposal_id: ProposalId
    rate: Decimal
    valid_until: datetime
    officer: str
    reason: ReasonKey
    note_id: NoteId | None = None


@dataclass(frozen=True)
class AnswerCounterOffer:
    """Command: a provider accepts or declines a counter-offer; `entered_by` is the officer who enters it, if one does.

    It is the provider's command; it stands here beside the act that it answers.
    """

    package_id: PackageId
    counter_offer_id: CounterOfferId
    provider_id: ProviderId
    accepts: bool
    entered_by: str | None = None


OfficerCommand = (
    PauseSearch
    | ResumeSearch
    | SkipProvider
    | DirectOffer
    | TakeUpTick
    | OverrideSuspension
    | PlaceByHand
    | ApproveAct
    | RefuseAct
    | ResourcePackage
    | WithdrawAward
    | AssignOfficer
    | MakeCounterOffer
    | AnswerCounterOffer
)
