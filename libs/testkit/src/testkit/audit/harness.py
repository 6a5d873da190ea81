"""The harness of audit's integration tests: a running service, a Kafka producer and one council."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.domain.records import RawRecord, RecordPosition, decode_headers
from contracts.ids import CouncilKey, PackageId
from service_runtime.kafka.client import OutgoingRecord, Partition, Producer
from testkit.audit.builders import RecordBuilder
from testkit.audit.stories import LINES, NAMES, Story
from testkit.databases import number, rows
from testkit.running_services import Reply, RunningService
from testkit.waiting import until


@dataclass
class AuditHarness:
    """A running audit, a producer that sends it records, and the council that sends requests."""

    audit: RunningService
    producer: Producer
    council: CouncilKey

    def make_record_builder(self) -> RecordBuilder:
        return RecordBuilder(council=self.council)

    async def send(self, records: Iterable[RawRecord]) -> None:
        """Sends records to Kafka exactly as they are; Kafka assigns their positions."""
        by_partition: dict[Partition, list[OutgoingRecord]] = {}
        for each in records:
            topic, key = each.position.topic, each.key or b""
            partition = Partition(topic, await self.producer.choose_partition(topic, key))
            outgoing = OutgoingRecord(topic, key, each.payload or b"", decode_headers(each.headers))
            by_partition.setdefault(partition, []).append(outgoing)
        for partition, waiting in by_partition.items():
            sent = 0
            while sent < len(waiting):
                sent += await self.producer.send(partition, waiting[sent:])

    async def wait_for_records(self, package: PackageId, *, count: int) -> list[RecordPosition]:
        """Waits until `count` records of a package are stored, and returns their positions."""
        await until(lambda: self._has_count(package, count), within=20)
        found = await rows(
            self.audit.service.database,
            'SELECT topic, partition, "offset" FROM records WHERE key = :key ORDER BY topic, "offset"',
            key=str(package).encode(),
        )
        return [RecordPosition(each.topic, each.partition, each.offset) for each in found]

    async def send_story(self, package: PackageId) -> Story:
        """Sends a story of `package`, and waits until all its records are stored."""
        story = Story(package, self.make_record_builder())
        await self.send(story.make_records())
        await self.wait_for_records(package, count=LINES)
        await until(lambda: self._has_registry_records(story), within=20)
        return story

    async def _has_registry_records(self, story: Story) -> bool:
        query = "SELECT count(*) FROM records WHERE subject LIKE :framework OR subject = ANY(:providers)"
        subjects = [str(each) for each in story.providers.values()]
        kept = await number(self.audit.service.database, query, framework=f"{story.framework}/%", providers=subjects)
        return kept == 2 + 2 * len(NAMES)

    async def _has_count(self, package: PackageId, count: int) -> bool:
        query = "SELECT count(*) FROM records WHERE key = :key"
        return await number(self.audit.service.database, query, key=str(package).encode()) == count

    async def get(self, path: str, *scopes: str, council: str | None = None) -> Reply:
        return await self.audit.ask("GET", path, *(scopes or ("audit:read",)), council=council or self.council)

    async def find_violations(self, *positions: RecordPosition) -> list[str]:
        """Returns the kinds of the violations at these positions."""
        answer = await self.get("/v1/violations?limit=200")
        return sorted(
            each["kind"]
            for each in answer.body["items"]
            if RecordPosition(each["topic"], each["partition"], each["offset"]) in positions
        )

    async def tamper(self, statement: str, **arguments: object) -> None:
        """Changes stored rows with the triggers disabled, as only the table's owner can."""
        async with self.audit.service.database.begin_transaction() as connection:
            await connection.run("ALTER TABLE records DISABLE TRIGGER USER")
        await rows(self.audit.service.database, statement, **arguments)
        async with self.audit.service.database.begin_transaction() as connection:
            await connection.run("ALTER TABLE records ENABLE TRIGGER USER")
