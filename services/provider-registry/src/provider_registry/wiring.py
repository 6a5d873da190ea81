"""Composition root of the provider registry: every part of the service is wired here."""

from functools import partial
from pathlib import Path

from contracts.catalogue import PROVIDERS
from contracts.list_links import ListLinkSigner
from contracts.offer_links import OfferLinkSigner
from provider_registry.api import (
    alarms,
    branches,
    call_list,
    deliveries,
    eligibility,
    endpoints,
    frameworks,
    mail_bounces,
    mailboxes,
    messages,
    notices,
    places,
    proposals,
    providers,
    ranked_lists,
    reviews,
)
from provider_registry.api.definition_parser import DefinitionParser
from provider_registry.domain.messages import BaseUrls
from provider_registry.handlers.endpoint_notices import publish_endpoint_gone
from provider_registry.handlers.notices import NOTICES_SETTLED
from provider_registry.ports import DeliveryTerms, MailTerms, RegistryQueries
from provider_registry.settings import Settings
from provider_registry.store.gauges import GAUGES
from provider_registry.store.known_endpoints import KnownEndpoints
from provider_registry.store.list_mails import ListMailComposer
from provider_registry.store.list_rendering import render_list
from provider_registry.store.notice_queries import NOTICE_GAUGES
from provider_registry.store.notices import OPEN_MATTERS_STATE, SAVE_NOTICES
from provider_registry.store.queries import PostgresRegistryQueries
from provider_registry.store.unit_of_work import PostgresRegistryWork
from provider_registry.subscriptions import DELIVERIES, SUBSCRIPTIONS, TIMERS
from service_runtime.postgres.database import Database
from service_runtime.service import Service
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.config import Limits, WebhookConfig
from service_runtime.webhooks.egress import EgressProxy
from service_runtime.webhooks.endpoint_health import FailureTerms
from service_runtime.webhooks.mail import Login, MailServer
from service_runtime.webhooks.secret_box import SecretBox


def build(settings: Settings) -> Service[PostgresRegistryWork]:
    database = settings.open_database("provider-registry")
    webhooks = _build_webhooks(settings, database)
    return Service(
        name="provider-registry",
        description="The market: frameworks, providers, ranked lists, and webhooks to providers' systems.",
        settings=settings,
        database=database,
        unit_of_work=partial(
            PostgresRegistryWork,
            secret_box=webhooks.secret_box,
            rules=webhooks.rules,
            secret_overlap=settings.secret_overlap,
            failure_terms=_build_failure_terms(settings),
            delivery_terms=_build_delivery_terms(settings),
            known_endpoints=KnownEndpoints(),
        ),
        migrations=Path(__file__).parent / "migrations",
        routes=(
            frameworks.router,
            proposals.router,
            reviews.router,
            ranked_lists.router,
            alarms.router,
            providers.router,
            branches.router,
            places.router,
            eligibility.router,
            endpoints.router,
            mailboxes.router,
            deliveries.router,
            messages.router,
            call_list.router,
            notices.router,
            mail_bounces.router,
        ),
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
        webhooks=webhooks,
        states=(OPEN_MATTERS_STATE,),
        save_rows=SAVE_NOTICES,
        metrics=(*GAUGES, *NOTICE_GAUGES, NOTICES_SETTLED),
        ports={RegistryQueries: PostgresRegistryQueries(database), DefinitionParser: DefinitionParser()},
    )


def _build_webhooks(settings: Settings, database: Database) -> WebhookConfig[PostgresRegistryWork]:
    return WebhookConfig(
        secret_box=SecretBox([key.get_secret_value() for key in settings.webhook_keys]),
        rules=AddressRules(settings.webhook_private_addresses),
        deliveries=DELIVERIES,
        gone=publish_endpoint_gone,
        limits=Limits(request=settings.webhook_request_timeout),
        mail=_build_mail_server(settings),
        mail_composer=_build_list_mails(settings, database).compose,
        message_retention=settings.message_retention,
        egress_proxy=None if settings.egress_proxy is None else EgressProxy(settings.egress_proxy),
        failure_terms=_build_failure_terms(settings),
    )


def _build_failure_terms(settings: Settings) -> FailureTerms:
    return FailureTerms(
        PROVIDERS, notice_after=settings.endpoint_notice_after, disable_after=settings.endpoint_disable_after
    )


def _build_delivery_terms(settings: Settings) -> DeliveryTerms:
    return DeliveryTerms(
        addresses=_build_addresses(settings),
        notification_delivery_timeout=settings.notification_delivery_timeout,
        mail=_build_mail_terms(settings),
    )


def _build_mail_terms(settings: Settings) -> MailTerms | None:
    if settings.smtp_host is None or settings.offer_link_key is None:
        return None
    return MailTerms(OfferLinkSigner(settings.offer_link_key.get_secret_value()), settings.offer_link_valid_for)


def _build_list_mails(settings: Settings, database: Database) -> ListMailComposer:
    return ListMailComposer(
        database,
        render_list,
        addresses=_build_addresses(settings),
        links=None if settings.offer_link_key is None else ListLinkSigner(settings.offer_link_key.get_secret_value()),
        link_valid_for=settings.offer_link_valid_for,
    )


def _build_addresses(settings: Settings) -> BaseUrls:
    return BaseUrls(sourcing=settings.sourcing_url, referral=settings.referral_url)


def _build_mail_server(settings: Settings) -> MailServer | None:
    if settings.smtp_host is None or settings.smtp_from is None:
        return None
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_from,
        starttls=settings.smtp_starttls,
        login=_build_login(settings),
        reply_to=settings.smtp_reply_to,
    )


def _build_login(settings: Settings) -> Login | None:
    if settings.smtp_username is None or settings.smtp_password is None:
        return None
    return Login(settings.smtp_username, settings.smtp_password.get_secret_value())
