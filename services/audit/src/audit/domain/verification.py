"""Verification: hashes, columns and chains are computed again from the stored bytes; each difference is a fault."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.domain.chains import Chain, Link
from audit.domain.records import Fault, FaultKind, ParsedRecord, RawRecord, StreamName, parse_record

MAX_FAULTS: Final = 500
"""Faults listed in one report; all of them are counted."""


@dataclass(frozen=True)
class RecordColumns:
    """The columns of a stored row that make it findable; all of them are derived from its bytes."""

    subject: str
    source: str
    type: str
    council: str
    sequence: int
    event_id: UUID | None
    prevhash: str
    hash: str

    @classmethod
    def from_record(cls, entry: ParsedRecord) -> "RecordColumns":
        envelope, stream = entry.envelope, entry.stream
        if envelope is None:
            return cls("", "", "", "", 0, None, "", "")
        return cls(
            subject=stream.subject,
            source=stream.source,
            type=envelope.type,
            council=envelope.council,
            sequence=envelope.sequence,
            event_id=envelope.id,
            prevhash=envelope.prevhash,
            hash=envelope.hash,
        )


@dataclass(frozen=True)
class StoredRecord:
    """One row of the record as it stands now."""

    raw: RawRecord
    columns: RecordColumns
    seal: bytes
    archived: Link | None = None
    """The last archived event of the stream, where the chain in the database begins."""

    @property
    def stream(self) -> StreamName:
        """The stream that the row is filed under."""
        return StreamName(self.raw.position.topic, self.columns.subject, self.columns.source)


@dataclass(frozen=True)
class VerifiedRecord:
    """A row that was read and verified."""

    entry: ParsedRecord
    faults: tuple[Fault, ...]

    @property
    def verified(self) -> bool:
        return not self.faults


def verify_record(row: StoredRecord) -> VerifiedRecord:
    """Verifies a row by itself: its seal, columns, hash, type and owner; its chain is not checked."""
    entry = parse_record(row.raw)
    altered = row.seal != row.raw.seal or row.columns != RecordColumns.from_record(entry)
    kinds = (FaultKind.ALTERED, *entry.faults) if altered else entry.faults
    return VerifiedRecord(entry, tuple(_make_fault(row, entry, kind) for kind in kinds))


def _make_fault(row: StoredRecord, entry: ParsedRecord, kind: FaultKind) -> Fault:
    """Identifies the event by the row's columns, because altered bytes may not identify it any more."""
    return Fault(kind, row.raw.position, row.columns.event_id or entry.event_id, row.columns.council)


class Verifier:
    """Verifies rows in stream order; keeps the chain of the current stream only."""

    def __init__(self) -> None:
        self._stream: StreamName | None = None
        self._chain = Chain()

    def check(self, row: StoredRecord) -> VerifiedRecord:
        if row.stream != self._stream:
            self._stream, self._chain = row.stream, Chain(archived=row.archived)
        alone = verify_record(row)
        if alone.entry.envelope is None:
            return alone
        # A repeat of an archived event was compared with it on arrival.
        kinds = [
            kind
            for kind in self._chain.append(Link.from_envelope(alone.entry.envelope))
            if kind is not FaultKind.IN_ARCHIVE
        ]
        return VerifiedRecord(alone.entry, (*alone.faults, *(_make_fault(row, alone.entry, kind) for kind in kinds)))


def verify_streams(rows: Iterable[StoredRecord]) -> Iterator[VerifiedRecord]:
    """Verifies rows of several streams in any order of streams, each with a chain of its own."""
    verifiers: dict[StreamName, Verifier] = {}
    for row in rows:
        yield verifiers.setdefault(row.stream, Verifier()).check(row)


class VerificationReport:
    """Counts verified records, and lists the first faults."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.records = 0
        self.streams = 0
        self.found = 0
        self.faults: list[Fault] = []
        self._stream: StreamName | None = None
        self.add_faults(faults)

    def add(self, row: StoredRecord, checked: VerifiedRecord) -> None:
        self.records += 1
        self.streams += row.stream != self._stream
        self._stream = row.stream
        self.add_faults(checked.faults)

    def add_faults(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.found += 1
            if len(self.faults) < MAX_FAULTS:
                self.faults.append(fault)
