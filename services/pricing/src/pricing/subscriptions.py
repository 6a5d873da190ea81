"""Subscriptions of pricing: the handler of each event, and the projections."""

from typing import Any, Final

from contracts.events.listings import AwardAwaitsApproval, AwardLapsed, PackageListed
from contracts.events.searches import PackagePlaced, PlacementVoided, SourcingStopped
from pricing.handlers import (
    cancel_purchase_order,
    close_award,
    close_awards_of_package,
    issue_purchase_order,
    record_listing,
    record_pending_price,
)
from pricing.ports import DEFINITION_VERSIONS, DEFINITIONS, PricingWork
from service_runtime.kafka.fetch_limits import Gathering
from service_runtime.projections.projections import Projection
from service_runtime.subscriptions import Subscription, TimerSubscription, on

GATHERING: Final = Gathering(above=1, milliseconds=100)
"""Nobody waits for the order of a placement."""

SUBSCRIPTIONS: Final[tuple[Subscription[PricingWork], ...]] = (
    on(PackagePlaced, issue_purchase_order, begins_stream=True),
    on(PlacementVoided, cancel_purchase_order),
    on(PackageListed, record_listing, begins_stream=True),
    on(AwardAwaitsApproval, record_pending_price),
    on(AwardLapsed, close_award),
    on(SourcingStopped, close_awards_of_package),
)

TIMERS: Final[tuple[TimerSubscription[PricingWork], ...]] = ()

# Projections of different events have no narrower common type.
PROJECTIONS: Final[tuple[Projection[Any], ...]] = (DEFINITIONS, DEFINITION_VERSIONS)
