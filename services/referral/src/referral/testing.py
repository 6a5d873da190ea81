"""Builders and in-memory repositories for tests; every person, provider and council in them is invented."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from contracts.events.base import PackageEvent
from contracts.events.frameworks import FrameworkPublished
from contracts.framework import FrameworkDefinition
from contracts.ids import CouncilKey, PackageId, ProviderId, ReferralId
from contracts.testing import COLCHESTER, a_definition, a_visit, an_example_of, an_id, some_care
from contracts.values import ServiceType, Wishes
from referral.domain.intake import KnownPlace, ReferralRequest
from referral.domain.person import Address, Contact, Person, PersonKeys
from referral.domain.referral import Noted, Referral, Status
from referral.ports import DEFINITIONS, About, EndpointSeen, NewsTerms, ReferralListed, ReferralSeen
from service_runtime.testing.clocks import MONDAY_NINE
from service_runtime.testing.memory import InMemoryViews, InMemoryWork
from service_runtime.webhooks.endpoints import Endpoint, EndpointNotFound

COUNCIL: Final = CouncilKey("essex")
PACKAGE: Final = PackageId(an_id("package_id"))
KEYS: Final = PersonKeys(b"a secret that only tests have, of some length")
AN_NHS_NUMBER: Final = "999 000 0018"
"""Valid by its check digit, and from the range that is never issued."""
NEWS_TERMS: Final = NewsTerms(
    referral_url="https://referral.example",
    given_up_after=timedelta(hours=24),
    secret_overlap=timedelta(hours=24),
)
MONDAY_AFTER: Final = date(2026, 3, 9)


def a_person(**changed: Any) -> Person:  # any field of Person, as `replace` takes them
    """An invented woman of 85 in Colchester."""
    usual = Person(
        name="Test Person",
        date_of_birth=date(1940, 5, 17),
        address=Address(("1 Invented Street", "Colchester"), "CO1 1PJ"),
        nhs_number=AN_NHS_NUMBER,
        phone="01632 960001",
        contacts=(Contact("Test Daughter", "daughter", "01632 960002"),),
        communication_needs="speaks softly",
        notes="the key is with the neighbour",
    )
    return replace(usual, **changed)


def about(**changed: Any) -> About:  # any field of Person, as `replace` takes them
    return About(a_person(**changed), "OUR-REFERENCE-1")


def a_body(**changed: object) -> dict[str, Any]:  # JSON, as a council's system writes it
    """The same referral as `a_request`, as it is posted."""
    person = a_person()
    usual: dict[str, object] = {
        "reference": "OUR-REFERENCE-1",
        "person": {
            "name": person.name,
            "date_of_birth": person.date_of_birth.isoformat(),
            "nhs_number": person.nhs_number,
            "address": {"lines": list(person.address.lines), "postcode": person.address.postcode},
            "phone": person.phone,
            "contacts": [asdict(contact) for contact in person.contacts],
            "communication_needs": person.communication_needs,
            "notes": person.notes,
        },
        "service_type": "personal care",
        "visits": [{"days": ["MON", "TUE"], "earliest": "07:30", "latest": "09:00", "minutes": 30}],
        "starts_on": MONDAY_AFTER.isoformat(),
    }
    return {**usual, **changed}


def a_body_about(**changed: object) -> dict[str, Any]:  # JSON, as a council's system writes it
    """A referral of somebody of whom these fields differ."""
    return a_body(person={**a_body()["person"], **changed})


def in_colchester() -> KnownPlace:
    return KnownPlace("CO1", COLCHESTER)


def a_request(**changed: Any) -> ReferralRequest:  # any field of ReferralRequest, as `replace` takes them
    """Personal care every morning from Monday week, in Colchester."""
    usual = ReferralRequest(
        reference="OUR-REFERENCE-1",
        person=a_person(),
        place=in_colchester(),
        service_type=ServiceType.PERSONAL_CARE,
        visits=(a_visit(),),
        starts_on=MONDAY_AFTER,
    )
    return replace(usual, **changed)


def a_referral(**changed: Any) -> Referral:  # any field of Referral, as `replace` takes them
    usual = Referral(
        referral_id=ReferralId(an_id("referral_id")),
        package_id=PACKAGE,
        council=COUNCIL,
        care=some_care(starts_on=MONDAY_AFTER),
        wishes=Wishes(),
        requested_at=MONDAY_NINE,
    )
    return replace(usual, **changed)


def provider(name: str) -> ProviderId:
    """The id of an invented provider; the same name, the same id."""
    return ProviderId(an_id(name))


def said(event: type[PackageEvent], package_id: PackageId = PACKAGE, **fields: object) -> PackageEvent:
    """An example of what another service says about a package."""
    return an_example_of(event, package_id=package_id, **fields)


@dataclass
class Shelf:
    """What the repositories in memory keep."""

    referrals: dict[PackageId, Referral] = field(default_factory=dict[PackageId, Referral])
    abouts: dict[PackageId, About] = field(default_factory=dict[PackageId, About])
    person_keys: dict[PackageId, str] = field(default_factory=dict[PackageId, str])
    history: list[tuple[PackageId, Noted]] = field(default_factory=list[tuple[PackageId, Noted]])
    endpoints: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])


class InMemoryReferrals:
    """Referrals, people and histories on a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def get(self, package_id: PackageId) -> Referral | None:
        return self._shelf.referrals.get(package_id)

    async def add(self, referral: Referral, about: About, *, person_key: str) -> ReferralId | None:
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

    async def note(self, package_id: PackageId, line: Noted) -> None:
        self._shelf.history.append((package_id, line))

    async def about(self, package_id: PackageId) -> About | None:
        return self._shelf.abouts.get(package_id)


