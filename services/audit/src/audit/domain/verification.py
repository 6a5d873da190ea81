"""Verification: everything is computed again from the stored bytes, and whatever does not fit is named."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.domain.chains import Chain, Link
from audit.domain.records import Arrived, Fault, FaultKind, Recorded, StreamName, read

MOST_FAULTS: Final = 500
"""Listed in one report; all of them are counted."""


@dataclass(frozen=True)
class Columns:
    """What a stored row says beside its bytes, so that it can be found; all of it follows from the bytes."""

    subject: str
    source: str
    type: str
    council: str
    sequence: int
    event_id: UUID | None
    prevhash: str
    hash: str

    @classmethod
    def of(cls, entry: Recorded) -> "Columns":
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
class Stored:
    """One row of the record as it stands now."""

    arrived: Arrived
    columns: Columns
    seal: bytes

    @property
    def stream(self) -> StreamName:
        """The stream that the row is filed under."""
        return StreamName(self.arrived.position.topic, self.columns.subject, self.columns.source)


@dataclass(frozen=True)
class Checked:
    """A row that was read and verified."""

    entry: Recorded
    faults: tuple[Fault, ...]

    @property
    def verified(self) -> bool:
        return not self.faults


def by_itself(row: Stored) -> Checked:
    """The row without those beside it: its seal, its columns, its hash, its type and its owner."""
    entry = read(row.arrived)
    altered = row.seal != row.arrived.seal or row.columns != Columns.of(entry)
    kinds = (FaultKind.ALTERED, *entry.faults) if altered else entry.faults
    return Checked(entry, tuple(_named(row, entry, kind) for kind in kinds))


def _named(row: Stored, entry: Recorded, kind: FaultKind) -> Fault:
    """By the row's own columns, because its bytes may not tell any more which event it was."""
    return Fault(kind, row.arrived.position, row.columns.event_id or entry.event_id, row.columns.council)


class Verifier:
    """Checks rows that come in their order; it remembers a stream only as long as that goes on."""

    def __init__(self) -> None:
        self._stream: StreamName | None = None
        self._chain = Chain()

    def check(self, row: Stored) -> Checked:
        if row.stream != self._stream:
            self._stream, self._chain = row.stream, Chain()
        alone = by_itself(row)
        if alone.entry.envelope is None:
            return alone
        kinds = self._chain.follow(Link.of(alone.entry.envelope))
        return Checked(alone.entry, (*alone.faults, *(_named(row, alone.entry, kind) for kind in kinds)))


def in_their_streams(rows: Iterable[Stored]) -> Iterator[Checked]:
    """Every row in the order given, where streams come mingled: each is followed for itself."""
    verifiers: dict[StreamName, Verifier] = {}
    for row in rows:
        yield verifiers.setdefault(row.stream, Verifier()).check(row)


class Report:
    """Counts what was verified, and lists the first faults of however many there are."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.records = 0
        self.streams = 0
        self.found = 0
        self.faults: list[Fault] = []
        self._stream: StreamName | None = None
        self._add(faults)

    def add(self, row: Stored, checked: Checked) -> None:
        self.records += 1
        self.streams += row.stream != self._stream
        self._stream = row.stream
        self._add(checked.faults)

    def _add(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.found += 1
            if len(self.faults) < MOST_FAULTS:
                self.faults.append(fault)
