"""A referral as a value: where it stands, folded from what was heard about its package, and its history."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from contracts.events.base import PackageEvent
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardLapsed,
    AwardRefused,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
    StillListed,
)
from contracts.events.packages import (
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
    PackagePlaced,
    PackageRequested,
    PackageWithdrawn,
    PersonDisclosed,
    PlacementVoided,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
    WithdrawalRequested,
)
from contracts.ids import CouncilKey, PackageId, ProviderId, ReferralId
from contracts.values import Care, Wishes, WithdrawalReason
from referral.domain.intake import DespiteOpenReferral
from referral.domain.person import london_day


class Status(StrEnum):
    REQUESTED = "requested"
    SOURCING = "sourcing"
    HELD = "held"
    EXHAUSTED = "exhausted"
    LISTED = "listed"
    PLACED = "placed"
    WITHDRAWAL_REQUESTED = "withdrawal requested"
    WITHDRAWN = "withdrawn"


class What(StrEnum):
    """What can stand in a referral's history."""

    REQUESTED = "requested"
    SOURCING_STARTED = "sourcing started"
    SOURCING_HELD = "sourcing held"
    STAGE_ENTERED = "stage entered"
    OFFER_MADE = "offer made"
    OFFER_DECLINED = "offer declined"
    OFFER_EXPIRED = "offer expired"
    OFFER_WITHDRAWN = "offer withdrawn"
    SOURCING_EXHAUSTED = "sourcing exhausted"
    LISTED = "listed for all to propose"
    STILL_LISTED = "still listed"
    PROPOSAL_RECEIVED = "proposal received"
    AWARD_AWAITS_APPROVAL = "award awaits approval"
    AWARD_REFUSED = "award refused"
    AWARD_LAPSED = "award lapsed"
    PROPOSAL_AWARDED = "proposal awarded"
    PLACED = "placed"
    PERSON_SHOWN = "person shown to the provider"
    WITHDRAWAL_REQUESTED = "withdrawal requested"
    SOURCING_STOPPED = "sourcing stopped"
    PLACEMENT_VOIDED = "placement voided"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Noted:
    """One line of a referral's history; `reason` is in closed terms."""

    what: What
    at: datetime
    stage: str | None = None
    provider_id: ProviderId | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Referral:
    """One need of one adult; who that is stands elsewhere, and can be erased without this."""

    referral_id: ReferralId
    package_id: PackageId
    council: CouncilKey
    care: Care
    wishes: Wishes
    requested_at: datetime
    status: Status = Status.REQUESTED
    despite_open_referral: DespiteOpenReferral | None = None
    placed_with: ProviderId | None = None
    withdrawal_reason: WithdrawalReason | None = None

    def __post_init__(self) -> None:
        if self.status is Status.WITHDRAWAL_REQUESTED and self.withdrawal_reason is None:
            message = "a withdrawal is requested for a reason"
            raise ValueError(message)

    @property
    def is_open(self) -> bool:
        """Care is sought or given; an exhausted search is open too, for an officer has to act."""
        return self.status is not Status.WITHDRAWN

    @property
    def is_being_withdrawn(self) -> bool:
        return self.status in {Status.WITHDRAWAL_REQUESTED, Status.WITHDRAWN}

    def care_has_started(self, *, at: datetime) -> bool:
        """A provider has the package, and it is the start date in London or later."""
        return self.placed_with is not None and self.care.starts_on <= london_day(at)

    def after(self, event: PackageEvent) -> "Referral":
        """This referral once `event` has been heard; a withdrawn one stays as it is, whatever still comes."""
        if self.status is Status.WITHDRAWN:
            return self
        return replace(
            self,
            status=after(self.status, event),
            placed_with=_placed_with(self.placed_with, event),
            withdrawal_reason=event.reason if isinstance(event, WithdrawalRequested) else self.withdrawal_reason,
        )


