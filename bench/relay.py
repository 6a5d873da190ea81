"""Measures how fast the outbox relay sends a full outbox to Kafka, in order for each package."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bench.databases import connect
from bench.environment import BenchEnvironment
from bench.figures import FigureLine, NotMeasured, compute_count
from contracts.envelope import GENESIS
from contracts.events.base import ProjectionVersion
from contracts.events.searches import ProviderPassedOver
from contracts.ids import PackageId, ProviderId, SearchId, uuid7
from contracts.values import PassOverReason
from devstack.names import SOURCING
from service_runtime.kafka.client import KafkaRecord
from service_runtime.outbox.journal import ChainedEvent, chain_event
from service_runtime.unit_of_work.streams import Cause, Stream, stream_key_of
from testkit.chain_checker import find_chain_faults
from testkit.topics import TopicRecord

_GOAL: Final = 10_000
_PACKAGES: Final = 1_000
_EVENTS: Final = 35
"""Events of each package."""
_WARM_UP: Final = 5
"""Events that warm up the service and are not measured."""
_PROJECTIONS: Final = ("definition", "ranked-list", "eligibility", "embargoes", "rates", "capacity", "channels")
_CAUSE: Final = Cause(id="bench", actor="service:sourcing", council="essex")
_COLUMNS: Final = (
    *("id", "topic", "key", "version", "type", "occurred_at", "actor", "cause"),
    *("headers", "payload", "hash"),
)
_LAST: Final = "SELECT coalesce(max(position), 0) FROM journal"
_PUBLISH: Final = "INSERT INTO outbox (position) SELECT position FROM journal WHERE position > $1"


@dataclass(frozen=True)
class RelayFigures:
    events_a_second: float
    count: int
    bytes_each: int

    def to_numbers(self) -> Mapping[str, object]:
        return {"relay_events_per_s": round(self.events_a_second)}

    def to_lines(self) -> Sequence[FigureLine]:
        what = f"relay, {self.count:,} events of {self.bytes_each} bytes, in order per key"
        figure = f"{self.events_a_second:,.0f} a second"
        return (FigureLine(what, f"≥ {_GOAL:,} a second", figure, self.events_a_second >= _GOAL),)


@dataclass
class _RecordCollector:
    """The received events and their times."""

    packages: frozenset[bytes]
    records: list[KafkaRecord] = field(default_factory=list[KafkaRecord])
    at: list[float] = field(default_factory=list[float])

    def collect(self, record: KafkaRecord, at: float) -> None:
        if record.key in self.packages:
            self.records.append(record)
            self.at.append(at)


async def measure(environment: BenchEnvironment, share: float = 1.0) -> RelayFigures:
    """Fill the outbox of a stopped service, then start this service alone."""
    events = list(_generate_events(compute_count(_PACKAGES, share)))
    collector = _RecordCollector(frozenset(each.stream.key.encode() for each in events))
    others = [name for name in environment.stack.programs if name != SOURCING]
    with environment.reader.redirect(collector.collect):
        async with environment.stop_services(others):
            async with environment.stop_services([SOURCING]):
                await _fill(environment, events)
            if not await environment.reader.wait_until(lambda: len(collector.records) >= len(events)):
                message = f"{len(collector.records)} of {len(events)} events reached Kafka within a minute"
                raise NotMeasured(message)
    return _evaluate(collector, events)


def _evaluate(collector: _RecordCollector, events: Sequence[ChainedEvent]) -> RelayFigures:
    """Check order, completeness and hash chains with code that is independent of the relay."""
    if faults := find_chain_faults(map(_to_stored_record, collector.records)):
        raise NotMeasured(faults[0])
    first = len(events) * _WARM_UP // _EVENTS
    counted, took = len(collector.at) - first, collector.at[-1] - collector.at[first - 1]
    return RelayFigures(counted / took, counted, sum(len(each.payload) for each in events) // len(events))


def _to_stored_record(record: KafkaRecord) -> TopicRecord:
    key, value = (record.key or b"").decode(), record.value or b""
    return TopicRecord(record.topic, record.partition, record.offset, key, list(record.headers), value)


def _generate_events(packages: int) -> Iterator[ChainedEvent]:
    """Write one event of each package in turn, as concurrent work would."""
    now = datetime.now(UTC)
    events = [_create_event(now) for _ in range(packages)]
    streams = [Stream(stream_key_of(event), version=0, last_hash=GENESIS, parked=False) for event in events]
    for _ in range(_EVENTS):
        for number, event in enumerate(events):
            sealed, streams[number] = chain_event(
                event, stream=streams[number], event_id=uuid7(now), source=SOURCING, cause=_CAUSE, at=now
            )
            yield sealed


def _create_event(now: datetime) -> ProviderPassedOver:
    """Build an event of typical size that no other service handles."""
    return ProviderPassedOver(
        package_id=PackageId(uuid7(now)),
        search_id=SearchId(uuid7(now)),
        stage="tier-1",
        provider_id=ProviderId(uuid7(now)),
        rank=1,
        reasons=(PassOverReason.NO_CAPACITY,),
        views=tuple(
            ProjectionVersion(view=view, key=f"{uuid7(now)}/{uuid7(now)}", sequence=1) for view in _PROJECTIONS
        ),
    )


async def _fill(environment: BenchEnvironment, events: Sequence[ChainedEvent]) -> None:
    async with connect(environment.stack.config.postgres, SOURCING) as connection:
        before = await connection.fetchval(_LAST)
        last = {each.stream: each.envelope for each in events}
        streams = [(name.topic, name.key, envelope.sequence, envelope.hash) for name, envelope in last.items()]
        columns = ("topic", "key", "version", "last_hash")
        await connection.copy_records_to_table("streams", records=streams, columns=columns)
        await connection.copy_records_to_table("journal", records=map(_to_row, events), columns=_COLUMNS)
        await connection.fetch(_PUBLISH, before)


def _to_row(event: ChainedEvent) -> tuple[object, ...]:
    """Return the row in the order of `_COLUMNS`."""
    envelope, stream = event.envelope, event.stream
    return (
        *(
            envelope.id,
            stream.topic,
            stream.key,
            envelope.sequence,
            envelope.type,
            envelope.time,
            envelope.actor,
            envelope.causationid,
        ),
        *(event.headers, event.payload, envelope.hash),
    )
