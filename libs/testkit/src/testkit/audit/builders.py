"""Builders of audit's records, and an in-memory record store that passes the same test suite as PostgreSQL's."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from audit.domain.chains import Chain, Link
from audit.domain.records import (
    Fault,
    FaultKind,
    ParsedRecord,
    RawRecord,
    RecordPosition,
    StreamName,
    StreamPosition,
    encode_headers,
)
from audit.domain.verification import RecordColumns, StoredRecord, VerifiedRecord, verify_streams
from audit.ports import StoreResult, Violation
from contracts.catalogue import PACKAGES, PARKED, encode, find_entry
from contracts.envelope import GENESIS, Envelope
from contracts.events.base import Event
from contracts.events.providers import EligibilityChanged, ProviderRegistered
from contracts.events.searches import PackagePlaced, StageCandidate
from contracts.examples import COUNCIL, MONDAY_NINE, an_example_of, an_id
from contracts.ids import CouncilKey, PackageId, ProviderId, uuid7

PACKAGE: Final = PackageId(an_id("package_id"))


def to_provider_id(name: str) -> ProviderId:
    return ProviderId(an_id(name))


def make_registration(name: str) -> ProviderRegistered:
    return ProviderRegistered(provider_id=to_provider_id(name), name=name)


def make_candidate(provider_id: ProviderId, rank: int, **grounds: object) -> StageCandidate:
    """Builds a candidate of tier 1; `grounds` are what its turn follows from, else none is recorded."""
    nothing = dict.fromkeys(("number", "price", "last_award_at", "joined_on"))
    return an_example_of(StageCandidate, **{"provider_id": provider_id, "rank": rank, **nothing, **grounds})


@dataclass
class RecordBuilder:
    """Builds records as the services' outbox relays send them: numbered, chained, one partition for each topic."""

    at: datetime = MONDAY_NINE
    council: CouncilKey = COUNCIL
    _last_envelopes: dict[StreamName, Envelope] = field(default_factory=dict[StreamName, Envelope])
    _offsets: dict[str, int] = field(default_factory=dict[str, int])
    _envelope_count: int = 0

    def make_envelope(
        self, event: Event, *, cause: str = "command:test", actor: str = "", source: str = ""
    ) -> Envelope:
        """Builds the envelope that continues the event's stream, one second after the previous envelope."""
        entry = find_entry(type(event))
        stream = StreamName(entry.topic, event.key, source or f"/calloff/{entry.owner}")
        before = self._last_envelopes.get(stream)
        self._envelope_count += 1
        self.at += timedelta(seconds=1)
        sealed = Envelope(
            id=uuid7(self.at, random_bits=self._envelope_count),
            source=stream.source,
            type=event.get_type_name(),
            subject=event.key,
            time=self.at,
            council=self.council,
            correlationid=event.correlation,
            causationid=cause,
            actor=actor or f"service:{entry.owner}",
            sequence=before.sequence + 1 if before else 1,
            prevhash=before.hash if before else GENESIS,
        ).seal(encode(event))
        self._last_envelopes[stream] = sealed
        return sealed

    def make_record(self, envelope: Envelope, event: Event) -> RawRecord:
        """Builds a record at the next offset of the event's topic. A second call with the same envelope repeats it."""
        return self.make_raw_record(find_entry(type(event)).topic, event.key.encode(), envelope, encode(event))

    def make_raw_record(
        self, topic: str, key: bytes | None, envelope: Envelope | None, payload: bytes | None
    ) -> RawRecord:
        """Builds a record at the next offset of `topic`; without envelope or payload it cannot be parsed."""
        offset = self._offsets.get(topic, 0)
        self._offsets[topic] = offset + 1
        headers = [] if envelope is None else envelope.to_headers()
        return RawRecord(RecordPosition(topic, 0, offset), key=key, headers=encode_headers(headers), payload=payload)

    def publish(self, *events: Event, cause: str = "command:test", actor: str = "") -> list[RawRecord]:
        """Builds the records of `events`, each of which continues its stream."""
        return [self.make_record(self.make_envelope(each, cause=cause, actor=actor), each) for each in events]


def to_stored(entry: ParsedRecord) -> StoredRecord:
    """Converts a parsed record to the row that audit stores for it."""
    return StoredRecord(entry.raw, RecordColumns.from_record(entry), entry.raw.seal)


def verify(entries: Iterable[ParsedRecord]) -> list[VerifiedRecord]:
    """Verifies the records of each stream."""
    return list(verify_streams(to_stored(each) for each in entries))


