"""A referral as a value: its status, derived from the events about its package, and its history."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from contracts.events.base import HasProvider, HasReason, HasReasons, HasStage, PackageEvent
from contracts.events.competitions import CompetitionAwarded, CompetitionClosed, CompetitionEnded, CompetitionOpened
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardLapsed,
    AwardRefused,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
    StillListed,
)
from contracts.events.offers import OfferDeclined, OfferExpired, OfferMade, OfferWithdrawn
from contracts.events.officer_acts import PackageResourced, SearchPaused, SearchResumed
from contracts.events.packages import PackageRequested, PackageWithdrawn, PersonDisclosed, WithdrawalRequested
from contracts.events.searches import (
    PackagePlaced,
    PlacementVoided,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)
from contracts.ids import CouncilKey, PackageId, ProviderId, ReasonKey, ReferralId
from contracts.office_time import to_office_date
from contracts.values import Care, Wishes
from referral.domain.request import DespiteOpenReferral


class Status(StrEnum):
    REQUESTED = "requested"
    SOURCING = "sourcing"
    HELD = "held"
    EXHAUSTED = "exhausted"
    LISTED = "listed"
    PLACED = "placed"
    WITHDRAWAL_REQUESTED = "withdrawal requested"
    WITHDRAWN = "withdrawn"


class HistoryKind(StrEnum):
    """The kinds of entries in a referral's history."""

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
    COMPETITION_OPENED = "competition opened"
    COMPETITION_CLOSED = "competition closed"
    COMPETITION_ENDED = "competition ended"
    COMPETITION_AWARDED = "competition awarded"
    PLACED = "placed"
    PERSON_SHOWN = "person shown to the provider"
    WITHDRAWAL_REQUESTED = "withdrawal requested"
    SOURCED_AGAIN = "sourced again"
    SEARCH_PAUSED = "search paused"
    SEARCH_RESUMED = "search resumed"
    SOURCING_STOPPED = "sourcing stopped"
    PLACEMENT_VOIDED = "placement voided"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class HistoryEntry:
    """One entry of a referral's history. `reason` is a coded reason, never free text."""

    kind: HistoryKind
    at: datetime
    stage: str | None = None
    provider_id: ProviderId | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Referral:
    """One need of one adult. The person is stored separately and can be erased while the referral stays."""

    referral_id: ReferralId
    package_id: PackageId
    council: CouncilKey
    care: Care
    wishes: Wishes
    requested_at: datetime
    status: Status = Status.REQUESTED
    despite_open_referral: DespiteOpenReferral | None = None
    placed_with: ProviderId | None = None
    withdrawal_reason: ReasonKey | None = None

    def __post_init__(self) -> None:
        if self.status is Status.WITHDRAWAL_REQUESTED and self.withdrawal_reason is None:
            message = "a requested withdrawal needs a reason"
            raise ValueError(message)

    @property
    def is_open(self) -> bool:
        """Care is being sourced or is placed. An exhausted search is open too: an officer has to act."""
        return self.status is not Status.WITHDRAWN

    @property
    def is_being_withdrawn(self) -> bool:
        return self.status in {Status.WITHDRAWAL_REQUESTED, Status.WITHDRAWN}

    def has_care_started(self, *, at: datetime) -> bool:
        """The package is placed, and its start date has come by London time."""
        return self.placed_with is not None and self.care.starts_on <= to_office_date(at)

    def apply(self, event: PackageEvent) -> "Referral":
        """Returns the referral after `event`. A withdrawn referral does not change any more."""
        if self.status is Status.WITHDRAWN:
            return self
        return replace(
            self,
            status=find_next_status(self.status, event),
            placed_with=_find_placed_provider(self.placed_with, event),
            withdrawal_reason=event.reason if isinstance(event, WithdrawalRequested) else self.withdrawal_reason,
        )


_NEXT_STATUS: Final[Mapping[type[PackageEvent], Status]] = {
    SourcingStarted: Status.SOURCING,
    StageEntered: Status.SOURCING,
    CompetitionOpened: Status.SOURCING,
    OfferMade: Status.SOURCING,
    SourcingHeld: Status.HELD,
    SourcingExhausted: Status.EXHAUSTED,
    PackageListed: Status.LISTED,
    StillListed: Status.LISTED,
    PackagePlaced: Status.PLACED,
    PlacementVoided: Status.SOURCING,
}


