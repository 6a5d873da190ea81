"""Archives of the record: what is known of each, and the verification of their rows from the first event on.

The rows of an archive are in the order of topic, partition and offset, and archives follow each other in each
partition. Merged by that order, they are the beginning of the record.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from audit.domain.records import Fault, FaultKind, StreamName
from audit.domain.verification import StoredRecord, VerificationReport, Verifier


@dataclass(frozen=True)
class Archive:
    """One archive of the record, as it was written."""

    name: str
    month: date
    row_count: int
    sha256: str
    archived_at: datetime


@dataclass(frozen=True)
class ArchivedPart:
    """The result of a verification of archives."""

    report: VerificationReport
    streams: int
    heads_digest: str
    """Digest of the last event of each stream, which equals that of the service if its record continues there."""


def describe_head(stream: StreamName, sequence: int, event_hash: str) -> bytes:
    """Returns the bytes that stand for the last archived event of a stream in a digest of all of them."""
    return "\0".join((stream.topic, stream.subject, stream.source, str(sequence), event_hash, "")).encode()


class ArchiveVerifier:
    """Verifies merged rows; keeps the chains of one partition in memory."""

    def __init__(self) -> None:
        self._report = VerificationReport()
        self._digest = hashlib.sha256()
        self._partition: tuple[str, int] | None = None
        self._next_offset = 0
        self._stream_count = 0
        self._streams: dict[StreamName, Verifier] = {}
        self._heads: dict[StreamName, tuple[int, str]] = {}

    def verify(self, rows: Iterable[StoredRecord]) -> ArchivedPart:
        for row in rows:
            self._add(row)
        self._end_partition()
        return ArchivedPart(self._report, self._stream_count, self._digest.hexdigest())

    def _add(self, row: StoredRecord) -> None:
        position = row.raw.position
        if (position.topic, position.partition) != self._partition:
            self._end_partition()
            self._partition, self._next_offset = (position.topic, position.partition), 0
        if position.offset != self._next_offset:
            missing = Fault(FaultKind.MISSING, position, row.columns.event_id, row.columns.council)
            self._report.add_faults([missing])
        self._next_offset = position.offset + 1
        self._report.add(row, self._streams.setdefault(row.stream, Verifier()).check(row))
        if row.columns.event_id is not None and row.columns.sequence > self._heads.get(row.stream, (0, ""))[0]:
            self._heads[row.stream] = (row.columns.sequence, row.columns.hash)

    def _end_partition(self) -> None:
        for stream, (sequence, event_hash) in sorted(self._heads.items(), key=lambda head: head[0]):
            self._digest.update(describe_head(stream, sequence, event_hash))
        self._stream_count += len(self._streams)
        self._streams, self._heads = {}, {}
