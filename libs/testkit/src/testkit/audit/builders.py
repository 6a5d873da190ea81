"""Builders of records and stories, and the record in memory, which passes the same suite as PostgreSQL's."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from audit.domain.chains import Chain, Link
from audit.domain.records import Arrived, Fault, FaultKind, Place, Position, Recorded, StreamName, encode_headers
from audit.domain.verification import Checked, Columns, Stored, in_their_streams
from audit.ports import Kept, Violation
from contracts.catalogue import PACKAGES, PARKED, encode, entry_of
from contracts.envelope import GENESIS, Envelope
from contracts.events.base import Event
from contracts.events.providers import ProviderRegistered
from contracts.ids import CouncilKey, PackageId, ProviderId, uuid7
from testkit.contract_examples import MONDAY_NINE, an_id

COUNCIL: Final = CouncilKey("essex")
PACKAGE: Final = PackageId(an_id("package_id"))


def provider(name: str) -> ProviderId:
    return ProviderId(an_id(name))


def registered(name: str) -> ProviderRegistered:
    return ProviderRegistered(provider_id=provider(name), name=name, service_types=())


@dataclass
class Press:
    """Prints records as the services' relays would: numbered, chained, sealed, one partition for each topic."""

    at: datetime = MONDAY_NINE
    council: CouncilKey = COUNCIL
    _ends: dict[StreamName, Envelope] = field(default_factory=dict[StreamName, Envelope])
    _offsets: dict[str, int] = field(default_factory=dict[str, int])
    _said: int = 0

    def envelope(self, event: Event, *, cause: str = "command:test", actor: str = "", source: str = "") -> Envelope:
        """The envelope of `event` as the next one of its stream, a second after the one before."""
        entry = entry_of(type(event))
        stream = StreamName(entry.topic, event.key, source or f"/calloff/{entry.owner}")
        before = self._ends.get(stream)
        self._said += 1
        self.at += timedelta(seconds=1)
        sealed = Envelope(
            id=uuid7(self.at, random_bits=self._said),
            source=stream.source,
            type=event.type_name(),
            subject=event.key,
            time=self.at,
            council=self.council,
            correlationid=event.correlation,
            causationid=cause,
            actor=actor or f"service:{entry.owner}",
            sequence=before.sequence + 1 if before else 1,
            prevhash=before.hash if before else GENESIS,
        ).sealed(encode(event))
        self._ends[stream] = sealed
        return sealed

    def record(self, envelope: Envelope, event: Event) -> Arrived:
        """This very event at the next offset of its topic: called twice, it is a repeat."""
        return self.raw(entry_of(type(event)).topic, event.key.encode(), envelope, encode(event))

    def raw(self, topic: str, key: bytes | None, envelope: Envelope | None, payload: bytes | None) -> Arrived:
        """Any record, readable or not."""
        offset = self._offsets.get(topic, 0)
        self._offsets[topic] = offset + 1
        headers = [] if envelope is None else envelope.headers()
        return Arrived(Position(topic, 0, offset), key=key, headers=encode_headers(headers), payload=payload)

    def says(self, *events: Event, cause: str = "command:test", actor: str = "") -> list[Arrived]:
        """Events, each the next one of its stream."""
        return [self.record(self.envelope(each, cause=cause, actor=actor), each) for each in events]


def stored(entry: Recorded) -> Stored:
    """The row that a record becomes."""
    return Stored(entry.arrived, Columns.of(entry), entry.arrived.seal)


def told(entries: Iterable[Recorded]) -> list[Checked]:
    """Entries as a story has them."""
    return list(in_their_streams(stored(each) for each in entries))


@dataclass
class InMemoryRecord:
    """The record, and the questions about it."""

    rows: dict[Position, Stored] = field(default_factory=dict[Position, Stored])
    noted: list[Violation] = field(default_factory=list[Violation])

    async def chains_of(self, entries: Sequence[Recorded]) -> Mapping[StreamName, Chain]:
        streams = {each.stream for each in entries if each.envelope is not None}
        return {stream: Chain(self._links(stream)) for stream in streams}

    def _links(self, stream: StreamName) -> list[Link]:
        columns = [row.columns for row in self._ordered() if row.stream == stream]
        return [
            Link(each.sequence, each.event_id, each.prevhash, each.hash)
            for each in columns
            if each.event_id is not None
        ]

    async def keep(self, entries: Sequence[Recorded], *, at: datetime) -> Kept:
        del at
        fresh = [each for each in entries if each.position not in self.rows]
        clashes = [
            each.fault(FaultKind.OTHER_BYTES)
            for each in entries
            if each.position in self.rows and self.rows[each.position].seal != each.arrived.seal
        ]
        self.rows.update({each.position: stored(each) for each in fresh})
        return Kept(fresh, clashes)

    async def note(self, faults: Sequence[Fault], *, at: datetime) -> None:
        known = {(each.fault.kind, each.fault.position) for each in self.noted}
        for fault in faults:
            if (fault.kind, fault.position) not in known:
                self.noted.append(Violation(uuid5(an_id("violation"), str(len(self.noted))), fault, at))

    def _ordered(self) -> list[Stored]:
        return [self.rows[position] for position in sorted(self.rows)]

    async def of_package(self, package_id: PackageId) -> Sequence[Stored]:
        return [
            row
            for row in self._ordered()
            if row.stream.topic in {PACKAGES, PARKED} and row.columns.subject == str(package_id)
        ]

    async def of_subjects(self, topic: str, subjects: Sequence[str], types: Sequence[str]) -> Sequence[Stored]:
        found = [
            row
            for row in self._ordered()
            if row.stream.topic == topic and row.columns.subject in subjects and row.columns.type in types
        ]
        return sorted(found, key=lambda row: row.columns.subject)

    async def at_places(self, places: Sequence[Place]) -> Sequence[Stored]:
        found = [row for row in self._ordered() if Place(row.stream, row.columns.sequence) in places]
        return sorted(found, key=lambda row: Place(row.stream, row.columns.sequence))

    async def violations(
        self, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Violation]:
        own = [each for each in self.noted if each.fault.council in {council, ""}]
        newest = sorted(own, key=lambda each: (each.found_at, each.id), reverse=True)
        return [each for each in newest if after is None or (each.found_at, each.id) < after][:limit]

    async def by_stream(self, after: StreamName | None) -> AsyncGenerator[Stored]:
        for row in sorted(self._ordered(), key=lambda row: row.stream):
            if after is None or row.stream > after:
                yield row

    async def missing(self, *, limit: int) -> Sequence[Fault]:
        found: list[Fault] = []
        before: Position | None = None
        for position in sorted(self.rows):
            same = before is not None and (before.topic, before.partition) == (position.topic, position.partition)
            if before is not None and same and position.offset != before.offset + 1:
                columns = self.rows[position].columns
                found.append(Fault(FaultKind.MISSING, position, columns.event_id, columns.council))
            before = position
        return found[:limit]
