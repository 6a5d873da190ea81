"""A referral as a value: where it stands, folded from what was heard about its package, and its history."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from contracts.events.base import HasProvider, HasReason, HasReasons, HasStage, PackageEvent
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
from contracts.office_time import to_office_date
from contracts.values import Care, Wishes, WithdrawalReason
from referral.domain.intake import DespiteOpenReferral


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
class HistoryEntry:
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

    def has_care_started(self, *, at: datetime) -> bool:
        """A provider has the package, and it is the start date in London or later."""
        return self.placed_with is not None and self.care.starts_on <= to_office_date(at)

    def apply(self, event: PackageEvent) -> "Referral":
        """This referral once `event` has been heard; a withdrawn one stays as it is, whatever still comes."""
        if self.status is Status.WITHDRAWN:
            return self
        return replace(
            self,
            status=find_next_status(self.status, event),
            placed_with=_find_provider(self.placed_with, event),
            withdrawal_reason=event.reason if isinstance(event, WithdrawalRequested) else self.withdrawal_reason,
        )


_NEXT_STATUS: Final[Mapping[type[PackageEvent], Status]] = {
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


def find_next_status(status: Status, event: PackageEvent) -> Status:
    """Where a referral stands after an event, whichever producer's came first.

    While a withdrawal is asked for, nothing that sourcing says changes that; our own PackageWithdrawn ends it.
    """
    if status is Status.WITHDRAWN or isinstance(event, PackageWithdrawn):
        return Status.WITHDRAWN
    if status is Status.WITHDRAWAL_REQUESTED or isinstance(event, WithdrawalRequested):
        return Status.WITHDRAWAL_REQUESTED
    return _NEXT_STATUS.get(type(event), status)


PROGRESS: Final[Mapping[type[PackageEvent], What]] = {
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
}
"""The events of sourcing that add a line to a referral's history (`referral.subscriptions` follows each of them)."""

_WHAT: Final[Mapping[type[PackageEvent], What]] = {
    **PROGRESS,
    PackageRequested: What.REQUESTED,
    PersonDisclosed: What.PERSON_SHOWN,
    WithdrawalRequested: What.WITHDRAWAL_REQUESTED,
    SourcingStopped: What.SOURCING_STOPPED,
    PlacementVoided: What.PLACEMENT_VOIDED,
    PackageWithdrawn: What.WITHDRAWN,
}


def build_history_entry(event: PackageEvent, *, at: datetime) -> HistoryEntry:
    """The line of the history that `event` becomes. Raises KeyError for one that has none."""
    provider_id = event.provider_id if isinstance(event, HasProvider) else None
    return HistoryEntry(_WHAT[type(event)], at, _find_stage(event), provider_id, _find_reason(event))


def _find_stage(event: PackageEvent) -> str | None:
    if isinstance(event, SourcingExhausted):
        return event.last_stage
    return event.stage if isinstance(event, HasStage) else None


def _find_reason(event: PackageEvent) -> str | None:
    """The coded reason; several reasons are joined with `; `."""
    if isinstance(event, HasReasons):
        return "; ".join(event.reasons)
    return event.reason if isinstance(event, HasReason) else None


def _find_provider(provider: ProviderId | None, event: PackageEvent) -> ProviderId | None:
    match event:
        case PackagePlaced(provider_id=placed):
            return placed
        case PlacementVoided():
            return None
        case _:
            return provider