_MOVES_TO: Final[Mapping[type[PackageEvent], Status]] = {
    SourcingStarted: Status.SOURCING,
    StageEntered: Status.SOURCING,
    OfferMade: Status.SOURCING,
    SourcingHeld: Status.HELD,
    SourcingExhausted: Status.EXHAUSTED,
    PackageListed: Status.LISTED,
    StillListed: Status.LISTED,
    PackagePlaced: Status.PLACED,
    PlacementVoided: Status.SOURCING,
}


def after(status: Status, event: PackageEvent) -> Status:
    """Where a referral stands after an event, whichever producer's came first.

    While a withdrawal is asked for, nothing that sourcing says changes that; our own PackageWithdrawn ends it.
    """
    if status is Status.WITHDRAWN or isinstance(event, PackageWithdrawn):
        return Status.WITHDRAWN
    if status is Status.WITHDRAWAL_REQUESTED or isinstance(event, WithdrawalRequested):
        return Status.WITHDRAWAL_REQUESTED
    return _MOVES_TO.get(type(event), status)


_WHAT: Final[Mapping[type[PackageEvent], What]] = {
    PackageRequested: What.REQUESTED,
    SourcingStarted: What.SOURCING_STARTED,
    SourcingHeld: What.SOURCING_HELD,
    StageEntered: What.STAGE_ENTERED,
    OfferMade: What.OFFER_MADE,
    OfferDeclined: What.OFFER_DECLINED,
    OfferExpired: What.OFFER_EXPIRED,
    OfferWithdrawn: What.OFFER_WITHDRAWN,
    SourcingExhausted: What.SOURCING_EXHAUSTED,
    PackageListed: What.LISTED,
    StillListed: What.STILL_LISTED,
    ProposalReceived: What.PROPOSAL_RECEIVED,
    AwardAwaitsApproval: What.AWARD_AWAITS_APPROVAL,
    AwardRefused: What.AWARD_REFUSED,
    AwardLapsed: What.AWARD_LAPSED,
    ProposalAwarded: What.PROPOSAL_AWARDED,
    PackagePlaced: What.PLACED,
    PersonDisclosed: What.PERSON_SHOWN,
    WithdrawalRequested: What.WITHDRAWAL_REQUESTED,
    SourcingStopped: What.SOURCING_STOPPED,
    PlacementVoided: What.PLACEMENT_VOIDED,
    PackageWithdrawn: What.WITHDRAWN,
}


def noted(event: PackageEvent, *, at: datetime) -> Noted:
    """The line of the history that `event` becomes. Raises KeyError for one that has none."""
    return Noted(_WHAT[type(event)], at, _stage_of(event), _provider_of(event), _reason_of(event))


def _stage_of(event: PackageEvent) -> str | None:
    match event:
        case SourcingExhausted(last_stage=stage):
            return stage
        case StageEntered() | OfferMade() | PackageListed() | StillListed() | ProposalReceived() | PackagePlaced():
            return event.stage
        case _:
            return None


def _provider_of(event: PackageEvent) -> ProviderId | None:
    match event:
        case OfferMade() | OfferDeclined() | OfferExpired() | OfferWithdrawn():
            return event.provider_id
        case ProposalReceived() | AwardAwaitsApproval() | AwardRefused() | AwardLapsed() | ProposalAwarded():
            return event.provider_id
        case PackagePlaced() | PlacementVoided() | PersonDisclosed():
            return event.provider_id
        case _:
            return None


def _reason_of(event: PackageEvent) -> str | None:
    match event:
        case OfferDeclined() | OfferWithdrawn() | AwardLapsed():
            return event.reason
        case PlacementVoided() | WithdrawalRequested() | PackageWithdrawn():
            return event.reason
        case AwardRefused(reasons=reasons):
            return "; ".join(reasons)
        case _:
            return None


def _placed_with(provider: ProviderId | None, event: PackageEvent) -> ProviderId | None:
    match event:
        case PackagePlaced(provider_id=placed):
            return placed
        case PlacementVoided():
            return None
        case _:
            return provider
