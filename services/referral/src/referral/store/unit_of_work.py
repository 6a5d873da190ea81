"""Referral's unit of work on PostgreSQL."""

from dataclasses import dataclass, field
from datetime import timedelta

from referral.ports import NotificationTerms
from referral.store.frameworks import ProjectedFrameworks
from referral.store.referrals import OpenReferrals, PostgresReferrals
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.endpoint_health import FailureTerms
from service_runtime.webhooks.endpoint_health_table import EndpointHealthTable
from service_runtime.webhooks.endpoints import Endpoints
from service_runtime.webhooks.secret_box import SecretBox


@dataclass
class PostgresReferralWork(PostgresUnitOfWork):
    """Referral's unit of work on PostgreSQL."""

    secret_box: SecretBox = field(kw_only=True)
    rules: AddressRules = field(kw_only=True)
    secret_overlap: timedelta = field(kw_only=True)
    failure_terms: FailureTerms = field(kw_only=True)
    notification_terms: NotificationTerms = field(kw_only=True)

    open_referrals: OpenReferrals = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._endpoints = Endpoints(self, secret_box=self.secret_box, rules=self.rules)

    @property
    def referrals(self) -> PostgresReferrals:
        return PostgresReferrals(self, self.open_referrals)

    @property
    def frameworks(self) -> ProjectedFrameworks:
        return ProjectedFrameworks(self.projections)

    @property
    def endpoints(self) -> Endpoints:
        return self._endpoints

    @property
    def endpoint_health(self) -> EndpointHealthTable:
        return EndpointHealthTable(self)
