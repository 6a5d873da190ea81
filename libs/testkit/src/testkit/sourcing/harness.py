"""A harness for tests: sourcing runs in it on real PostgreSQL and Kafka, and the test plays everybody else.

What is read back is read as a stranger reads it, from the answers. Who lives around the harness is in `market`.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from contracts.catalogue import PACKAGES
from contracts.events.listings import InadequateReason
from contracts.events.orders import SpotPriceApproved, SpotPriceRefusal, SpotPriceRefused
from contracts.ids import (
    AwardId,
    CouncilKey,
    PackageId,
    ProposalId,
)
from service_runtime.postgres.database import Database
from testkit.chain_checker import faults_in
from testkit.clocks import MovableClock
from testkit.databases import rows
from testkit.running_services import Reply, RunningService, Voice
from testkit.sourcing.builders import LONDON, london
from testkit.sourcing.responses import (
    DecisionResponse,
    OfficerProposalResponse,
    PlacementRow,
    ProposalsResponse,
    WorkItemResponse,
    WorkListResponse,
)
from testkit.topics import Kept, everything_in
from testkit.waiting import until

OPERATE: Final = "sourcing:operate"
ANSWER: Final = "offers:answer"
LINK_KEY: Final = "a key that only tests have, of some length"
WAIT_TIMEOUT: Final = 30.0
"""Seconds; the machine may be busy."""


async def retry_as_told(ask: Callable[[], Awaitable[Reply]]) -> Reply:
    """Asks again where that is what the answer says (Retry-After), as any caller should."""
    answer = await ask()
    for _ in range(30):
        if "Retry-After" not in answer.headers:
            break
        await asyncio.sleep(float(answer.headers["Retry-After"]) / 4)
        answer = await ask()
    return answer


_STALLED: Final = """
    SELECT package_id, status FROM searches
    WHERE package_id = ANY(:packages) AND needs_a_person IS NULL AND status NOT IN ('placed', 'stopped')
      AND NOT EXISTS (SELECT 1 FROM timers WHERE topic = :topic AND key = CAST(package_id AS text))
