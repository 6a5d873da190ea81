"""What referral's handlers and routes call: the unit of work, the postcode directory, and questions about referrals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from contracts.events.frameworks import FrameworkPublished
from contracts.framework import FrameworkDefinition
from contracts.ids import CouncilKey, PackageId, ReferralId
from referral.domain.intake import PlaceFound
from referral.domain.person import Person
from referral.domain.referral import HistoryEntry, Referral, Status
from service_runtime.projections.projections import Projection
from service_runtime.unit_of_work.unit_of_work import UnitOfWork
from service_runtime.webhooks.endpoints import Endpoint

DEFINITIONS: Final = Projection("definitions", (FrameworkPublished,), lambda event: event.key)
DISABLED_BY_COUNCIL: Final = "disabled by the council"


@dataclass(frozen=True)
class PersonDetails:
    """What is kept apart from a referral because it tells whom it is about: erased, the referral stays."""

    person: Person
    reference: str


class Referrals(Protocol):
    """Referrals by package, and the people they are about."""

    async def get(self, package_id: PackageId) -> Referral | None:
        """The package's referral; None for a package that did not begin here."""
        ...

    async def add(self, referral: Referral, about: PersonDetails, *, person_key: str) -> ReferralId | None:
        """Keeps a new referral; or keeps nothing and returns the one that is open for this person and service.

        One that was asked for despite an open one is always kept.
        """
        ...

    async def save(self, referral: Referral) -> None:
        """Keeps where the referral stands now."""
        ...

    async def add_history_entry(self, package_id: PackageId, line: HistoryEntry) -> None:
        """Adds to the history."""
        ...

    async def get_about(self, package_id: PackageId) -> PersonDetails | None:
        """Who the package is for; None once that was erased."""
        ...


class Frameworks(Protocol):
    """What has been published of the councils' frameworks."""

    async def list_by_council(self, council: CouncilKey) -> Sequence[FrameworkDefinition]:
        """The newest version of each of the council's frameworks."""
        ...


class Endpoints(Protocol):
    """Where each council's webhooks go; see `service_runtime.webhooks.endpoints`."""

    async def put(self, owner: str, url: str) -> str | None: ...
    async def get(self, owner: str) -> Endpoint | None: ...
    async def rotate_secret(self, owner: str, *, overlap: timedelta) -> str: ...
    async def disable(self, owner: str, *, because: str) -> bool: ...


@dataclass(frozen=True)
class NotificationTerms:
    """How news is sent: where it points to, and when it is given up, counted from the first attempt."""

    referral_url: str
    notification_delivery_timeout: timedelta
    secret_overlap: timedelta


class ReferralWork(UnitOfWork, Protocol):
    """Referral's unit of work."""

    @property
    def referrals(self) -> Referrals: ...
    @property
    def frameworks(self) -> Frameworks: ...
    @property
    def endpoints(self) -> Endpoints: ...
    @property
    def notification_terms(self) -> NotificationTerms: ...


class Postcodes(Protocol):
    """Where a postcode is; takes microseconds and no I/O."""

    def locate(self, postcode: str) -> PlaceFound: ...


@dataclass(frozen=True)
class ReferralDetails:
    """A referral with everything that its own council may see of it; `about` is None once erased."""

    referral: Referral
    about: PersonDetails | None
    history: Sequence[HistoryEntry]


@dataclass(frozen=True)
class ReferralSummary:
    """A referral as one line of a list: nobody can be recognised by it."""

    referral: Referral
    reference: str | None


@dataclass(frozen=True)
class EndpointState:
    """Where a council's webhooks go, and why they do not, where that is so."""

    url: str
    disabled_because: str | None


class ReferralQueries(Protocol):
    """Questions that change nothing."""

    async def find_referral(self, referral_id: ReferralId) -> ReferralDetails | None: ...

    async def find_by_package(self, package_id: PackageId) -> Referral | None: ...

    async def list_referrals(
        self, council: CouncilKey, *, status: Status | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ReferralSummary]:
        """A council's referrals, the newest first."""
        ...

    async def find_endpoint(self, council: CouncilKey) -> EndpointState | None: ...
