"""What sourcing subscribes to, which timers it handles, and which projections it maintains.

One handler serves all rows; `domain/decisions.py` has the function that decides what follows from each.
"""

from typing import Any, Final

from contracts.events.competitions import CompetitionEnded
from contracts.events.offers import (
    AcceptanceReceived,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferUndeliverable,
    OfferWithdrawn,
)
from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.events.packages import PackageRequested, WithdrawalRequested
from service_runtime.heartbeat import OUTAGE_OVER
from service_runtime.projections.projections import PROJECTION_UPDATED, Projection
from service_runtime.subscriptions import Subscription, TimerSubscription, on, on_timer
from sourcing.domain.steps import TimerKind
from sourcing.handlers import close_list, handle_event, handle_timer, send_list
from sourcing.ports import (
    CAPACITY,
    CHANNELS,
    CLOSE_LIST,
    DEFINITION_VERSIONS,
    DEFINITIONS,
    ELIGIBILITY,
    EMBARGOES,
    OFFERS,
    OFFERS_PER_PLACEMENT,
    RANKED_LIST_VERSIONS,
    RANKED_LISTS,
    RATES,
    SEND_LIST,
    TIME_TO_FIRST_OFFER,
    TIME_TO_PLACE,
    SourcingWork,
)

SUBSCRIPTIONS: Final[tuple[Subscription[SourcingWork], ...]] = (
    on(PackageRequested, handle_event, begins_stream=True),
    on(OfferDelivered, handle_event),
    on(OfferUndeliverable, handle_event),
    on(AcceptanceReceived, handle_event),
    on(OfferDeclined, handle_event),
    on(OfferExpired, handle_event),
    on(OfferWithdrawn, handle_event),
    on(CompetitionEnded, handle_event),
    on(SpotPriceApproved, handle_event),
    on(SpotPriceRefused, handle_event),
    on(WithdrawalRequested, handle_event),
)

TIMERS: Final[tuple[TimerSubscription[SourcingWork], ...]] = (
    on_timer(TimerKind.OFFER_EXPIRES, handle_timer),
    on_timer(TimerKind.DELIVERY_OVERDUE, handle_timer),
    on_timer(TimerKind.NEXT_OFFER_DUE, handle_timer),
    on_timer(TimerKind.LISTED_TOO_LONG, handle_timer),
    on_timer(TimerKind.LIST_CUT_OFF, handle_timer),
    on_timer(TimerKind.LIST_CLOSES, handle_timer),
    on_timer(TimerKind.LIST_GOES_OUT, handle_timer),
    on_timer(SEND_LIST, send_list),
    on_timer(CLOSE_LIST, close_list),
    on_timer(TimerKind.COMPETITION_CLOSES, handle_timer),
    on_timer(OUTAGE_OVER, handle_timer),
    on_timer(PROJECTION_UPDATED, handle_timer),
)
PAUSED_IN_OUTAGES: Final = (TimerKind.OFFER_EXPIRES, TimerKind.COMPETITION_CLOSES)

# Any: projections of different events have no narrower common type.
PROJECTIONS: Final[tuple[Projection[Any], ...]] = (
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

OBSERVED: Final = (TIME_TO_FIRST_OFFER, TIME_TO_PLACE, OFFERS_PER_PLACEMENT, OFFERS)