"""


@dataclass
class SourcingHarness:
    """Sourcing, and everybody it hears and answers."""

    sourcing: RunningService
    registry: Voice
    referral: Voice
    pricing: Voice
    clock: MovableClock
    council: CouncilKey
    bootstrap: str
    logs: io.StringIO

    @property
    def database(self) -> Database:
        return self.sourcing.service.database

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def move_to_next_monday(self) -> datetime:
        """Moves the clock to the next Monday, 09:00 in London: an open brokerage, and nothing left over is near."""
        day = self.now.astimezone(LONDON).date()
        return self.set_clock(london(day + timedelta(days=7 - day.weekday()), "09:00"))

    def set_clock(self, at: datetime) -> datetime:
        self.clock.set_to(at)
        return at

    def advance_clock(self, by: timedelta) -> datetime:
        return self.clock.advance(by)

    async def request_as_officer(
        self, method: str, path: str, body: object = None, *, officer: str = "officer-1"
    ) -> Reply:
        return await retry_as_told(
            lambda: self.sourcing.ask(method, path, OPERATE, body=body, subject=officer, council=self.council)
        )

    async def browse(self, path: str, *, method: str = "GET", form: bytes | None = None) -> Reply:
        """As a browser asks, with nothing but the address; `form` is sent as forms are."""
        kind = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        async with self.sourcing.http.request(method, self.sourcing.url + path, data=form, headers=kind) as answer:
            return Reply(answer.status, answer.headers, await answer.text())

    async def wait_for_decision(self, package: PackageId) -> DecisionResponse:
        """As soon as there is one."""

        async def known() -> Reply | None:
            answer = await self.request_decision(package)
            return answer if answer.status == 200 else None

        return DecisionResponse.model_validate((await until(known, within=WAIT_TIMEOUT)).body)

    async def request_decision(self, package: PackageId) -> Reply:
        return await self.request_as_officer("GET", f"/v1/packages/{package}/decision")

    async def wait_for_status(self, package: PackageId, status: str) -> DecisionResponse:
        async def there() -> DecisionResponse | None:
            decision = await self.wait_for_decision(package)
            return decision if decision.status == status else None

        return await until(there, within=WAIT_TIMEOUT)

    async def wait_for_event(self, package: PackageId, event_type: str, *, times: int = 1) -> DecisionResponse:
        """Waits until `what` is on record so many times."""

        async def there() -> DecisionResponse | None:
            decision = await self.wait_for_decision(package)
            return decision if decision.event_types.count(event_type) >= times else None

        return await until(there, within=WAIT_TIMEOUT)

    async def list_proposals(self, package: PackageId) -> ProposalsResponse:
        """What officers read of an open package."""
        answer = await self.request_as_officer("GET", f"/v1/packages/{package}/proposals")
        return ProposalsResponse.model_validate(answer.body)

    async def award(
        self,
        package: PackageId,
        proposal: ProposalId,
        *,
        officer: str = "officer-1",
        inadequate_reason: InadequateReason | None = None,
    ) -> Reply:
        body = {"proposal_id": str(proposal)}
        if inadequate_reason is not None:
            body["inadequate_reason"] = inadequate_reason.value
        return await self.request_as_officer("POST", f"/v1/packages/{package}/awards", body, officer=officer)

    async def approve_price(
        self, package: PackageId, award: AwardId, proposal: OfficerProposalResponse, *, officer: str = "officer-2"
    ) -> None:
        """A second officer agrees to the price, at pricing."""
        event = SpotPriceApproved(
            package_id=package,
            award_id=award,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            rate=proposal.rate,
            officer=f"officer:{officer}",
        )
        await self.pricing.says(event, at=self.now)

    async def refuse_price(self, package: PackageId, award: AwardId, proposal: OfficerProposalResponse) -> None:
        event = SpotPriceRefused(
            package_id=package,
            award_id=award,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            officer="officer:officer-2",
            reason=SpotPriceRefusal.TOO_HIGH,
        )
        await self.pricing.says(event, at=self.now)

    async def read_work_list(self) -> list[WorkItemResponse]:
        answer = await self.request_as_officer("GET", "/v1/work-list")
        return WorkListResponse.model_validate(answer.body).items

    async def wait_for_work_item(self, package: PackageId) -> WorkItemResponse:
        """The package's place on the work list, as soon as it has one."""

        async def there() -> WorkItemResponse | None:
            return next((item for item in await self.read_work_list() if item.package_id == package), None)

        return await until(there, within=WAIT_TIMEOUT)

    async def is_on_work_list(self, package: PackageId) -> bool:
        return any(item.package_id == package for item in await self.read_work_list())

    async def list_placements(self, packages: Iterable[PackageId]) -> list[PlacementRow]:
        found = await rows(
            self.database,
            "SELECT placement_id, package_id, provider_id, voided FROM placements WHERE package_id = ANY(:packages)",
            packages=list(packages),
        )
        return [PlacementRow.model_validate(each, from_attributes=True) for each in found]

    async def list_event_types(self, packages: Sequence[PackageId]) -> dict[PackageId, list[str]]:
        """What the journal holds of each of these packages, in its order: `OfferMade`."""
        found = await rows(
            self.database,
            "SELECT key, type FROM journal WHERE key = ANY(:keys) ORDER BY version",
            keys=[str(package) for package in packages],
        )
        happened: dict[PackageId, list[str]] = {package: [] for package in packages}
        for each in found:
            happened[PackageId(UUID(each.key))].append(each.type.split(".")[1])
        return happened

    async def read_kafka_records(self, packages: Iterable[PackageId]) -> list[Kept]:
        """What Kafka holds of these packages, once everything that was published has got there."""

        async def is_relayed() -> bool:
            return not await rows(self.database, "SELECT 1 FROM outbox LIMIT 1")

        await until(is_relayed, within=WAIT_TIMEOUT)
        return await everything_in(self.bootstrap, PACKAGES, keys={str(package) for package in packages})

    async def find_faults(self, packages: Sequence[PackageId]) -> list[str]:
        """What is wrong with these packages, a line each: forgotten, parked, or not proved by their chain."""
        forgotten = await rows(self.database, _STALLED, packages=list(packages), topic=PACKAGES)
        parked = await rows(self.database, "SELECT key, parked_because FROM streams WHERE parked_because IS NOT NULL")
        return [
            *(f"{each.package_id} is {each.status}, and nobody moves it on" for each in forgotten),
            *(f"{each.key} is parked: {each.parked_because}" for each in parked),
            *faults_in(await self.read_kafka_records(packages)),
        ]
