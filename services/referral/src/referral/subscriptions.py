"""What referral listens to: which handler follows which event, and which views it keeps."""

from typing import Any, Final

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
    PlacementVoided,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)
from referral.handlers import finish_withdrawal, note_progress
from referral.ports import DEFINITIONS, ReferralWork
from service_runtime.projections.projections import Projection
from service_runtime.subscriptions import Subscription, TimerSubscription, on

SUBSCRIPTIONS: Final[tuple[Subscription[ReferralWork], ...]] = (
    on(SourcingStarted, note_progress),
    on(SourcingHeld, note_progress),
    on(StageEntered, note_progress),
    on(OfferMade, note_progress),
    on(OfferDeclined, note_progress),
    on(OfferExpired, note_progress),
    on(OfferWithdrawn, note_progress),
    on(SourcingExhausted, note_progress),
    on(PackageListed, note_progress),
    on(StillListed, note_progress),
    on(ProposalReceived, note_progress),
    on(AwardAwaitsApproval, note_progress),
    on(AwardRefused, note_progress),
    on(AwardLapsed, note_progress),
    on(ProposalAwarded, note_progress),
    on(PackagePlaced, note_progress),
    on(PlacementVoided, finish_withdrawal),
    on(SourcingStopped, finish_withdrawal),
)

TIMERS: Final[tuple[TimerSubscription[ReferralWork], ...]] = ()

# Views of different events have no narrower common type.
VIEWS: Final[tuple[Projection[Any], ...]] = (DEFINITIONS,)
