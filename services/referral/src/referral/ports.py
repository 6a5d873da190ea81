"""Protocols of referral's handlers and routes: the unit of work, the postcode directory, and the queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from contracts.events.frameworks import FrameworkPublished
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import CouncilKey, PackageId, ReferralId
from referral.domain.earlier_package import EarlierPackage
from referral.domain.person import Person
from referral.domain.referral import HistoryEntry, Referral, Status
from referral.domain.request import PostcodeResult
from service_runtime.projections.projections import Projection
from service_runtime.webhooks.endpoint_commands import EndpointRepository, EndpointWork
from service_runtime.webhooks.endpoint_health import HealthWork
from service_runtime.webhooks.endpoint_queries import EndpointState
from service_runtime.webhooks.kept_messages import KeptMessage

DEFINITION_VERSIONS: Final = Projection(
    "definition-versions", (FrameworkPublished,), lambda event: f"{event.key}/{event.definition.version}"
)
"""Every version, because one that is published today may be in force from a later day on."""
COUNCILS: Final = "councils"
"""Topic of the streams that serialise a council's commands; no event is published on it."""
DISABLED_BY_COUNCIL: Final = "disabled by the council"


@dataclass(frozen=True)
class PersonDetails:
    """The part of a referral that identifies the person. It is stored separately and can be erased."""

    person: Person
    reference: str


class Referrals(Protocol):
    """The repository of referrals, their persons and their histories."""

    async def get(self, package_id: PackageId) -> Referral | None:
        """Returns None for a package that has no referral here."""
        ...

    async def add(self, referral: Referral, person_details: PersonDetails, *, person_key: str) -> ReferralId | None:
        """Adds a new referral; or adds nothing and returns the open referral for this person and service.

        A referral with `despite_open_referral` is always added.
        """
        ...

    async def save(self, referral: Referral) -> None:
        """Updates the referral's status, provider and withdrawal reason."""
        ...

    async def add_history_entry(self, package_id: PackageId, entry: HistoryEntry) -> None: ...

    async def find_earlier_package(
        self, package_id: PackageId, *, council: CouncilKey, person_key: str
    ) -> EarlierPackage | None:
        """Returns the council's package as one that a new referral about this person can follow.

        None for a package that is not known here, or another council's.
        """
        ...

    async def get_person_details(self, package_id: PackageId) -> PersonDetails | None:
        """Returns None after the person was erased."""
        ...


class Frameworks(Protocol):
    """The framework definitions that councils have published."""

    async def list_by_council(self, council: CouncilKey) -> Sequence[FrameworkDefinition]:
        """Returns every published version of the council's frameworks."""
        ...


@dataclass(frozen=True)
class NotificationTerms:
    """Settings of notifications: base URL of their links, and timeout counted from the first attempt."""

    referral_url: str
    notification_delivery_timeout: timedelta


class ReferralWork(HealthWork, EndpointWork, Protocol):
    """Referral's unit of work; the owner of an endpoint is a council."""

    @property
    def referrals(self) -> Referrals: ...
    @property
    def frameworks(self) -> Frameworks: ...
    @property
    def notification_terms(self) -> NotificationTerms: ...
    @property
    def endpoints(self) -> EndpointRepository: ...


class PostcodeLocator(Protocol):
    """Finds the district of a postcode; takes microseconds and no I/O."""

    def locate(self, postcode: str) -> PostcodeResult: ...


@dataclass(frozen=True)
class ReferralDetails:
    """A referral as its own council sees it; `person_details` is None after the person was erased."""

    referral: Referral
    person_details: PersonDetails | None
    history: Sequence[HistoryEntry]


@dataclass(frozen=True)
class ReferralSummary:
    """A referral as one item of a list; it does not identify the person."""

    referral: Referral
    reference: str | None


class ReferralQueries(Protocol):
    """Read-only queries."""

    async def find_referral(self, referral_id: ReferralId) -> ReferralDetails | None: ...

    async def find_by_package(self, package_id: PackageId) -> Referral | None: ...

    async def list_referrals(
        self, council: CouncilKey, *, status: Status | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ReferralSummary]:
        """Returns a council's referrals, newest first, optionally those with one status."""
        ...

    async def find_endpoint(self, council: CouncilKey) -> EndpointState | None: ...

    async def list_kept_messages(
        self, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[KeptMessage]:
        """Returns webhooks that did not arrive and are not acknowledged, the oldest first."""
        ...
