"""The registry's unit of work on PostgreSQL."""

from dataclasses import dataclass, field
from datetime import timedelta

from provider_registry.ports import DeliveryTerms
from provider_registry.store.frameworks import PostgresFrameworks
from provider_registry.store.issued_lists import PostgresIssuedLists
from provider_registry.store.known_endpoints import KnownEndpoints
from provider_registry.store.notices import PostgresNotices
from provider_registry.store.providers import PostgresProviders
from provider_registry.store.sent_offers import PostgresSentOffers
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.endpoint_health import FailureTerms
from service_runtime.webhooks.endpoint_health_table import EndpointHealthTable
from service_runtime.webhooks.endpoints import Endpoints
from service_runtime.webhooks.mail import Mailboxes
from service_runtime.webhooks.secret_box import SecretBox


@dataclass
class PostgresRegistryWork(PostgresUnitOfWork):
    secret_box: SecretBox = field(kw_only=True)
    rules: AddressRules = field(kw_only=True)
    secret_overlap: timedelta = field(kw_only=True)
    failure_terms: FailureTerms = field(kw_only=True)
    delivery_terms: DeliveryTerms = field(kw_only=True)
    known_endpoints: KnownEndpoints = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._endpoints = Endpoints(self, secret_box=self.secret_box, rules=self.rules)
        self._mailboxes = Mailboxes(self, secret_box=self.secret_box)

    @property
    def providers(self) -> PostgresProviders:
        return PostgresProviders(self)

    @property
    def frameworks(self) -> PostgresFrameworks:
        return PostgresFrameworks(self)

    @property
    def endpoints(self) -> Endpoints:
        return self._endpoints

    @property
    def endpoint_health(self) -> EndpointHealthTable:
        return EndpointHealthTable(self)

    @property
    def mailboxes(self) -> Mailboxes:
        return self._mailboxes

    @property
    def notices(self) -> PostgresNotices:
        return PostgresNotices(self, self.known_endpoints)

    @property
    def issued_lists(self) -> PostgresIssuedLists:
        return PostgresIssuedLists(self)

    @property
    def sent_offers(self) -> PostgresSentOffers:
        return PostgresSentOffers(self)