def find_next_status(status: Status, event: PackageEvent) -> Status:
    """Returns the status after an event; events of different producers may arrive in any order.

    Events of sourcing do not change the status of a requested withdrawal; referral's own PackageWithdrawn ends it.
    """
    if status is Status.WITHDRAWN or isinstance(event, PackageWithdrawn):
        return Status.WITHDRAWN
    if status is Status.WITHDRAWAL_REQUESTED or isinstance(event, WithdrawalRequested):
        return Status.WITHDRAWAL_REQUESTED
    if isinstance(event, PackageResourced):
        return Status.LISTED if event.is_listed else Status.SOURCING
    return _NEXT_STATUS.get(type(event), status)


PROGRESS_KINDS: Final[Mapping[type[PackageEvent], HistoryKind]] = {
    SourcingStarted: HistoryKind.SOURCING_STARTED,
    SourcingHeld: HistoryKind.SOURCING_HELD,
    StageEntered: HistoryKind.STAGE_ENTERED,
    OfferMade: HistoryKind.OFFER_MADE,
    OfferDeclined: HistoryKind.OFFER_DECLINED,
    OfferExpired: HistoryKind.OFFER_EXPIRED,
    OfferWithdrawn: HistoryKind.OFFER_WITHDRAWN,
    SourcingExhausted: HistoryKind.SOURCING_EXHAUSTED,
    PackageListed: HistoryKind.LISTED,
    StillListed: HistoryKind.STILL_LISTED,
    ProposalReceived: HistoryKind.PROPOSAL_RECEIVED,
    AwardAwaitsApproval: HistoryKind.AWARD_AWAITS_APPROVAL,
    AwardRefused: HistoryKind.AWARD_REFUSED,
    AwardLapsed: HistoryKind.AWARD_LAPSED,
    ProposalAwarded: HistoryKind.PROPOSAL_AWARDED,
    CompetitionOpened: HistoryKind.COMPETITION_OPENED,
    CompetitionClosed: HistoryKind.COMPETITION_CLOSED,
    CompetitionEnded: HistoryKind.COMPETITION_ENDED,
    CompetitionAwarded: HistoryKind.COMPETITION_AWARDED,
    PackagePlaced: HistoryKind.PLACED,
    PackageResourced: HistoryKind.SOURCED_AGAIN,
    SearchPaused: HistoryKind.SEARCH_PAUSED,
    SearchResumed: HistoryKind.SEARCH_RESUMED,
}
"""The events of sourcing that add an entry to a referral's history; `referral.subscriptions` subscribes to each."""

_KINDS: Final[Mapping[type[PackageEvent], HistoryKind]] = {
    **PROGRESS_KINDS,
    PackageRequested: HistoryKind.REQUESTED,
    PersonDisclosed: HistoryKind.PERSON_SHOWN,
    WithdrawalRequested: HistoryKind.WITHDRAWAL_REQUESTED,
    SourcingStopped: HistoryKind.SOURCING_STOPPED,
    PlacementVoided: HistoryKind.PLACEMENT_VOIDED,
    PackageWithdrawn: HistoryKind.WITHDRAWN,
}


def build_history_entry(event: PackageEvent, *, at: datetime) -> HistoryEntry:
    """Raises KeyError for an event that is not part of a referral's history."""
    provider_id = event.provider_id if isinstance(event, HasProvider) else None
    return HistoryEntry(_KINDS[type(event)], at, _find_stage(event), provider_id, _find_reason(event))


def _find_stage(event: PackageEvent) -> str | None:
    if isinstance(event, SourcingExhausted):
        return event.last_stage
    return event.stage if isinstance(event, HasStage) else None


def _find_reason(event: PackageEvent) -> str | None:
    """The coded reason; several reasons are joined with `; `."""
    if isinstance(event, HasReasons):
        return "; ".join(event.reasons)
    return event.reason if isinstance(event, HasReason) else None


def _find_placed_provider(provider: ProviderId | None, event: PackageEvent) -> ProviderId | None:
    match event:
        case PackagePlaced(provider_id=new_provider):
            return new_provider
        case PlacementVoided():
            return None
        case _:
            return provider
