"""The provider registry, put together. Read this to see what the service is made of."""

from functools import partial
from pathlib import Path

from contracts.offer_links import OfferLinks
from provider_registry.api import deliveries, endpoints, frameworks, mailboxes, providers
from provider_registry.domain.messages import Addresses
from provider_registry.handlers.offers import note_gone
from provider_registry.ports import DeliveryTerms, MailTerms, RegistryQueries
from provider_registry.settings import Settings
from provider_registry.store.queries import PostgresRegistryQueries
from provider_registry.store.work import PostgresRegistryWork
from provider_registry.subscriptions import DELIVERIES, SUBSCRIPTIONS, TIMERS
from service_runtime.postgres.database import Database
from service_runtime.service import Service
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.config import Limits, WebhookConfig
from service_runtime.webhooks.mail import Login, MailServer
from service_runtime.webhooks.secret_box import SecretBox


def build(settings: Settings) -> Service[PostgresRegistryWork]:
    database = Database(
        settings.database_url.get_secret_value(), name="provider-registry", pool_size=settings.pool_size
    )
    vault = SecretBox([key.get_secret_value() for key in settings.webhook_keys])
    rules = AddressRules(settings.webhook_private_addresses)
    return Service(
        name="provider-registry",
        description="The market: frameworks, providers, ranked lists, and the webhooks that reach providers' systems.",
        settings=settings,
        database=database,
        unit_of_work=partial(PostgresRegistryWork, vault=vault, rules=rules, delivery_terms=_delivery_terms(settings)),
        migrations=Path(__file__).parent / "migrations",
        routes=(frameworks.router, providers.router, endpoints.router, mailboxes.router, deliveries.router),
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
        webhooks=WebhookConfig(
            vault=vault,
            rules=rules,
            deliveries=DELIVERIES,
            gone=note_gone,
            limits=Limits(request=settings.webhook_answer_within),
            mail=_mail_server(settings),
        ),
        ports={RegistryQueries: PostgresRegistryQueries(database)},
    )


def _delivery_terms(settings: Settings) -> DeliveryTerms:
    return DeliveryTerms(
        addresses=Addresses(sourcing=settings.sourcing_url, referral=settings.referral_url),
        offer_given_up_after=settings.offer_given_up_after,
        news_given_up_after=settings.news_given_up_after,
        secret_overlap=settings.secret_overlap,
        mail=_mail_terms(settings),
    )


def _mail_terms(settings: Settings) -> MailTerms | None:
    if settings.smtp_host is None or settings.offer_link_key is None:
        return None
    return MailTerms(OfferLinks(settings.offer_link_key.get_secret_value()), settings.offer_link_valid_for)


def _mail_server(settings: Settings) -> MailServer | None:
    if settings.smtp_host is None or settings.smtp_from is None:
        return None
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_from,
        starttls=settings.smtp_starttls,
        login=_login(settings),
    )


def _login(settings: Settings) -> Login | None:
    if settings.smtp_username is None or settings.smtp_password is None:
        return None
    return Login(settings.smtp_username, settings.smtp_password.get_secret_value())
