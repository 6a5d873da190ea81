"""Check of the published records: a service does not start on a database that is older than what it has published.

Such a database was restored alone. Started on it, a service would give the numbers of its lost events to other events,
and the chains of the record would fork. The check reads the newest records of the topics that the service publishes to
and compares those with its own source with the versions of its streams.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from contracts.catalogue import BY_TYPE
from contracts.envelope import GENESIS
from service_runtime.clock import Clock, SystemClock
from service_runtime.kafka.client import KafkaRecord, Partition
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.range_reader import NoReadRight, RangeReader, open_range_reader
from service_runtime.kafka.records import Record, UnreadableRecord
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Database
from service_runtime.startup.errors import StartRefused
from service_runtime.unit_of_work.streams import StreamKey

SMALL_WINDOW: Final = 64
"""Records of each partition, from its end, that every start reads."""
LARGE_WINDOW: Final = 5_000
"""Records that a start reads at most of a partition whose small window has no record of the service."""
CLOCK_TOLERANCE: Final = timedelta(seconds=10)
"""How far the timestamps of records may lie before the instants of the journal, by clocks that differ."""
_GUIDE: Final = "docs/operations.md, One service restored alone"

_FIND_VERSIONS: Final = """
    SELECT topic, key, version, last_hash FROM streams
    JOIN unnest($1::text[], $2::text[]) AS wanted (topic, key) USING (topic, key)
    """
_FIND_NEWEST_INSTANT: Final = "SELECT occurred_at FROM journal ORDER BY position DESC LIMIT 1"
_FIND_PUBLISHED_TOPICS: Final = """
    SELECT topic FROM unnest($1::text[]) AS wanted (topic)
    WHERE (SELECT sum(version) FROM streams WHERE streams.topic = wanted.topic)
        > (SELECT count(*) FROM outbox JOIN journal USING (position) WHERE journal.topic = wanted.topic)
    """
"""Topics with more events than wait to be sent; the journal may have been moved into archives."""


@dataclass(frozen=True)
class PublishedRecordsCheck:
    """Compares the end of the topics with the database of the service that publishes to them."""

    service: str
    database: Database
    kafka: KafkaConnection
    log: Logger
    clock: Clock = field(default_factory=SystemClock)
    """The clock of Kafka's timestamps, also where the service has a simulated one."""

    async def run(self, topics: Sequence[str]) -> None:
        """Raises StartRefused if the database or Kafka has lost events."""
        async with open_range_reader(self.kafka, client_id=f"{self.service}-check") as reader:
            try:
                await self._compare(reader, topics)
            except NoReadRight:
                self.log.warning("published records not checked: no right to read them", topics=", ".join(topics))

    async def _compare(self, reader: RangeReader, topics: Sequence[str]) -> None:
        ranges = await reader.find_ranges(topics)
        await self._check_empty_topics([topic for topic in topics if _is_empty(topic, ranges)])
        small = {partition: offsets[-SMALL_WINDOW:] for partition, offsets in ranges.items()}
        with_own = await self._check_window(reader, small)
        rest = {
            partition: offsets[:-SMALL_WINDOW] for partition, offsets in ranges.items() if partition not in with_own
        }
        await self._check_window(reader, await self._choose_large_window(reader, rest))

    async def _check_empty_topics(self, topics: Sequence[str]) -> None:
        """Raises StartRefused if an empty topic should hold events: Kafka was lost and its topics made again."""
        if topics and (lost := await self.database.fetch(_FIND_PUBLISHED_TOPICS, topics)):
            names = ", ".join(row.topic for row in lost)
            message = (
                f"Kafka is empty: {names} has no record, although {self.service} has published to it; fill the topics"
                f" from the record before any service starts (embedded stack: `calloff restore`; {_GUIDE})"
            )
            raise StartRefused(message)

    async def _choose_large_window(
        self, reader: RangeReader, ranges: Mapping[Partition, range]
    ) -> dict[Partition, range]:
        """Leaves what is older than the newest event of the journal: a lost event is newer."""
        window = {partition: offsets[-LARGE_WINDOW:] for partition, offsets in ranges.items() if offsets}
        if not window or (since := await self._find_newest_instant()) is None:
            return window
        begins = await reader.find_offsets(window, since - CLOCK_TOLERANCE)
        return {
            partition: range(max(offsets.start, begins[partition]), offsets.stop)
            for partition, offsets in window.items()
            if partition in begins
        }

    async def _find_newest_instant(self) -> datetime | None:
        """Returns the instant of the newest event of the journal; None without one, or if a clock was wrong."""
        rows = await self.database.fetch(_FIND_NEWEST_INSTANT)
        return rows[0].occurred_at if rows and rows[0].occurred_at <= self.clock.now() else None

    async def _check_window(self, reader: RangeReader, window: Mapping[Partition, range]) -> set[Partition]:
        """Returns the partitions in which the service has records. Raises StartRefused if one is lost."""
        own: defaultdict[StreamKey, list[tuple[int, KafkaRecord]]] = defaultdict(list)
        source = f"/calloff/{self.service}".encode()

        def collect_own(record: KafkaRecord) -> None:
            if (place := _find_place(record, source)) is not None:
                own[place[0]].append((place[1], record))

        await reader.read(window, collect_own)
        versions = await self._find_versions(own)
        for stream, records in own.items():
            version, last_hash = versions.get(stream, (0, GENESIS))
            for sequence, record in records:
                if sequence > version and _is_published(record, version=version, last_hash=last_hash):
                    raise StartRefused(self._describe(record, sequence=sequence, version=version))
        return {Partition(record.topic, record.partition) for records in own.values() for _, record in records}

    async def _find_versions(self, streams: Iterable[StreamKey]) -> dict[StreamKey, tuple[int, str]]:
        wanted = list(streams)
        rows = await self.database.fetch(
            _FIND_VERSIONS, [stream.topic for stream in wanted], [stream.key for stream in wanted]
        )
        return {StreamKey(row.topic, row.key): (row.version, row.last_hash) for row in rows}

    def _describe(self, record: KafkaRecord, *, sequence: int, version: int) -> str:
        place = f"{record.topic}, partition {record.partition}, offset {record.offset}"
        return (
            f"the database of {self.service} is older than what {self.service} has published: {place} holds event"
            f" {sequence} of a stream that the database knows up to event {version}; restore a newer back-up, or all"
            f" databases together and the topics from the record; do not start it as it is ({_GUIDE})"
        )


def _is_empty(topic: str, ranges: Mapping[Partition, range]) -> bool:
    return all(offsets.stop == 0 for partition, offsets in ranges.items() if partition.topic == topic)


def _find_place(record: KafkaRecord, source: bytes) -> tuple[StreamKey, int] | None:
    """Returns stream and sequence of a record with this source; None for every other record."""
    headers = dict(record.headers)
    if headers.get("ce_source") != source:
        return None
    try:
        return StreamKey(record.topic, (record.key or b"").decode()), int(headers["ce_sequence"])
    except (KeyError, ValueError, TypeError):
        return None


def _is_published(raw: KafkaRecord, *, version: int, last_hash: str) -> bool:
    """Returns False for a record that only has our source: wrong bytes, or no continuation of the stream."""
    try:
        record = Record.from_kafka(raw)
    except UnreadableRecord:
        return False
    envelope = record.envelope
    entry = BY_TYPE.get(envelope.type)
    if entry is None or entry.topic != record.topic or envelope.subject != record.key:
        return False
    return envelope.sequence > version + 1 or envelope.prevhash == last_hash
