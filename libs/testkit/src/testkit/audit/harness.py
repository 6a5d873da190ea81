"""Audit as it runs, with Kafka before it and one council that asks: what integration tests do to it."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.domain.records import Arrived, Position, decode_headers
from contracts.ids import CouncilKey, PackageId
from service_runtime.kafka.client import OutgoingRecord, Partition, Producer
from testkit.audit.builders import Press
from testkit.audit.stories import LINES, NAMES, Story
from testkit.databases import number, rows
from testkit.running_services import Reply, RunningService
from testkit.waiting import until


@dataclass
class House:
    """Audit, a producer that sends it anything, and the council that asks."""

    audit: RunningService
    producer: Producer
    council: CouncilKey

    def press(self) -> Press:
        return Press(council=self.council)

    async def sends(self, records: Iterable[Arrived]) -> None:
        """Puts records into Kafka exactly as they are; the positions they get are Kafka's."""
        by_partition: dict[Partition, list[OutgoingRecord]] = {}
        for each in records:
            topic, key = each.position.topic, each.key or b""
            partition = Partition(topic, await self.producer.partition_of(topic, key))
            outgoing = OutgoingRecord(topic, key, each.payload or b"", decode_headers(each.headers))
            by_partition.setdefault(partition, []).append(outgoing)
        for partition, waiting in by_partition.items():
            sent = 0
            while sent < len(waiting):
                sent += await self.producer.send(partition, waiting[sent:])

    async def kept(self, package: PackageId, *, count: int) -> list[Position]:
        """Where the record has what is kept about a package, as soon as it is `count`."""
        await until(lambda: self._count(package, count), within=20)
        found = await rows(
            self.audit.service.database,
            'SELECT topic, partition, "offset" FROM records WHERE key = :key ORDER BY topic, "offset"',
            key=str(package).encode(),
        )
        return [Position(each.topic, each.partition, each.offset) for each in found]

    async def hears_a_story(self, package: PackageId) -> Story:
        """Sends a story of `package`; returns when the record has all of it, its market too."""
        story = Story(package, self.press())
        await self.sends(story.records())
        await self.kept(package, count=LINES)
        await until(lambda: self._market_is_kept(story), within=20)
        return story

    async def _market_is_kept(self, story: Story) -> bool:
        query = "SELECT count(*) FROM records WHERE subject LIKE :framework OR subject = ANY(:providers)"
        subjects = [str(each) for each in story.providers.values()]
        kept = await number(self.audit.service.database, query, framework=f"{story.framework}/%", providers=subjects)
        return kept == 2 + 2 * len(NAMES)

    async def _count(self, package: PackageId, count: int) -> bool:
        query = "SELECT count(*) FROM records WHERE key = :key"
        return await number(self.audit.service.database, query, key=str(package).encode()) == count

    async def asks(self, path: str, *scopes: str, council: str | None = None) -> Reply:
        return await self.audit.ask("GET", path, *(scopes or ("audit:read",)), council=council or self.council)

    async def violations_at(self, *positions: Position) -> list[str]:
        """Which violations are on record at these positions, in words."""
        answer = await self.asks("/v1/violations?limit=200")
        return sorted(
            each["kind"]
            for each in answer.body["items"]
            if Position(each["topic"], each["partition"], each["offset"]) in positions
        )

    async def tampers(self, statement: str, **arguments: object) -> None:
        """What only the owner of the table can do: the triggers are off while it happens."""
        async with self.audit.service.database.transaction() as connection:
            await connection.run("ALTER TABLE records DISABLE TRIGGER USER")
        await rows(self.audit.service.database, statement, **arguments)
        async with self.audit.service.database.transaction() as connection:
            await connection.run("ALTER TABLE records ENABLE TRIGGER USER")
