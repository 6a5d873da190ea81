"""What referral listens to: which handler follows which event, and which views it keeps."""

from typing import Any, Final

from contracts.events.packages import PlacementVoided, SourcingStopped
from referral.domain.referral import PROGRESS
from referral.handlers import finish_withdrawal, record_progress
from referral.ports import DEFINITIONS, ReferralWork
from service_runtime.projections.projections import Projection
from service_runtime.subscriptions import Subscription, TimerSubscription, on

SUBSCRIPTIONS: Final[tuple[Subscription[ReferralWork], ...]] = (
    *(on(event, record_progress) for event in PROGRESS),
    on(PlacementVoided, finish_withdrawal),
    on(SourcingStopped, finish_withdrawal),
)

TIMERS: Final[tuple[TimerSubscription[ReferralWork], ...]] = ()

# Views of different events have no narrower common type.
PROJECTIONS: Final[tuple[Projection[Any], ...]] = (DEFINITIONS,)
