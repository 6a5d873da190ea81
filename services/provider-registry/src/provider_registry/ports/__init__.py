"""Ports of the registry: the unit of work, its repositories, and read-only queries."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, Protocol
from uuid import UUID

from contracts.events.frameworks import RankedListPublished
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import (
    AreaCode,
    CouncilKey,
    FrameworkKey,
    LotKey,
    OfferId,
    PackageId,
    ProviderId,
)
from contracts.offer_links import OfferLinkSigner
from contracts.values import ListReach
from provider_registry.domain.alarms import Alarm
from provider_registry.domain.messages import BaseUrls
from provider_registry.domain.offer_summary import OfferSummary
from provider_registry.domain.places import FrameworkPlace, ListScope
from provider_registry.domain.proposals import Proposal
from provider_registry.domain.provider import Definitions, Provider
from provider_registry.ports.notices import IssuedLists, NoticeQueries, Notices, PagePosition
from service_runtime.webhooks.deliveries import Attempt
from service_runtime.webhooks.endpoint_commands import EndpointRepository, EndpointWork
from service_runtime.webhooks.endpoint_health import HealthWork
from service_runtime.webhooks.endpoint_queries import EndpointState
from service_runtime.webhooks.kept_messages import KeptMessage

REASSESS: Final = "eligibility-outdated"
"""Kind of the timers that reassess a provider's eligibility: after a definition changed, and on a day of its own."""
NEXT_DAY: Final = "next-day"
"""What the timer of the next day on which a provider's eligibility can change is about."""
DISABLED_BY_OFFICER: Final = "disabled by officer"


@dataclass(frozen=True)
class OpenPackage:
    """Where a package is open to all."""

    framework: FrameworkKey
    lot: LotKey
    area: AreaCode
    reach: ListReach = ListReach.AREA


class Providers(Protocol):
    """Providers with their branches and places."""

    async def get(self, provider_id: ProviderId) -> Provider | None:
        """Returns the provider of any council; the caller compares the council."""
        ...

    async def save(self, provider: Provider, *, before: Provider | None) -> None:
        """Saves `provider`; `before` is its last saved state, None for a new one."""
        ...

    async def declare_capacity(self, provider_id: ProviderId, area: AreaCode, free_hours: Decimal) -> None:
        """Saves the newest declaration of one area."""
        ...

    async def watch_holders(self, places: Collection[FrameworkPlace]) -> Mapping[FrameworkPlace, frozenset[ProviderId]]:
        """Returns who holds each place; the unit of work is decided again if that changes meanwhile."""
        ...

    async def find_open_package_recipients(
        self, package: OpenPackage, *, council: CouncilKey, members: bool, spot: bool
    ) -> Sequence[ProviderId]:
        """Returns the council's providers to notify of an open package.

        These have no embargo, and with `members` an active place there (any tier); with `spot` also those that serve
        the area outside frameworks. An open package of the council's reach is for those of all areas.
        """
        ...

    async def schedule_reassessment(self, framework: FrameworkKey) -> None:
        """Arms a timer per provider with a place; each reassesses one provider in its own unit of work."""
        ...


class Frameworks(Protocol):
    """Definitions and ranked lists, by version, and proposed definitions."""

    async def load_newest(self, frameworks: Iterable[FrameworkKey]) -> Definitions:
        """Returns the newest definition of each framework that has one, also one that is not in force yet."""
        ...

    async def load_in_force(self, frameworks: Iterable[FrameworkKey], *, on: date) -> Definitions:
        """Returns of each framework its newest version whose first day has come on `on`, else its newest one."""
        ...

    async def load_of_council(self, council: CouncilKey, *, on: date) -> Definitions:
        """Returns the definitions in force of all frameworks of a council."""
        ...

    async def list_first_days(self, frameworks: Iterable[FrameworkKey], *, after: date) -> Collection[date]:
        """Returns the first days, after `after`, of versions of these frameworks."""
        ...

    async def load_version(self, framework: FrameworkKey, version: int) -> FrameworkDefinition | None: ...

    async def add(self, proposal: Proposal, *, approved_by: str) -> None:
        """Adds the proposed version to the published ones."""
        ...

    async def find_proposal(self, framework: FrameworkKey) -> Proposal | None:
        """Returns the framework's proposed version, of any council; there is at most one."""
        ...

    async def save_proposal(self, proposal: Proposal) -> None: ...

    async def remove_proposal(self, framework: FrameworkKey) -> None: ...

    async def get_newest_list_version(self, scope: ListScope) -> int:
        """Returns the version of the newest ranked list, 0 if there is none."""
        ...

    async def load_ranked_list(self, scope: ListScope, list_version: int) -> RankedListPublished | None: ...

    async def add_list(self, ranked: RankedListPublished) -> None: ...


class Mailboxes(Protocol):
    """Mailboxes for offers by provider. An address is written and never read back."""

    async def put(self, owner: str, address: str) -> None: ...
    async def has_mailbox(self, owner: str) -> bool: ...
    async def remove(self, owner: str) -> None: ...


