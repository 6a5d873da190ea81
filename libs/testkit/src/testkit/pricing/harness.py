"""A running pricing service, and a test that plays the rest of the house: it speaks, and asks over HTTP."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from pydantic import TypeAdapter

from contracts.catalogue import BY_TYPE, PACKAGES, RATES, decode
from contracts.events.base import Event
from contracts.events.frameworks import FrameworkPublished
from contracts.events.listings import AwardAwaitsApproval
from contracts.events.packages import PackagePlaced
from contracts.events.rates import RatesSelected
from contracts.ids import AwardId, CouncilKey, FrameworkKey, PackageId, PlacementId, ProviderId
from service_runtime.postgres.database import Database
from testkit.chain_checker import first_occurrences
from testkit.clocks import MovableClock
from testkit.contract_examples import COLCHESTER
from testkit.databases import number, rows
from testkit.pricing.builders import a_matrix, a_placement, an_award
from testkit.running_services import Reply, RunningService, Voice
from testkit.topics import Kept, everything_in
from testkit.waiting import until

PATIENCE: Final = 30.0
ADMIN: Final = "pricing:admin"
OPERATE: Final = "sourcing:operate"
ANSWER: Final = "offers:answer"
_PUBLISHED: Final = "SELECT type FROM journal WHERE topic = :topic AND key = :key ORDER BY version"
_NAMES: Final = TypeAdapter(list[str])


@dataclass
class House:
    """Pricing, sourcing's and the registry's voices, and one council with a framework whose providers select."""

    pricing: RunningService
    sourcing: Voice
    registry: Voice
    clock: MovableClock
    council: CouncilKey
    bootstrap: str
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

    # --- what others say

    async def publishes_matrix(self, *, version: int = 1, **changed: object) -> None:
        """The registry publishes a version of the council's framework; returns when pricing has heard of it."""
        definition = a_matrix(framework=self.framework, council=self.council, version=version, **changed)
        await self.registry.says(FrameworkPublished(definition=definition), at=self.clock.now())
        key = f"{definition.framework}/{version}"
        await until(lambda: number(self.database, "SELECT count(*) FROM views WHERE key = :key", key=key), within=30)

    async def says(self, *events: Event) -> None:
        """Sourcing says it, in its order."""
        await self.sourcing.says(*events, at=self.clock.now())

    async def places(self, package_id: PackageId | None = None, **changed: object) -> PackagePlaced:
        """Sourcing places a package, without a wait for what pricing makes of it."""
        placed = a_placement(
            package_id=package_id or uuid4(),
            placement_id=PlacementId(uuid4()),
            framework=self.framework,
            **changed,
        )
        await self.says(placed)
        return placed

    async def orders(self, *placements: PackagePlaced) -> None:
        """Returns when each of these placements has its order."""
        wanted = [each.placement_id for each in placements]
        count = "SELECT count(*) FROM purchase_orders WHERE placement_id = ANY(:wanted)"

        async def all_there() -> bool:
            return await number(self.database, count, wanted=wanted) == len(wanted)

        await until(all_there, within=PATIENCE)

    async def awards(self, count: int = 1, **changed: object) -> list[AwardAwaitsApproval]:
        """Awards above the ceiling, each of a package of its own; returns when pricing has heard of them."""
        awards = [an_award(package_id=uuid4(), award_id=AwardId(uuid4()), **changed) for _ in range(count)]
        await self.says(*awards)
        waiting = "SELECT count(*) FROM spot_prices WHERE award_id = ANY(:awards)"

        async def all_there() -> bool:
            return await number(self.database, waiting, awards=[each.award_id for each in awards]) == count

        await until(all_there, within=PATIENCE)
        return awards

    # --- who asks

    async def officer(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        name: str = "second",
        scopes: Sequence[str] = (ADMIN,),
        key: str | None = None,
        council: str | None = None,
    ) -> Reply:
        """One of the council's officers asks."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.pricing.ask(
            method, path, *scopes, body=body, headers=headers, subject=name, council=council or self.council
        )

    async def provider(
        self,
        who: ProviderId,
        method: str,
        path: str,
        body: object = None,
        *,
        scopes: Sequence[str] = (ANSWER,),
        key: str | None = None,
        council: str | None = None,
    ) -> Reply:
        """A provider's system asks."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.pricing.ask(
            method,
            path,
            *scopes,
            body=body,
            headers=headers,
            subject=f"system-{who}",
            council=council or self.council,
            provider_id=str(who),
        )

    def rates_path(self, who: UUID, *, framework: str | None = None, area: str = COLCHESTER) -> str:
        return f"/v1/providers/{who}/rates/{framework or self.framework}/{area}"

    # --- what is there afterwards

    async def happened(self, package_id: PackageId) -> list[str]:
        """What pricing has published of a package, in its order: `PurchaseOrderIssued`."""
        found = await rows(self.database, _PUBLISHED, topic=PACKAGES, key=str(package_id))
        return [each.type.split(".")[1] for each in found]

    async def until_happened(self, package_id: PackageId, *what: str) -> None:
        """Returns when exactly this was published of a package."""

        async def is_so() -> bool:
            return await self.happened(package_id) == list(what)

        await until(is_so, within=PATIENCE)

    async def selected_on_kafka(self, who: ProviderId) -> list[RatesSelected]:
        """What Kafka holds of a provider's selections."""
        return [decode(RatesSelected, each.value) for each in await self._on_kafka(RATES, {str(who)})]

    async def told(self, package_id: PackageId) -> list[Event]:
        """What this very service says of a package on Kafka; others of its kind may speak of it there, too."""
        source = f"/calloff/{self.pricing.service.name}"
        kept = first_occurrences(await self.on_kafka([package_id]))
        own = [each for each in kept if each.header("ce_source") == source]
        return [decode(BY_TYPE[each.header("ce_type")].event, each.value) for each in own]

    async def on_kafka(self, packages: Iterable[PackageId]) -> list[Kept]:
        return await self._on_kafka(PACKAGES, {str(each) for each in packages})

    async def _on_kafka(self, topic: str, keys: set[str]) -> list[Kept]:
        async def is_relayed() -> bool:
            return not await rows(self.database, "SELECT 1 FROM outbox LIMIT 1")

        await until(is_relayed, within=PATIENCE)
        return await everything_in(self.bootstrap, topic, keys=keys)

    async def parked(self) -> list[str]:
        found = await rows(self.database, "SELECT key FROM streams WHERE parked_because IS NOT NULL")
        return _NAMES.validate_python([each.key for each in found])


def a_body(valid_from: date, *numbers: int) -> dict[str, object]:
    """Rates as a provider's system sends them: for personal care, and then for night sleep."""
    types = ("personal care", "night sleep")
    rates = [{"service_type": each, "number": number} for each, number in zip(types, numbers or (1,), strict=False)]
    return {"valid_from": valid_from.isoformat(), "rates": rates}


def named_fields(reply: Reply) -> list[str]:
    """The fields that a refusal names."""
    return [error["pointer"] for error in reply.body["errors"]]
