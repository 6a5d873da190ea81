"""What a service says about its webhooks in `wiring`: who follows their results, where they may go, and their keys."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from aiohttp.abc import AbstractResolver

from service_runtime.postgres.database import Connection
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.endpoints import Endpoints
from service_runtime.webhooks.mail import MailServer
from service_runtime.webhooks.results import DeliverySubscription, EndpointGone
from service_runtime.webhooks.secret_box import SecretBox
from service_runtime.webhooks.sending import REQUEST_TIMEOUT

WorkT_contra = TypeVar("WorkT_contra", contravariant=True)


@dataclass(frozen=True)
class Limits:
    """How much one process takes on, and for how long."""

    requests: int = 256
    requests_for_each: int = 4
    """Requests to one endpoint side by side; 64 endpoints may hang at once before others have to wait."""
    request: float = REQUEST_TIMEOUT
    """Real seconds that an endpoint has to answer, at most `REQUEST_TIMEOUT`."""
    lease: timedelta = timedelta(seconds=REQUEST_TIMEOUT + 2)
    """Longer than any request; how long what a crashed process had claimed has to wait."""
    drain: timedelta = timedelta(seconds=5)
    """What requests that run have left when the engine is stopped."""


@dataclass(frozen=True)
class WebhookConfig(Generic[WorkT_contra]):
    """A service's webhooks: its table of results, and the settings of the engine that sends them."""

    secret_box: SecretBox
    rules: AddressRules
    deliveries: Sequence[DeliverySubscription[WorkT_contra]] = ()
    gone: Callable[[EndpointGone, WorkT_contra], Awaitable[None]] | None = None
    """What follows when an endpoint answered 410; in the unit of work of the delivery that met it."""
    limits: Limits = field(default_factory=Limits)
    mail: MailServer | None = None
    """Where what is queued for mailboxes is handed over; without it that is not delivered."""
    resolver: AbstractResolver | None = None
    """What finds the addresses of hosts; the machine's own by default."""

    def open_endpoints(self, connection: Connection, *, now: datetime) -> Endpoints:
        """The endpoints, for a unit of work."""
        return Endpoints(connection, secret_box=self.secret_box, rules=self.rules, now=now)
