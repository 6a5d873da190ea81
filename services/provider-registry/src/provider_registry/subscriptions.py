"""What the registry listens to: which handler follows which event, which timer, and which webhook's result."""

from typing import Final

from contracts.events.listings import PackageListed
from contracts.events.packages import (
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferRedirected,
    OfferWithdrawn,
    PackagePlaced,
    PlacementVoided,
)
from contracts.events.providers import EndpointDisabled
from provider_registry.domain.messages import OFFER_MADE, OFFER_MAILED
from provider_registry.handlers.offers import (
    note_delivered,
    note_mailed,
    note_not_mailed,
    note_undeliverable,
    redirect_offer,
    send_offer,
    tell_of_expiry,
    tell_of_extension,
    tell_of_open_package,
    tell_of_placement,
    tell_of_voided_placement,
    tell_of_withdrawal,
)
from provider_registry.handlers.providers import follow_endpoint, reconsider
from provider_registry.ports import RECONSIDER, RegistryWork
from service_runtime.subscriptions import Subscription, TimerSubscription, on, on_timer
from service_runtime.webhooks.results import DeliverySubscription, deliveries

SUBSCRIPTIONS: Final[tuple[Subscription[RegistryWork], ...]] = (
    on(OfferMade, send_offer),
    on(OfferRedirected, redirect_offer),
    on(OfferExtended, tell_of_extension),
    on(OfferWithdrawn, tell_of_withdrawal),
    on(OfferExpired, tell_of_expiry),
    on(PackagePlaced, tell_of_placement),
    on(PlacementVoided, tell_of_voided_placement),
    on(PackageListed, tell_of_open_package),
    on(EndpointDisabled, follow_endpoint),
)

TIMERS: Final[tuple[TimerSubscription[RegistryWork], ...]] = (on_timer(RECONSIDER, reconsider),)

DELIVERIES: Final[tuple[DeliverySubscription[RegistryWork], ...]] = (
    deliveries(OFFER_MADE, delivered=note_delivered, undeliverable=note_undeliverable),
    deliveries(OFFER_MAILED, delivered=note_mailed, undeliverable=note_not_mailed),
)
