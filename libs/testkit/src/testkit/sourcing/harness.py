"""The harness of sourcing's integration tests: a running service, publishers of other services' events, and requests.

Results are read from HTTP responses, the journal and Kafka, as another system reads them. `scenario_market` adds a
framework with its providers.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from contracts.catalogue import PACKAGES
from contracts.events.orders import SpotPriceApproved, SpotPriceRefused
from contracts.example_words import PriceRefusals
from contracts.ids import AwardId, CouncilKey, PackageId, ProposalId, ReasonKey
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.postgres.database import Database
from testkit.chain_checker import find_chain_faults
from testkit.clocks import MovableClock
from testkit.databases import fetch_rows
from testkit.http_response import HttpResponse, read_response
from testkit.running_services import EventPublisher, RunningService
from testkit.sourcing.builders import LONDON, from_london_time
from testkit.sourcing.responses import (
    DecisionResponse,
    OfficerProposalResponse,
    PlacementRow,
    ProposalsResponse,
    WorkItemResponse,
    WorkListResponse,
)
from testkit.topics import TopicRecord, read_topic
from testkit.waiting import wait_until

OPERATE: Final = "sourcing:operate"
ANSWER: Final = "offers:answer"
LINK_KEY: Final = "a key that only tests have, of some length"
WAIT_TIMEOUT: Final = 30.0
"""In seconds; long, because the machine may be busy with other tests."""


async def send_with_retries(send: Callable[[], Awaitable[HttpResponse]]) -> HttpResponse:
    """Sends a request, and again while the response has a Retry-After header, at most 30 times."""
    response = await send()
    for _ in range(30):
        if "Retry-After" not in response.headers:
            break
        await asyncio.sleep(float(response.headers["Retry-After"]) / 4)
        response = await send()
    return response


_STALLED: Final = """
    SELECT package_id, status FROM searches
    WHERE package_id = ANY(:packages) AND needs_a_person IS NULL AND status NOT IN ('placed', 'stopped')
      AND NOT EXISTS (SELECT 1 FROM timers WHERE topic = :topic AND key = CAST(package_id AS text))
