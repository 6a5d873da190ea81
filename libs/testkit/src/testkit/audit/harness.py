"""The harness of audit's integration tests: a running audit service, a Kafka producer and one council."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.domain.records import RawRecord, RecordPosition, decode_headers
from contracts.ids import CouncilKey, PackageId
from service_runtime.kafka.client import OutgoingRecord, Partition, Producer
from testkit.audit.builders import RecordBuilder
from testkit.audit.complete_case import NAMES, PACKAGE_RECORD_COUNT, CompleteCase
from testkit.databases import fetch_number, fetch_rows
from testkit.http_response import HttpResponse
from testkit.running_services import RunningService
from testkit.waiting import wait_until


@dataclass
class AuditHarness:
    """A running audit service, a producer that sends records to it, and the council whose officers send requests."""

    audit: RunningService
    producer: Producer
    council: CouncilKey

    def make_record_builder(self) -> RecordBuilder:
        return RecordBuilder(council=self.council)

    async def send_records(self, records: Iterable[RawRecord]) -> None:
        """Sends records to Kafka exactly as they are; Kafka assigns their positions."""
        by_partition: dict[Partition, list[OutgoingRecord]] = {}
        for record in records:
            topic, key = record.position.topic, record.key or b""
            partition = Partition(topic, await self.producer.choose_partition(topic, key))
            outgoing = OutgoingRecord(topic, key, record.payload or b"", decode_headers(record.headers))
            by_partition.setdefault(partition, []).append(outgoing)
        for partition, batch in by_partition.items():
            sent = 0
            while sent < len(batch):
                sent += await self.producer.send(partition, batch[sent:])

    async def wait_for_records(self, package: PackageId, *, count: int) -> list[RecordPosition]:
        """Waits until `count` records of a package are stored, and returns their positions."""
        await wait_until(lambda: self._has_count(package, count), within=20)
        rows = await fetch_rows(
            self.audit.service.database,
            'SELECT topic, partition, "offset" FROM records WHERE key = :key ORDER BY topic, "offset"',
            key=str(package).encode(),
        )
        return [RecordPosition(row.topic, row.partition, row.offset) for row in rows]

    async def send_complete_case(self, package: PackageId) -> CompleteCase:
        """Sends the records of a complete case about `package`, and waits until audit has stored them."""
        case = CompleteCase(package, self.make_record_builder())
        await self.send_records(case.make_records())
        await self.wait_for_records(package, count=PACKAGE_RECORD_COUNT)
        await wait_until(lambda: self._has_registry_records(case), within=20)
        return case

    async def _has_registry_records(self, case: CompleteCase) -> bool:
        query = "SELECT count(*) FROM records WHERE subject LIKE :framework OR subject = ANY(:subjects)"
        subjects = [case.framework, *map(str, case.providers.values())]
        stored = await fetch_number(
            self.audit.service.database, query, framework=f"{case.framework}/%", subjects=subjects
        )
        return stored == 3 + 2 * len(NAMES)

    async def _has_count(self, package: PackageId, count: int) -> bool:
        query = "SELECT count(*) FROM records WHERE key = :key"
        return await fetch_number(self.audit.service.database, query, key=str(package).encode()) == count

    async def get(self, path: str, *scopes: str, council: str | None = None) -> HttpResponse:
        return await self.audit.request("GET", path, *(scopes or ("audit:read",)), council=council or self.council)

    async def find_violations(self, *positions: RecordPosition) -> list[str]:
        """Returns the sorted kinds of the violations at these positions."""
        response = await self.get("/v1/violations?limit=200")
        return sorted(
            item["kind"]
            for item in response.body["items"]
            if RecordPosition(item["topic"], item["partition"], item["offset"]) in positions
        )

    async def change_stored_rows(self, statement: str, **arguments: object) -> None:
        """Runs `statement` with the triggers of the table disabled, as only its owner can, to simulate tampering."""
        async with self.audit.owner.begin_transaction() as connection:
            await connection.run("ALTER TABLE records DISABLE TRIGGER USER")
        await fetch_rows(self.audit.owner, statement, **arguments)
        async with self.audit.owner.begin_transaction() as connection:
            await connection.run("ALTER TABLE records ENABLE TRIGGER USER")
