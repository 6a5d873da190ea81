"""Subscriptions of the registry: the handler of each event, timer and webhook result."""

from typing import Final

from contracts.events.listings import PackageListed, ProposalReceived
from contracts.events.lists import AvailablePackagesIssued, BatchingListClosed, BatchingListIssued
from contracts.events.notices import NoticeKind
from contracts.events.offers import (
    CallRecorded,
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferRedirected,
    OfferWithdrawn,
)
from contracts.events.officer_acts import CounterOfferMade
from contracts.events.providers import EndpointDisabled
from contracts.events.searches import PackagePlaced, PlacementVoided, SourcingStopped
from provider_registry.domain.messages import OFFER_MADE, OFFER_MAILED
from provider_registry.handlers.channels import update_channels
from provider_registry.handlers.endpoint_notices import check_provider_endpoint
from provider_registry.handlers.list_notices import end_batching_list, send_available_packages, send_batching_list
from provider_registry.handlers.notices import publish_notified, use_next_channel
from provider_registry.handlers.offers import (
    publish_mail_delivered,
    publish_mail_undeliverable,
    publish_webhook_delivered,
    publish_webhook_undeliverable,
    record_offer_call,
    redirect_offer,
    send_offer,
)
from provider_registry.handlers.package_notices import (
    advertise_open_package,
    notify_of_counter_offer,
    notify_of_expiry,
    notify_of_extension,
    notify_of_placement,
    notify_of_stop,
    notify_of_voided_placement,
    notify_of_withdrawal,
    remember_proposal,
)
from provider_registry.handlers.providers import reassess_provider
from provider_registry.ports import REASSESS, RegistryWork
from service_runtime.subscriptions import Subscription, TimerSubscription, on, on_timer
from service_runtime.webhooks.endpoint_health import CHECK_ENDPOINT
from service_runtime.webhooks.results import DeliverySubscription, subscribe_to_deliveries

SUBSCRIPTIONS: Final[tuple[Subscription[RegistryWork], ...]] = (
    on(OfferMade, send_offer, begins_stream=True),
    on(OfferRedirected, redirect_offer),
    on(CallRecorded, record_offer_call),
    on(OfferExtended, notify_of_extension),
    on(OfferWithdrawn, notify_of_withdrawal),
    on(OfferExpired, notify_of_expiry),
    on(PackageListed, advertise_open_package),
    on(ProposalReceived, remember_proposal),
    on(CounterOfferMade, notify_of_counter_offer),
    on(PackagePlaced, notify_of_placement),
    on(PlacementVoided, notify_of_voided_placement),
    on(SourcingStopped, notify_of_stop),
    on(BatchingListIssued, send_batching_list),
    on(BatchingListClosed, end_batching_list),
    on(AvailablePackagesIssued, send_available_packages),
    on(EndpointDisabled, update_channels),
)

TIMERS: Final[tuple[TimerSubscription[RegistryWork], ...]] = (
    on_timer(REASSESS, reassess_provider),
    on_timer(CHECK_ENDPOINT, check_provider_endpoint),
)

DELIVERIES: Final[tuple[DeliverySubscription[RegistryWork], ...]] = (
    subscribe_to_deliveries(
        OFFER_MADE, delivered=publish_webhook_delivered, undeliverable=publish_webhook_undeliverable
    ),
    subscribe_to_deliveries(OFFER_MAILED, delivered=publish_mail_delivered, undeliverable=publish_mail_undeliverable),
    *(
        subscribe_to_deliveries(kind.value, delivered=publish_notified, undeliverable=use_next_channel)
        for kind in NoticeKind
        if kind is not NoticeKind.OFFER_MADE
    ),
)