class SentOffers(Protocol):
    """Offers that were sent to providers."""

    async def has_been_sent(self, package_id: PackageId, offer_id: OfferId) -> bool:
        """Returns True once a webhook or mail with the offer went out, or a call has reached the provider.

        It may have arrived without a 2xx.
        """
        ...

    async def find_summary(self, package_id: PackageId, offer_id: OfferId) -> OfferSummary | None:
        """Returns the content of the offer's webhook, sent or not; None if it was not made by webhook."""
        ...


@dataclass(frozen=True)
class MailTerms:
    """Signs the links in mails, and for how long these are valid."""

    links: OfferLinkSigner
    link_valid_for: timedelta


@dataclass(frozen=True)
class DeliveryTerms:
    """Base URLs in webhooks, and the timeout of notifications, counted from the first attempt.

    An offer states its own time to arrive.
    """

    addresses: BaseUrls
    notification_delivery_timeout: timedelta
    mail: MailTerms | None = None
    """None without a mail server: no offer is sent by mail."""


class RegistryWork(HealthWork, EndpointWork, Protocol):
    """The registry's unit of work; the owner of an endpoint is the id of a provider."""

    @property
    def providers(self) -> Providers: ...
    @property
    def frameworks(self) -> Frameworks: ...
    @property
    def mailboxes(self) -> Mailboxes: ...
    @property
    def sent_offers(self) -> SentOffers: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def issued_lists(self) -> IssuedLists: ...
    @property
    def delivery_terms(self) -> DeliveryTerms: ...
    @property
    def endpoints(self) -> EndpointRepository: ...


@dataclass(frozen=True)
class DeclaredCapacity:
    """Free commissioned hours a week in one area at the time of declaring."""

    area: AreaCode
    free_hours: Decimal
    declared_at: datetime


@dataclass(frozen=True)
class ProviderSnapshot:
    """A provider with its definitions, capacity and endpoint."""

    provider: Provider
    definitions: Definitions
    capacity: tuple[DeclaredCapacity, ...]
    endpoint: EndpointState | None


@dataclass(frozen=True)
class PublishedDefinition:
    definition: FrameworkDefinition
    published_at: datetime


@dataclass(frozen=True)
class DeliveryLogEntry:
    """One webhook or mail in the delivery log; `outcome` is None until it is decided."""

    id: UUID
    kind: str
    is_mail: bool
    about: str
    package_id: str | None
    """None for an advert: the log must not link an advert to its package."""
    queued_at: datetime
    outcome: Literal["delivered", "undeliverable", "cancelled"] | None
    failure: str | None
    decided_at: datetime | None
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class FailingProvider:
    """A provider whose endpoint accepts nothing."""

    provider_id: ProviderId
    name: str
    phone: str
    failing_since: datetime | None
    disabled_because: str | None


class RegistryQueries(NoticeQueries, Protocol):
    """Read-only queries; each returns rows of one council only."""

    async def find_provider(
        self, provider_id: ProviderId, *, council: CouncilKey, at: datetime
    ) -> ProviderSnapshot | None:
        """Returns the provider as it is recorded now, with the definitions in force at `at`."""
        ...

    async def has_provider(self, provider_id: ProviderId, *, council: CouncilKey) -> bool: ...

    async def list_providers(
        self, council: CouncilKey, *, after: PagePosition | None, limit: int
    ) -> Sequence[Provider]:
        """Returns the newest first."""
        ...

    async def list_frameworks(self, council: CouncilKey) -> Sequence[PublishedDefinition]:
        """Returns the newest version of each framework."""
        ...

    async def find_definition(
        self, framework: FrameworkKey, version: int, *, council: CouncilKey
    ) -> PublishedDefinition | None: ...

    async def list_proposals(self, council: CouncilKey) -> Sequence[Proposal]:
        """Returns the oldest first."""
        ...

    async def list_ranked_lists(
        self, scope: ListScope, *, council: CouncilKey, at: datetime, limit: int
    ) -> Sequence[RankedListPublished] | None:
        """Returns the newest first; None if the council has no such framework."""
        ...

    async def list_alarms(
        self, framework: FrameworkKey, *, council: CouncilKey, at: datetime
    ) -> Sequence[Alarm] | None:
        """Returns what is due at `at`; None if the council has no such framework."""
        ...

    async def list_deliveries(
        self, provider_id: ProviderId, *, after: PagePosition | None, limit: int
    ) -> Sequence[DeliveryLogEntry]:
        """Returns the newest first."""
        ...

    async def list_kept_messages(
        self, provider_id: ProviderId, *, after: PagePosition | None, limit: int
    ) -> Sequence[KeptMessage]:
        """Returns webhooks that did not arrive and are not acknowledged, the oldest first."""
        ...

    async def list_failing_endpoints(self, council: CouncilKey) -> Sequence[FailingProvider]:
        """Returns those that fail since long, or were disabled for it or by a 410, the longest failing first."""
        ...
