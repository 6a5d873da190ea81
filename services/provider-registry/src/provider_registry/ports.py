"""What the registry's handlers and routes call: the unit of work, its repositories, and questions about the market."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, Protocol
from uuid import UUID

from contracts.events.frameworks import RankedListPublished
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, OfferId, PackageId, ProviderId
from contracts.offer_links import OfferLinks
from provider_registry.domain.mails import OfferSaid
from provider_registry.domain.messages import Addresses
from provider_registry.domain.provider import Definitions, Place, Provider
from service_runtime.unit_of_work.unit_of_work import UnitOfWork
from service_runtime.webhooks.deliveries import Attempt
from service_runtime.webhooks.endpoints import Endpoint

RECONSIDER: Final = "eligibility-outdated"
"""The kind of timer that asks a provider's eligibility anew, because a definition changed."""
DISABLED_BY_OFFICER: Final = "disabled by officer"


class Providers(Protocol):
    """Providers with their branches and places."""

    async def get(self, provider_id: ProviderId) -> Provider | None:
        """Of any council: whoever asks compares it with the caller's."""
        ...

    async def save(self, provider: Provider, *, before: Provider | None) -> None:
        """Keeps `provider`, which was `before` until now."""
        ...

    async def declare_capacity(self, provider_id: ProviderId, area: AreaCode, free_hours: Decimal) -> None:
        """Keeps the newest declaration of one area."""
        ...

    async def members(self, places: Collection[Place]) -> Mapping[Place, frozenset[ProviderId]]:
        """Who is in each of `places`; nobody comes or goes there until this unit of work is committed."""
        ...

    async def who_hear_of_open_packages(
        self, framework: FrameworkKey, area: AreaCode, *, council: CouncilKey, spot: bool
    ) -> Sequence[ProviderId]:
        """Of a council's market, whoever has a system that listens and is not embargoed: the framework's providers
        of the area in any tier, and with `spot` those that serve the area outside frameworks.
        """
        ...

    async def reconsider_members_of(self, framework: FrameworkKey) -> None:
        """Has the eligibility of each member asked anew, each in a unit of work of its own."""
        ...


class Frameworks(Protocol):
    """Definitions and ranked lists, by version."""

    async def newest(self, frameworks: Iterable[FrameworkKey]) -> Definitions:
        """The newest definition of each framework that has one."""
        ...

    async def version(self, framework: FrameworkKey, version: int) -> FrameworkDefinition | None: ...

    async def add(self, definition: FrameworkDefinition) -> None: ...

    async def newest_list(self, place: Place) -> int:
        """The number of a place's newest ranked list, 0 while there is none."""
        ...

    async def ranked_list(self, place: Place, list_version: int) -> RankedListPublished | None: ...

    async def add_list(self, ranked: RankedListPublished) -> None: ...


class Endpoints(Protocol):
    """Where each provider's webhooks go; see `service_runtime.webhooks.endpoints`."""

    async def put(self, owner: str, url: str) -> str | None: ...
    async def get(self, owner: str) -> Endpoint | None: ...
    async def rotate_secret(self, owner: str, *, overlap: timedelta) -> str: ...
    async def disable(self, owner: str, *, because: str) -> bool: ...


class Mailboxes(Protocol):
    """Where offers to each provider are mailed; an address goes in and never comes out."""

    async def put(self, owner: str, address: str) -> None: ...
    async def is_there(self, owner: str) -> bool: ...
    async def remove(self, owner: str) -> None: ...


class SentOffers(Protocol):
    """What providers' systems have heard of."""

    async def was_heard_of(self, package_id: PackageId, offer_id: OfferId) -> bool:
        """Whether the offer's webhook was sent, or is being sent; it may have arrived even where no 2xx came back."""
        ...

    async def said(self, package_id: PackageId, offer_id: OfferId) -> OfferSaid | None:
        """What the offer's webhook says, sent or not; None for an offer that was not made by webhook."""
        ...


@dataclass(frozen=True)
class MailTerms:
    """What mails carry: links that answer for the provider, and how long these are good for."""

    links: OfferLinks
    link_valid_for: timedelta


@dataclass(frozen=True)
class DeliveryTerms:
    """How webhooks are sent: where they point to, and when they are given up, counted from the first attempt."""

    addresses: Addresses
    offer_given_up_after: timedelta
    news_given_up_after: timedelta
    secret_overlap: timedelta
    mail: MailTerms | None = None
    """None: there is no mail server, and no provider is reached by mail."""


class RegistryWork(UnitOfWork, Protocol):
    """The registry's unit of work."""

    @property
    def providers(self) -> Providers: ...
    @property
    def frameworks(self) -> Frameworks: ...
    @property
    def endpoints(self) -> Endpoints: ...
    @property
    def mailboxes(self) -> Mailboxes: ...
    @property
    def sent_offers(self) -> SentOffers: ...
    @property
    def delivery_terms(self) -> DeliveryTerms: ...


@dataclass(frozen=True)
class DeclaredCapacity:
    """Free commissioned hours a week in one area, when they were declared."""

    area: AreaCode
    free_hours: Decimal
    declared_at: datetime


@dataclass(frozen=True)
class EndpointSeen:
    """Where a provider's webhooks go, and why they do not, where that is so."""

    url: str
    disabled_because: str | None


@dataclass(frozen=True)
class ProviderSeen:
    """A provider with what stands around it."""

    provider: Provider
    definitions: Definitions
    capacity: tuple[DeclaredCapacity, ...]
    endpoint: EndpointSeen | None


@dataclass(frozen=True)
class PublishedDefinition:
    definition: FrameworkDefinition
    published_at: datetime


@dataclass(frozen=True)
class DeliverySeen:
    """One webhook as the delivery log shows it; `outcome` is None while it is being sent."""

    id: UUID
    kind: str
    about: str
    package_id: str | None
    """None where the webhook is about an advert: that must not be told whose it is."""
    queued_at: datetime
    outcome: Literal["delivered", "undeliverable", "cancelled"] | None
    failure: str | None
    decided_at: datetime | None
    attempts: tuple[Attempt, ...]


Position = tuple[datetime, UUID]
"""Where the page before ended: an instant, and the row that had it."""


class RegistryQueries(Protocol):
    """Questions that change nothing; each is about one council, and finds nothing of another one's."""

    async def provider(self, provider_id: ProviderId, *, council: CouncilKey) -> ProviderSeen | None: ...

    async def providers(self, council: CouncilKey, *, after: Position | None, limit: int) -> Sequence[Provider]:
        """The newest first."""
        ...

    async def frameworks(self, council: CouncilKey) -> Sequence[PublishedDefinition]:
        """The newest version of each framework."""
        ...

    async def definition(
        self, framework: FrameworkKey, version: int, *, council: CouncilKey
    ) -> PublishedDefinition | None: ...

    async def ranked_lists(
        self, place: Place, *, council: CouncilKey, limit: int
    ) -> Sequence[RankedListPublished] | None:
        """The newest first; None where the council has no such framework."""
        ...

    async def deliveries(
        self, provider_id: ProviderId, *, after: Position | None, limit: int
    ) -> Sequence[DeliverySeen]:
        """The newest first."""
        ...