@dataclass
class InMemoryRecordStore:
    """The record store and its queries in memory."""

    rows: dict[RecordPosition, StoredRecord] = field(default_factory=dict[RecordPosition, StoredRecord])
    found_violations: list[Violation] = field(default_factory=list[Violation])

    async def load_chains(self, entries: Sequence[ParsedRecord]) -> Mapping[StreamName, Chain]:
        streams = {each.stream for each in entries if each.envelope is not None}
        return {stream: Chain(self._list_links(stream)) for stream in streams}

    def _list_links(self, stream: StreamName) -> list[Link]:
        columns = [row.columns for row in self._sort_rows() if row.stream == stream]
        return [
            Link(each.sequence, each.event_id, each.prevhash, each.hash)
            for each in columns
            if each.event_id is not None
        ]

    async def add_records(self, entries: Sequence[ParsedRecord], *, at: datetime) -> StoreResult:
        del at
        fresh = [each for each in entries if each.position not in self.rows]
        clashes = [
            each.make_fault(FaultKind.OTHER_BYTES)
            for each in entries
            if each.position in self.rows and self.rows[each.position].seal != each.raw.seal
        ]
        self.rows.update({each.position: to_stored(each) for each in fresh})
        return StoreResult(fresh, clashes)

    async def add_violations(self, faults: Sequence[Fault], *, at: datetime) -> None:
        known = {(each.fault.kind, each.fault.position) for each in self.found_violations}
        for fault in faults:
            if (fault.kind, fault.position) not in known:
                self.found_violations.append(
                    Violation(uuid5(an_id("violation"), str(len(self.found_violations))), fault, at)
                )

    def _sort_rows(self) -> list[StoredRecord]:
        return [self.rows[position] for position in sorted(self.rows)]

    async def find_by_package(self, package_id: PackageId) -> Sequence[StoredRecord]:
        return [
            row
            for row in self._sort_rows()
            if row.stream.topic in {PACKAGES, PARKED} and row.columns.subject == str(package_id)
        ]

    async def find_by_subjects(
        self, topic: str, subjects: Sequence[str], types: Sequence[str]
    ) -> Sequence[StoredRecord]:
        found = [
            row
            for row in self._sort_rows()
            if row.stream.topic == topic and row.columns.subject in subjects and row.columns.type in types
        ]
        return sorted(found, key=lambda row: row.columns.subject)

    async def find_by_positions(self, positions: Sequence[StreamPosition]) -> Sequence[StoredRecord]:
        found = [row for row in self._sort_rows() if StreamPosition(row.stream, row.columns.sequence) in positions]
        return sorted(found, key=lambda row: StreamPosition(row.stream, row.columns.sequence))

    async def find_holders(self, council: CouncilKey, fragments: Sequence[bytes]) -> Sequence[str]:
        found = self._find_by_contents(EligibilityChanged, council, fragments)
        return sorted({row.columns.subject for row in found})

    async def find_placements(self, council: CouncilKey, fragment: bytes) -> Sequence[StoredRecord]:
        return self._find_by_contents(PackagePlaced, council, [fragment])

    def _find_by_contents(
        self, kind: type[Event], council: CouncilKey, fragments: Sequence[bytes]
    ) -> Sequence[StoredRecord]:
        return [
            row
            for row in self._sort_rows()
            if (row.columns.type, row.columns.council) == (kind.get_type_name(), council)
            and any(fragment in (row.raw.payload or b"") for fragment in fragments)
        ]

    async def list_violations(
        self, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Violation]:
        own = [each for each in self.found_violations if each.fault.council in {council, ""}]
        newest = sorted(own, key=lambda each: (each.found_at, each.id), reverse=True)
        return [each for each in newest if after is None or (each.found_at, each.id) < after][:limit]

    async def stream_records(self, after: StreamName | None) -> AsyncGenerator[StoredRecord]:
        for row in sorted(self._sort_rows(), key=lambda row: row.stream):
            if after is None or row.stream > after:
                yield row

    async def find_missing(self, *, limit: int) -> Sequence[Fault]:
        found: list[Fault] = []
        before: RecordPosition | None = None
        for position in sorted(self.rows):
            same = before is not None and (before.topic, before.partition) == (position.topic, position.partition)
            if before is not None and same and position.offset != before.offset + 1:
                columns = self.rows[position].columns
                found.append(Fault(FaultKind.MISSING, position, columns.event_id, columns.council))
            before = position
        return found[:limit]