class InMemoryFrameworks:
    """The councils' frameworks, as views in memory hold them."""

    def __init__(self, views: InMemoryViews) -> None:
        self._views = views

    async def of(self, council: CouncilKey) -> Sequence[FrameworkDefinition]:
        known = await self._views.under(DEFINITIONS, "")
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

    async def referral(self, referral_id: ReferralId) -> ReferralSeen | None:
        for package_id, referral in self._shelf.referrals.items():
            if referral.referral_id == referral_id:
                history = [line for package, line in self._shelf.history if package == package_id]
                return ReferralSeen(referral, self._shelf.abouts.get(package_id), history)
        return None

    async def of_package(self, package_id: PackageId) -> Referral | None:
        return self._shelf.referrals.get(package_id)

    async def referrals_of(
        self, council: CouncilKey, *, status: Status | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ReferralListed]:
        newest = sorted(self._shelf.referrals.values(), key=_position, reverse=True)
        wanted = [
            each
            for each in newest
            if each.council == council and status in {None, each.status} and (after is None or _position(each) < after)
        ]
        return [self._listed(each) for each in wanted[:limit]]

    async def endpoint(self, council: CouncilKey) -> EndpointSeen | None:
        known = self._shelf.endpoints.get(council)
        return None if known is None else EndpointSeen(known.url, known.disabled_because)

    def _listed(self, referral: Referral) -> ReferralListed:
        known = self._shelf.abouts.get(referral.package_id)
        return ReferralListed(referral, None if known is None else known.reference)


def _position(referral: Referral) -> tuple[datetime, UUID]:
    return referral.requested_at, referral.referral_id


@dataclass
class InMemoryReferralWork(InMemoryWork):
    """Referral's unit of work in memory."""

    shelf: Shelf = field(default_factory=Shelf)
    news_terms: NewsTerms = NEWS_TERMS

    @property
    def referrals(self) -> InMemoryReferrals:
        return InMemoryReferrals(self.shelf)

    @property
    def frameworks(self) -> InMemoryFrameworks:
        return InMemoryFrameworks(self.views)

    @property
    def endpoints(self) -> InMemoryEndpoints:
        return InMemoryEndpoints(self.shelf, self.now)

    def hears_of(self, *definitions: FrameworkDefinition) -> "InMemoryReferralWork":
        """Takes in published frameworks; without any, one that has Colchester."""
        for definition in definitions or (a_definition(),):
            event = FrameworkPublished(definition=definition)
            self.views.hear(DEFINITIONS, event, sequence=definition.version)
        return self
