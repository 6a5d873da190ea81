"""Referral's unit of work and its queries in memory; they pass the same suite as those on PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from contracts.events.frameworks import FrameworkPublished
from contracts.examples import a_definition
from contracts.framework import FrameworkDefinition
from contracts.ids import CouncilKey, PackageId, ReferralId
from referral.domain.referral import HistoryEntry, Referral, Status
from referral.ports import (
    DEFINITIONS,
    EndpointState,
    NotificationTerms,
    PersonDetails,
    ReferralDetails,
    ReferralSummary,
)
from service_runtime.webhooks.endpoints import Endpoint, EndpointNotFound
from testkit.fake_unit_of_work import InMemoryProjections, InMemoryUnitOfWork
from testkit.referral.builders import NEWS_TERMS


@dataclass
class Shelf:
    """What the repositories in memory keep."""

    referrals: dict[PackageId, Referral] = field(default_factory=dict[PackageId, Referral])
    abouts: dict[PackageId, PersonDetails] = field(default_factory=dict[PackageId, PersonDetails])
    person_keys: dict[PackageId, str] = field(default_factory=dict[PackageId, str])
    history: list[tuple[PackageId, HistoryEntry]] = field(default_factory=list[tuple[PackageId, HistoryEntry]])
    endpoints: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])


class InMemoryReferrals:
    """Referrals, people and histories on a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def get(self, package_id: PackageId) -> Referral | None:
        return self._shelf.referrals.get(package_id)

    async def add(self, referral: Referral, about: PersonDetails, *, person_key: str) -> ReferralId | None:
        in_the_way = self._open_one(referral, person_key)
        if referral.despite_open_referral is None and in_the_way is not None:
            return in_the_way.referral_id
        self._shelf.referrals[referral.package_id] = referral
        self._shelf.abouts[referral.package_id] = about
        self._shelf.person_keys[referral.package_id] = person_key
        return None

    def _open_one(self, referral: Referral, person_key: str) -> Referral | None:
        alike = (
            each
            for each in self._shelf.referrals.values()
            if each.is_open
            and each.council == referral.council
            and each.care.service_type is referral.care.service_type
            and self._shelf.person_keys[each.package_id] == person_key
        )
        return min(alike, key=lambda each: (each.requested_at, each.referral_id), default=None)

    async def save(self, referral: Referral) -> None:
        self._shelf.referrals[referral.package_id] = referral

    async def add_history_entry(self, package_id: PackageId, line: HistoryEntry) -> None:
        self._shelf.history.append((package_id, line))

    async def get_about(self, package_id: PackageId) -> PersonDetails | None:
        return self._shelf.abouts.get(package_id)


class InMemoryFrameworks:
    """The councils' frameworks, as views in memory hold them."""

    def __init__(self, views: InMemoryProjections) -> None:
        self._views = views

    async def list_by_council(self, council: CouncilKey) -> Sequence[FrameworkDefinition]:
        known = await self._views.get_by_prefix(DEFINITIONS, "")
        return [each.event.definition for each in known if each.event.definition.council == council]


class InMemoryEndpoints:
    """Endpoints on a shelf; their secrets are made up and kept by nobody."""

    def __init__(self, shelf: Shelf, now: datetime) -> None:
        self._shelf = shelf
        self._now = now

    async def put(self, owner: str, url: str) -> str | None:
        known = self._shelf.endpoints.get(owner)
        until = known.previous_secret_until if known is not None else None
        self._shelf.endpoints[owner] = Endpoint(owner, url, None, until, self._now)
        return None if known is not None else "whsec_invented"

    async def get(self, owner: str) -> Endpoint | None:
        return self._shelf.endpoints.get(owner)

    async def rotate_secret(self, owner: str, *, overlap: timedelta) -> str:
        if owner not in self._shelf.endpoints:
            message = "there is no webhook endpoint; register one first"
            raise EndpointNotFound(message)
        until = self._now + overlap
        self._shelf.endpoints[owner] = replace(self._shelf.endpoints[owner], previous_secret_until=until)
        return "whsec_rotated"

    async def disable(self, owner: str, *, because: str) -> bool:
        known = self._shelf.endpoints.get(owner)
        if known is None or known.disabled_because is not None:
            return False
        self._shelf.endpoints[owner] = replace(known, disabled_because=because)
        return True


class InMemoryReferralQueries:
    """Questions about what is on the shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def find_referral(self, referral_id: ReferralId) -> ReferralDetails | None:
        for package_id, referral in self._shelf.referrals.items():
            if referral.referral_id == referral_id:
                history = [line for package, line in self._shelf.history if package == package_id]
                return ReferralDetails(referral, self._shelf.abouts.get(package_id), history)
        return None

    async def find_by_package(self, package_id: PackageId) -> Referral | None:
        return self._shelf.referrals.get(package_id)

    async def list_referrals(
        self, council: CouncilKey, *, status: Status | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ReferralSummary]:
        newest = sorted(self._shelf.referrals.values(), key=_get_position, reverse=True)
        wanted = [
            each
            for each in newest
            if each.council == council
            and status in {None, each.status}
            and (after is None or _get_position(each) < after)
        ]
        return [self._listed(each) for each in wanted[:limit]]

    async def find_endpoint(self, council: CouncilKey) -> EndpointState | None:
        known = self._shelf.endpoints.get(council)
        return None if known is None else EndpointState(known.url, known.disabled_because)

    def _listed(self, referral: Referral) -> ReferralSummary:
        known = self._shelf.abouts.get(referral.package_id)
        return ReferralSummary(referral, None if known is None else known.reference)


def _get_position(referral: Referral) -> tuple[datetime, UUID]:
    return referral.requested_at, referral.referral_id


@dataclass
class InMemoryReferralWork(InMemoryUnitOfWork):
    """Referral's unit of work in memory."""

    shelf: Shelf = field(default_factory=Shelf)
    notification_terms: NotificationTerms = NEWS_TERMS

    @property
    def referrals(self) -> InMemoryReferrals:
        return InMemoryReferrals(self.shelf)

    @property
    def frameworks(self) -> InMemoryFrameworks:
        return InMemoryFrameworks(self.projections)

    @property
    def endpoints(self) -> InMemoryEndpoints:
        return InMemoryEndpoints(self.shelf, self.now)

    def add_definitions(self, *definitions: FrameworkDefinition) -> "InMemoryReferralWork":
        """Takes in published frameworks; without any, one that has Colchester."""
        for definition in definitions or (a_definition(),):
            event = FrameworkPublished(definition=definition)
            self.projections.hear(DEFINITIONS, event, sequence=definition.version)
        return self