"""


@dataclass
class SourcingHarness:
    """A running sourcing service, publishers for the services whose events it consumes, and its clock."""

    sourcing: RunningService
    registry: EventPublisher
    referral: EventPublisher
    pricing: EventPublisher
    clock: MovableClock
    council: CouncilKey
    kafka: KafkaConnection
    logs: io.StringIO

    @property
    def database(self) -> Database:
        return self.sourcing.service.database

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def move_to_next_monday(self) -> datetime:
        """Moves the clock to 09:00 in London on the next Monday: the brokerage is open, and no older timer is near."""
        day = self.now.astimezone(LONDON).date()
        return self.set_clock(from_london_time(day + timedelta(days=7 - day.weekday()), "09:00"))

    def set_clock(self, at: datetime) -> datetime:
        self.clock.set_to(at)
        return at

    def advance_clock(self, by: timedelta) -> datetime:
        return self.clock.advance(by)

    async def request_as_officer(
        self, method: str, path: str, body: object = None, *, officer: str = "officer-1"
    ) -> HttpResponse:
        return await send_with_retries(
            lambda: self.sourcing.request(method, path, OPERATE, body=body, subject=officer, council=self.council)
        )

    async def browse(self, path: str, *, method: str = "GET", form: bytes | None = None) -> HttpResponse:
        """Sends a request as a browser does: without a token, with `form` as a URL-encoded body."""
        kind = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        async with self.sourcing.http.request(method, self.sourcing.url + path, data=form, headers=kind) as answer:
            return await read_response(answer)

    async def wait_for_decision(self, package: PackageId) -> DecisionResponse:
        """Waits until sourcing knows the package, and returns its decision."""

        async def find_decision() -> HttpResponse | None:
            response = await self.request_decision(package)
            return response if response.status == 200 else None

        return DecisionResponse.model_validate((await wait_until(find_decision, within=WAIT_TIMEOUT)).body)

    async def request_decision(self, package: PackageId) -> HttpResponse:
        return await self.request_as_officer("GET", f"/v1/packages/{package}/decision")

    async def wait_for_status(self, package: PackageId, status: str) -> DecisionResponse:
        async def find_decision() -> DecisionResponse | None:
            decision = await self.wait_for_decision(package)
            return decision if decision.status == status else None

        return await wait_until(find_decision, within=WAIT_TIMEOUT)

    async def wait_for_event(self, package: PackageId, event_type: str, *, times: int = 1) -> DecisionResponse:
        """Waits until the package's journal has at least `times` events of this type, and returns the decision."""

        async def find_decision() -> DecisionResponse | None:
            decision = await self.wait_for_decision(package)
            return decision if decision.event_types.count(event_type) >= times else None

        return await wait_until(find_decision, within=WAIT_TIMEOUT)

    async def list_proposals(self, package: PackageId) -> ProposalsResponse:
        """Reads the proposals for a listed package, as an officer."""
        answer = await self.request_as_officer("GET", f"/v1/packages/{package}/proposals")
        return ProposalsResponse.model_validate(answer.body)

    async def award(
        self,
        package: PackageId,
        proposal: ProposalId,
        *,
        officer: str = "officer-1",
        inadequate_reason: ReasonKey | None = None,
    ) -> HttpResponse:
        body = {"proposal_id": str(proposal)}
        if inadequate_reason is not None:
            body["inadequate_reason"] = inadequate_reason
        return await self.request_as_officer("POST", f"/v1/packages/{package}/awards", body, officer=officer)

    async def approve_price(
        self, package: PackageId, award: AwardId, proposal: OfficerProposalResponse, *, officer: str = "officer-2"
    ) -> None:
        """Publishes, as pricing, that a second officer approved the price."""
        event = SpotPriceApproved(
            package_id=package,
            award_id=award,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            rate=proposal.rate,
            officer=f"officer:{officer}",
        )
        await self.pricing.publish(event, at=self.now)

    async def refuse_price(self, package: PackageId, award: AwardId, proposal: OfficerProposalResponse) -> None:
        """Publishes, as pricing, that a second officer refused the price."""
        event = SpotPriceRefused(
            package_id=package,
            award_id=award,
            proposal_id=proposal.proposal_id,
            provider_id=proposal.provider_id,
            officer="officer:officer-2",
            reason=PriceRefusals.TOO_HIGH,
        )
        await self.pricing.publish(event, at=self.now)

    async def read_work_list(self) -> list[WorkItemResponse]:
        answer = await self.request_as_officer("GET", "/v1/work-list")
        return WorkListResponse.model_validate(answer.body).items

    async def wait_for_work_item(self, package: PackageId) -> WorkItemResponse:
        """Waits until the package is on the work list, and returns its item."""

        async def find_item() -> WorkItemResponse | None:
            return next((item for item in await self.read_work_list() if item.package_id == package), None)

        return await wait_until(find_item, within=WAIT_TIMEOUT)

    async def is_on_work_list(self, package: PackageId) -> bool:
        return any(item.package_id == package for item in await self.read_work_list())

    async def list_placements(self, packages: Iterable[PackageId]) -> list[PlacementRow]:
        found = await fetch_rows(
            self.database,
            "SELECT placement_id, package_id, provider_id, voided FROM placements WHERE package_id = ANY(:packages)",
            packages=list(packages),
        )
        return [PlacementRow.model_validate(each, from_attributes=True) for each in found]

    async def list_event_types(self, packages: Sequence[PackageId]) -> dict[PackageId, list[str]]:
        """Lists the event types of each package in the order of the journal, such as `OfferMade`."""
        found = await fetch_rows(
            self.database,
            "SELECT key, type FROM journal WHERE key = ANY(:keys) ORDER BY version",
            keys=[str(package) for package in packages],
        )
        types: dict[PackageId, list[str]] = {package: [] for package in packages}
        for row in found:
            types[PackageId(UUID(row.key))].append(row.type.split(".")[1])
        return types

    async def read_kafka_records(self, packages: Iterable[PackageId]) -> list[TopicRecord]:
        """Waits until the outbox is empty, and reads the records about these packages from Kafka."""

        async def is_relayed() -> bool:
            return not await fetch_rows(self.database, "SELECT 1 FROM outbox LIMIT 1")

        await wait_until(is_relayed, within=WAIT_TIMEOUT)
        return await read_topic(self.kafka, PACKAGES, keys={str(package) for package in packages})

    async def find_faults(self, packages: Sequence[PackageId]) -> list[str]:
        """Lists what is wrong, one line each: stalled packages, parked keys, and faults of the hash chains."""
        stalled = await fetch_rows(self.database, _STALLED, packages=list(packages), topic=PACKAGES)
        parked = await fetch_rows(
            self.database, "SELECT key, parked_because FROM streams WHERE parked_because IS NOT NULL"
        )
        return [
            *(f"{each.package_id} is {each.status} without a timer or a task for an officer" for each in stalled),
            *(f"{each.key} is parked: {each.parked_because}" for each in parked),
            *find_chain_faults(await self.read_kafka_records(packages)),
        ]
