"""Webhook configuration of a service, built in `wiring`: result handlers, address rules, keys and limits."""

import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

from aiohttp.abc import AbstractResolver

from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.egress import EgressProxy
from service_runtime.webhooks.endpoint_health import FailureTerms
from service_runtime.webhooks.endpoints import Endpoints
from service_runtime.webhooks.mail import MailServer
from service_runtime.webhooks.mail_content import MailComposer
from service_runtime.webhooks.results import DeliverySubscription, EndpointGone
from service_runtime.webhooks.secret_box import SecretBox
from service_runtime.webhooks.sending import REQUEST_TIMEOUT

WorkT_contra = TypeVar("WorkT_contra", contravariant=True)


@dataclass(frozen=True)
class Limits:
    """Limits of the webhook engine in one process."""

    requests: int = 256
    """Concurrent requests in total."""
    requests_for_each: int = 4
    """Concurrent requests to one endpoint; 64 endpoints must hang before deliveries to others wait."""
    request: float = REQUEST_TIMEOUT
    """Timeout of a request in seconds of real time, at most REQUEST_TIMEOUT."""
    lease: timedelta = timedelta(seconds=REQUEST_TIMEOUT + 2)
    """How long a claim is valid, longer than any request; after a crash its deliveries wait until the lease expires."""
    drain: timedelta = timedelta(seconds=5)
    """How long running requests may continue after the engine is stopped."""

    def __post_init__(self) -> None:
        if self.lease <= timedelta(seconds=self.request):
            message = (
                f"the lease of {self.lease.total_seconds():g} s must be longer than a request of {self.request:g} s:"
                " otherwise another process sends what this one is still sending"
            )
            raise ValueError(message)


@dataclass(frozen=True)
class WebhookConfig(Generic[WorkT_contra]):
    """The handlers of a service's delivery results, and the settings of the engine that sends its webhooks."""

    secret_box: SecretBox
    rules: AddressRules
    deliveries: Sequence[DeliverySubscription[WorkT_contra]] = ()
    gone: Callable[[EndpointGone, WorkT_contra], Awaitable[None]] | None = None
    """Handler for an endpoint that answered 410; runs in the unit of work of that delivery."""
    failure_terms: FailureTerms | None = None
    """When owners of failing endpoints are notified; None: never, and only 410 disables."""
    limits: Limits = field(default_factory=Limits)
    mail: MailServer | None = None
    """Server for mail to mailboxes; without it, mail is not delivered."""
    mail_composer: MailComposer | None = None
    """Makes the content of mails that were queued without it."""
    message_retention: timedelta = timedelta(days=30)
    """How long the content of a finished webhook is kept for its owner."""
    egress_proxy: EgressProxy | None = None
    """Proxy for webhooks to the internet; addresses that the operator has listed are reached without it."""
    tls: ssl.SSLContext | None = None
    """Verifies endpoints' certificates; by default against the certificates that the system trusts."""
    resolver: AbstractResolver | None = None
    """DNS resolver; the system's by default."""

    def open_endpoints(self, work: PostgresUnitOfWork) -> Endpoints:
        """Opens the endpoints inside a unit of work."""
        return Endpoints(work, secret_box=self.secret_box, rules=self.rules)
