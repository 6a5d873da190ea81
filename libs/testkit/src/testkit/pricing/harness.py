"""Test harness of pricing: publishes other services' events, sends HTTP requests and reads results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from pydantic import TypeAdapter

from contracts.catalogue import BY_TYPE, PACKAGES, RATES, decode
from contracts.events.base import Event
from contracts.events.frameworks import FrameworkPublished
from contracts.events.listings import AwardAwaitsApproval, PackageListed
from contracts.events.rates import RatesSelected
from contracts.events.searches import PackagePlaced
from contracts.examples import COLCHESTER, an_example_of
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AwardId, CouncilKey, FrameworkKey, PackageId, PlacementId, ProviderId
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.postgres.database import Database
from testkit.chain_checker import remove_repeats
from testkit.clocks import MovableClock
from testkit.databases import fetch_number, fetch_rows
from testkit.http_response import HttpResponse
from testkit.pricing.builders import a_matrix, a_placement, an_award
from testkit.running_services import EventPublisher, RunningService
from testkit.topics import TopicRecord, read_topic
from testkit.waiting import wait_until

TIMEOUT_SECONDS: Final = 30.0
ADMIN: Final = "pricing:admin"
OPERATE: Final = "sourcing:operate"
ANSWER: Final = "offers:answer"
_PUBLISHED: Final = "SELECT type FROM journal WHERE topic = :topic AND key = :key ORDER BY version"
_NAMES: Final = TypeAdapter(list[str])


@dataclass
class PricingHarness:
    """A running pricing service, event publishers of two services, and a council whose providers select rates."""

    pricing: RunningService
    sourcing: EventPublisher
    registry: EventPublisher
    clock: MovableClock
    council: CouncilKey
    kafka: KafkaConnection
    framework: FrameworkKey = field(init=False)

    def __post_init__(self) -> None:
        self.framework = FrameworkKey(f"framework-of-{self.council}")

    @property
    def database(self) -> Database:
        return self.pricing.service.database

    @property
    def today(self) -> date:
        """In London, in winter."""
        return self.clock.now().date()

    # --- events of other services

    async def publish_matrix(self, *, version: int = 1, **changed: object) -> None:
        """Publishes a framework version as the registry and waits until pricing has stored it."""
        await self.publish_definition(
            a_matrix(framework=self.framework, council=self.council, version=version, **changed)
        )

    async def publish_definition(self, definition: FrameworkDefinition) -> None:
        await self.registry.publish(FrameworkPublished(definition=definition), at=self.clock.now())
        key = f"{definition.framework}/{definition.version}"
        query = "SELECT count(*) FROM projections WHERE key = :key"
        await wait_until(lambda: fetch_number(self.database, query, key=key), within=30)

    async def publish(self, *events: Event) -> None:
        """Publishes events as sourcing, in order."""
        await self.sourcing.publish(*events, at=self.clock.now())

    async def place_package(self, package_id: PackageId | None = None, **changed: object) -> PackagePlaced:
        """Publishes a placement as sourcing, without waiting for pricing."""
        placed = a_placement(
            package_id=package_id or uuid4(),
            placement_id=PlacementId(uuid4()),
            framework=self.framework,
            **changed,
        )
        await self.publish(placed)
        return placed

    async def wait_for_orders(self, *placements: PackagePlaced) -> None:
        """Waits until each of these placements has its order."""
        placement_ids = [each.placement_id for each in placements]
        count = "SELECT count(*) FROM purchase_orders WHERE placement_id = ANY(:placements)"

        async def is_complete() -> bool:
            return await fetch_number(self.database, count, placements=placement_ids) == len(placement_ids)

        await wait_until(is_complete, within=TIMEOUT_SECONDS)

    async def publish_awards(self, count: int = 1, **changed: object) -> list[AwardAwaitsApproval]:
        """Publishes awards above the ceiling, each for its own listed package, and waits until they are stored."""
        awards = [an_award(package_id=uuid4(), award_id=AwardId(uuid4()), **changed) for _ in range(count)]
        for each in awards:
            listed = an_example_of(PackageListed, package_id=each.package_id, framework=self.framework)
            await self.publish(listed, each)
        waiting = "SELECT count(*) FROM spot_prices WHERE award_id = ANY(:awards)"

        async def is_complete() -> bool:
            return await fetch_number(self.database, waiting, awards=[each.award_id for each in awards]) == count

        await wait_until(is_complete, within=TIMEOUT_SECONDS)
        return awards

    # --- HTTP requests

    async def request_as_officer(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        name: str = "second",
        scopes: Sequence[str] = (ADMIN,),
        key: str | None = None,
        council: str | None = None,
    ) -> HttpResponse:
        """Sends a request as an officer of the council."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.pricing.request(
            method, path, *scopes, body=body, headers=headers, subject=name, council=council or self.council
        )

    async def request_as_provider(
        self,
        who: ProviderId,
        method: str,
        path: str,
        body: object = None,
        *,
        scopes: Sequence[str] = (ANSWER,),
        key: str | None = None,
        council: str | None = None,
    ) -> HttpResponse:
        """Sends a request as a provider's system."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.pricing.request(
            method,
            path,
            *scopes,
            body=body,
            headers=headers,
            subject=f"system-{who}",
            council=council or self.council,
            provider_id=str(who),
        )

    def build_rates_path(self, who: UUID, *, framework: str | None = None, area: str = COLCHESTER) -> str:
        return f"/v1/providers/{who}/rates/{framework or self.framework}/{area}"

    # --- results

    async def list_published_types(self, package_id: PackageId) -> list[str]:
        """Returns the types of the events that pricing published for a package, in order."""
        found = await fetch_rows(self.database, _PUBLISHED, topic=PACKAGES, key=str(package_id))
        return [each.type.split(".")[1] for each in found]

    async def wait_for_published_types(self, package_id: PackageId, *what: str) -> None:
        """Waits until exactly these event types are published for a package."""

        async def is_complete() -> bool:
            return await self.list_published_types(package_id) == list(what)

        await wait_until(is_complete, within=TIMEOUT_SECONDS)

    async def read_selections(self, who: ProviderId) -> list[RatesSelected]:
        """Reads the events about a provider's selections from Kafka."""
        return [decode(RatesSelected, each.value) for each in await self._read_topic(RATES, {str(who)})]

    async def read_own_events(self, package_id: PackageId) -> list[Event]:
        """Reads the events about a package that this service instance published to Kafka."""
        source = f"/calloff/{self.pricing.service.name}"
        records = remove_repeats(await self.read_events([package_id]))
        own = [each for each in records if each.get_header("ce_source") == source]
        return [decode(BY_TYPE[each.get_header("ce_type")].event, each.value) for each in own]

    async def read_events(self, packages: Iterable[PackageId]) -> list[TopicRecord]:
        return await self._read_topic(PACKAGES, {str(each) for each in packages})

    async def _read_topic(self, topic: str, keys: set[str]) -> list[TopicRecord]:
        async def is_relayed() -> bool:
            return not await fetch_rows(self.database, "SELECT 1 FROM outbox LIMIT 1")

        await wait_until(is_relayed, within=TIMEOUT_SECONDS)
        return await read_topic(self.kafka, topic, keys=keys)

    async def list_parked_keys(self) -> list[str]:
        found = await fetch_rows(self.database, "SELECT key FROM streams WHERE parked_because IS NOT NULL")
        return _NAMES.validate_python([each.key for each in found])


def a_body(valid_from: date, *numbers: int) -> dict[str, object]:
    """Builds the request body of a selection: rates for personal care, then night sleep."""
    types = ("personal-care", "night-sleep")
    rates = [{"service_type": each, "number": number} for each, number in zip(types, numbers or (1,), strict=False)]
    return {"valid_from": valid_from.isoformat(), "rates": rates}
