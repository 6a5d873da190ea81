"""How fast the relay takes a full outbox to Kafka: events that nobody waits for, in order for each package."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bench.databases import connected
from bench.figures import Line, NotMeasured, fewer
from bench.scene import Scene
from contracts.envelope import GENESIS
from contracts.events.packages import ProviderPassedOver, ViewUse
from contracts.ids import PackageId, ProviderId, SearchId, uuid7
from contracts.values import PassOverReason
from devstack.names import SOURCING
from service_runtime.kafka.client import KafkaRecord
from service_runtime.unit_of_work.streams import Cause, ChainedEvent, Stream, chain_event, stream_key_of
from testkit.chain_checker import faults_in
from testkit.topics import Kept

_GOAL: Final = 10_000
_PACKAGES: Final = 1_000
_EVENTS: Final = 35
"""Of each package."""
_WARM_UP: Final = 5
"""Of these; the service has just started."""
_VIEWS: Final = ("definition", "ranked-list", "eligibility", "embargoes", "rates", "capacity", "channels")
_CAUSE: Final = Cause(id="bench", actor="service:sourcing", council="essex")
_COLUMNS: Final = (
    *("id", "topic", "key", "version", "type", "occurred_at", "actor", "cause"),
    *("headers", "payload", "hash"),
)
_LAST: Final = "SELECT coalesce(max(position), 0) FROM journal"
_PUBLISH: Final = "INSERT INTO outbox (position) SELECT position FROM journal WHERE position > $1"


@dataclass(frozen=True)
class Relayed:
    events_a_second: float
    count: int
    bytes_each: int

    def numbers(self) -> Mapping[str, object]:
        return {"relay_events_per_s": round(self.events_a_second)}

    def lines(self) -> Sequence[Line]:
        what = f"relay, {self.count:,} events of {self.bytes_each} bytes, in order per key"
        figure = f"{self.events_a_second:,.0f} a second"
        return (Line(what, f"≥ {_GOAL:,} a second", figure, self.events_a_second >= _GOAL),)


@dataclass
class _Reading:
    """What came of the events that were written, and when."""

    packages: frozenset[bytes]
    records: list[KafkaRecord] = field(default_factory=list[KafkaRecord])
    at: list[float] = field(default_factory=list[float])

    def take(self, record: KafkaRecord, at: float) -> None:
        if record.key in self.packages:
            self.records.append(record)
            self.at.append(at)


async def measure(scene: Scene, share: float = 1.0) -> Relayed:
    """All services stand still, one of them with a full outbox; then it starts, alone."""
    events = list(_events(fewer(_PACKAGES, share)))
    reading = _Reading(frozenset(each.stream.key.encode() for each in events))
    others = [name for name in scene.stage.programs if name != SOURCING]
    with scene.watching.giving_to(reading.take):
        async with scene.without(others):
            async with scene.without([SOURCING]):
                await _fill(scene, events)
            if not await scene.watching.until(lambda: len(reading.records) >= len(events)):
                message = f"{len(reading.records)} of {len(events)} events reached Kafka within a minute"
                raise NotMeasured(message)
    return _judged(reading, events)


def _judged(reading: _Reading, events: Sequence[ChainedEvent]) -> Relayed:
    """In order, whole and chained: who shares no code with the relay says so."""
    if faults := faults_in(map(_kept, reading.records)):
        raise NotMeasured(faults[0])
    first = len(events) * _WARM_UP // _EVENTS
    counted, took = len(reading.at) - first, reading.at[-1] - reading.at[first - 1]
    return Relayed(counted / took, counted, sum(len(each.payload) for each in events) // len(events))


def _kept(record: KafkaRecord) -> Kept:
    key, value = (record.key or b"").decode(), record.value or b""
    return Kept(record.topic, record.partition, record.offset, key, list(record.headers), value)


def _events(packages: int) -> Iterator[ChainedEvent]:
    """One of each package after the other, as if all were worked on at once."""
    now = datetime.now(UTC)
    said = [_passed_over(now) for _ in range(packages)]
    streams = [Stream(stream_key_of(event), version=0, last_hash=GENESIS, parked=False) for event in said]
    for _ in range(_EVENTS):
        for number, event in enumerate(said):
            sealed, streams[number] = chain_event(
                event, stream=streams[number], event_id=uuid7(now), source=SOURCING, cause=_CAUSE, at=now
            )
            yield sealed


def _passed_over(now: datetime) -> ProviderPassedOver:
    """What no other service follows: as large as most, and nobody acts on it."""
    return ProviderPassedOver(
        package_id=PackageId(uuid7(now)),
        search_id=SearchId(uuid7(now)),
        stage="tier-1",
        provider_id=ProviderId(uuid7(now)),
        rank=1,
        reasons=(PassOverReason.NO_CAPACITY,),
        views=tuple(ViewUse(view=view, key=f"{uuid7(now)}/{uuid7(now)}", sequence=1) for view in _VIEWS),
    )


async def _fill(scene: Scene, events: Sequence[ChainedEvent]) -> None:
    async with connected(scene.stage.around.postgres, SOURCING) as connection:
        before = await connection.fetchval(_LAST)
        last = {each.stream: each.envelope for each in events}
        streams = [(name.topic, name.key, envelope.sequence, envelope.hash) for name, envelope in last.items()]
        await connection.copy_records_to_table("streams", records=streams, columns=("topic", "key", "version", "head"))
        await connection.copy_records_to_table("journal", records=map(_row, events), columns=_COLUMNS)
        await connection.fetch(_PUBLISH, before)


def _row(sealed: ChainedEvent) -> tuple[object, ...]:
    """As `_COLUMNS` has it."""
    said, stream = sealed.envelope, sealed.stream
    return (
        *(said.id, stream.topic, stream.key, said.sequence, said.type, said.time, said.actor, said.causationid),
        *(sealed.headers, sealed.payload, said.hash),
    )
