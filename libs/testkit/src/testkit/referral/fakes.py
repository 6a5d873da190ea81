"""Referral's unit of work and queries in memory. They pass the same test suite as those on PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from contracts.events.frameworks import FrameworkPublished
from contracts.examples import a_definition
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import CouncilKey, PackageId, ReferralId
from referral.domain.earlier_package import EarlierPackage
from referral.domain.referral import HistoryEntry, Referral, Status
from referral.ports import (
    COUNCILS,
    DEFINITION_VERSIONS,
    NotificationTerms,
    PersonDetails,
    ReferralDetails,
    ReferralSummary,
)
from service_runtime.webhooks.endpoint_health import EndpointHealth, FailureTerms
from service_runtime.webhooks.endpoint_queries import EndpointState
from service_runtime.webhooks.endpoints import Endpoint
from service_runtime.webhooks.kept_messages import KeptMessage
from testkit.fake_endpoints import InMemoryEndpointHealth, InMemoryEndpoints
from testkit.fake_unit_of_work import InMemoryProjections, InMemoryUnitOfWork
from testkit.referral.builders import NOTIFICATION_TERMS


@dataclass
class ReferralTables:
    """The rows of the in-memory repositories, shared by all units of work of a test."""

    referrals: dict[PackageId, Referral] = field(default_factory=dict[PackageId, Referral])
    person_details: dict[PackageId, PersonDetails] = field(default_factory=dict[PackageId, PersonDetails])
    person_keys: dict[PackageId, str] = field(default_factory=dict[PackageId, str])
    history: list[tuple[PackageId, HistoryEntry]] = field(default_factory=list[tuple[PackageId, HistoryEntry]])
    endpoints: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    endpoint_health: dict[str, EndpointHealth] = field(default_factory=dict[str, EndpointHealth])


class InMemoryReferrals:
    """The in-memory repository of referrals, people and histories."""

    def __init__(self, shelf: ReferralTables) -> None:
        self._tables = shelf

    async def get(self, package_id: PackageId) -> Referral | None:
        return self._tables.referrals.get(package_id)

    async def add(self, referral: Referral, person_details: PersonDetails, *, person_key: str) -> ReferralId | None:
        existing = self._find_open_referral(referral, person_key)
        if referral.despite_open_referral is None and existing is not None:
            return existing.referral_id
        self._tables.referrals[referral.package_id] = referral
        self._tables.person_details[referral.package_id] = person_details
        self._tables.person_keys[referral.package_id] = person_key
        return None

    def _find_open_referral(self, referral: Referral, person_key: str) -> Referral | None:
        alike = (
            each
            for each in self._tables.referrals.values()
            if each.is_open
            and each.council == referral.council
            and each.care.service_type == referral.care.service_type
            and self._tables.person_keys[each.package_id] == person_key
        )
        return min(alike, key=lambda each: (each.requested_at, each.referral_id), default=None)

    async def save(self, referral: Referral) -> None:
        self._tables.referrals[referral.package_id] = referral

    async def add_history_entry(self, package_id: PackageId, entry: HistoryEntry) -> None:
        self._tables.history.append((package_id, entry))

    async def find_earlier_package(
        self, package_id: PackageId, *, council: CouncilKey, person_key: str
    ) -> EarlierPackage | None:
        referral = self._tables.referrals.get(package_id)
        if referral is None or referral.council != council:
            return None
        return EarlierPackage(
            package_id=package_id,
            lot=referral.care.lot,
            is_of_same_person=self._tables.person_keys.get(package_id) == person_key,
            provider_id=referral.placed_with if referral.status is Status.PLACED else None,
        )

    async def get_person_details(self, package_id: PackageId) -> PersonDetails | None:
        return self._tables.person_details.get(package_id)


class InMemoryFrameworks:
    """The councils' frameworks, read from in-memory projections."""

    def __init__(self, projections: InMemoryProjections) -> None:
        self._projections = projections

    async def list_by_council(self, council: CouncilKey) -> Sequence[FrameworkDefinition]:
        known = await self._projections.get_by_prefix(DEFINITION_VERSIONS, "")
        return [each.event.definition for each in known if each.event.definition.council == council]


class InMemoryReferralQueries:
    """Queries over the in-memory rows."""

    def __init__(self, shelf: ReferralTables) -> None:
        self._tables = shelf

    async def find_referral(self, referral_id: ReferralId) -> ReferralDetails | None:
        for package_id, referral in self._tables.referrals.items():
            if referral.referral_id == referral_id:
                history = [line for package, line in self._tables.history if package == package_id]
                return ReferralDetails(referral, self._tables.person_details.get(package_id), history)
        return None

    async def find_by_package(self, package_id: PackageId) -> Referral | None:
        return self._tables.referrals.get(package_id)

    async def list_referrals(
        self, council: CouncilKey, *, status: Status | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ReferralSummary]:
        newest = sorted(self._tables.referrals.values(), key=_get_position, reverse=True)
        found = [
            each
            for each in newest
            if each.council == council
            and status in {None, each.status}
            and (after is None or _get_position(each) < after)
        ]
        return [self._summarize(each) for each in found[:limit]]

    async def find_endpoint(self, council: CouncilKey) -> EndpointState | None:
        known = self._tables.endpoints.get(council)
        return None if known is None else EndpointState(known.url, known.disabled_because)

    def _summarize(self, referral: Referral) -> ReferralSummary:
        known = self._tables.person_details.get(referral.package_id)
        return ReferralSummary(referral, None if known is None else known.reference)

    async def list_kept_messages(
        self,
        council: CouncilKey,  # noqa: ARG002  the Protocol names them
        *,
        after: tuple[datetime, UUID] | None,  # noqa: ARG002
        limit: int,  # noqa: ARG002
    ) -> Sequence[KeptMessage]:
        """Returns nothing: no webhook is sent from memory."""
        return ()


def _get_position(referral: Referral) -> tuple[datetime, UUID]:
    return referral.requested_at, referral.referral_id


@dataclass
class InMemoryReferralWork(InMemoryUnitOfWork):
    """Referral's unit of work in memory."""

    tables: ReferralTables = field(default_factory=ReferralTables)
    secret_overlap: timedelta = timedelta(hours=24)
    failure_terms: FailureTerms = field(default_factory=lambda: FailureTerms(COUNCILS))
    notification_terms: NotificationTerms = NOTIFICATION_TERMS

    @property
    def referrals(self) -> InMemoryReferrals:
        return InMemoryReferrals(self.tables)

    @property
    def frameworks(self) -> InMemoryFrameworks:
        return InMemoryFrameworks(self.projections)

    @property
    def endpoints(self) -> InMemoryEndpoints:
        return InMemoryEndpoints(self.tables.endpoints, self.now)

    @property
    def endpoint_health(self) -> InMemoryEndpointHealth:
        return InMemoryEndpointHealth(self.tables.endpoint_health, self.now)

    def add_definitions(self, *definitions: FrameworkDefinition) -> "InMemoryReferralWork":
        """Applies published frameworks to the projections; by default one framework with the area Colchester."""
        for definition in definitions or (a_definition(),):
            event = FrameworkPublished(definition=definition)
            self.projections.apply(DEFINITION_VERSIONS, event, sequence=definition.version)
        return self
