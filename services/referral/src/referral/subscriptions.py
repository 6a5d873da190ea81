"""Subscriptions of referral: every event with its handler, and the projections."""

from typing import Any, Final

from contracts.events.searches import PlacementVoided, SourcingStopped
from referral.domain.referral import PROGRESS_KINDS
from referral.handlers import check_council_endpoint, finish_withdrawal, record_progress
from referral.ports import DEFINITION_VERSIONS, ReferralWork
from service_runtime.kafka.fetch_limits import Gathering
from service_runtime.projections.projections import Projection
from service_runtime.subscriptions import Subscription, TimerSubscription, on, on_timer
from service_runtime.webhooks.endpoint_health import CHECK_ENDPOINT

GATHERING: Final = Gathering(above=100, milliseconds=20)
"""Nobody waits for a referral to show how its search goes on."""

SUBSCRIPTIONS: Final[tuple[Subscription[ReferralWork], ...]] = (
    *(on(event, record_progress) for event in PROGRESS_KINDS),
    on(PlacementVoided, finish_withdrawal),
    on(SourcingStopped, finish_withdrawal),
)

TIMERS: Final[tuple[TimerSubscription[ReferralWork], ...]] = (on_timer(CHECK_ENDPOINT, check_council_endpoint),)

# Projections of different events have no narrower common type.
PROJECTIONS: Final[tuple[Projection[Any], ...]] = (DEFINITION_VERSIONS,)
