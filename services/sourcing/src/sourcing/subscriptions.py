"""What sourcing listens to: which handler follows which event and timer, and which views it keeps."""

from typing import Any, Final

from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.events.packages import (
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferUndeliverable,
    OfferWithdrawn,
    PackageRequested,
    WithdrawalRequested,
)
from service_runtime.heartbeat import OUTAGE_OVER
from service_runtime.projections.projections import PROJECTION_UPDATED, Projection
from service_runtime.subscriptions import Subscription, TimerSubscription, on, on_timer
from sourcing.domain.steps import AlarmKind
from sourcing.handlers import (
    give_back_lost_time,
    look_for_next_provider,
    note_delivery,
    note_undeliverable,
    offer_next,
    place_what_is_approved,
    reopen,
    start_sourcing,
    stop_sourcing,
    try_again,
    watch_the_clock,
)
from sourcing.ports import (
    CAPACITY,
    CHANNELS,
    DEFINITION_VERSIONS,
    DEFINITIONS,
    ELIGIBILITY,
    EMBARGOES,
    OFFERS_PER_PLACEMENT,
    RANKED_LIST_VERSIONS,
    RANKED_LISTS,
    RATES,
    TIME_TO_FIRST_OFFER,
    TIME_TO_PLACE,
    SourcingWork,
)

SUBSCRIPTIONS: Final[tuple[Subscription[SourcingWork], ...]] = (
    on(PackageRequested, start_sourcing),
    on(OfferDelivered, note_delivery),
    on(OfferUndeliverable, note_undeliverable),
    on(OfferDeclined, offer_next),
    on(OfferExpired, offer_next),
    on(OfferWithdrawn, offer_next),
    on(SpotPriceApproved, place_what_is_approved),
    on(SpotPriceRefused, reopen),
    on(WithdrawalRequested, stop_sourcing),
)

TIMERS: Final[tuple[TimerSubscription[SourcingWork], ...]] = (
    on_timer(AlarmKind.OFFER_EXPIRES, watch_the_clock),
    on_timer(AlarmKind.DELIVERY_OVERDUE, watch_the_clock),
    on_timer(AlarmKind.NEXT_OFFER_DUE, look_for_next_provider),
    on_timer(AlarmKind.LISTED_TOO_LONG, watch_the_clock),
    on_timer(OUTAGE_OVER, give_back_lost_time),
    on_timer(PROJECTION_UPDATED, try_again),
)
PAUSED_IN_OUTAGES: Final = (AlarmKind.OFFER_EXPIRES,)

# Views of different events have no narrower common type.
VIEWS: Final[tuple[Projection[Any], ...]] = (
    DEFINITIONS,
    DEFINITION_VERSIONS,
    RANKED_LISTS,
    RANKED_LIST_VERSIONS,
    ELIGIBILITY,
    CHANNELS,
    EMBARGOES,
    CAPACITY,
    RATES,
)

DISTRIBUTIONS: Final = (TIME_TO_FIRST_OFFER, TIME_TO_PLACE, OFFERS_PER_PLACEMENT)
