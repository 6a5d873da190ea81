"""Verification of archived journals: hashes are computed from the bytes, and chains are followed over all files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from contracts.envelope import GENESIS, Envelope
from service_runtime.outbox.journal import decode_headers
from service_runtime.retention.archive_files import ArchiveDamaged, ArchiveRefused, Manifest, decode_bytes, read_rows
from service_runtime.retention.journal_archive import POSITIONS

MAX_FAULTS: Final = 500
_NO_JOURNAL: Final = "the file is not an archive of a journal; a row lacks or has a bad value"


@dataclass(frozen=True)
class JournalFault:
    """What is wrong with one event."""

    kind: str
    position: int
    event_id: str


@dataclass
class JournalReport:
    """Counts of what was verified, and the first faults."""

    records: int = 0
    found: int = 0
    faults: list[JournalFault] = field(default_factory=list[JournalFault])
    last_hashes: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict[tuple[str, str], tuple[int, str]])
    """Version and hash of the last event of each stream, by topic and key."""

    @property
    def streams(self) -> int:
        return len(self.last_hashes)


def verify_journal(archives: Iterable[tuple[Path, Manifest]]) -> JournalReport:
    """Verifies archives of one journal, oldest first, without a gap. Raises ArchiveRefused and ArchiveDamaged.

    Chains begin at version 1 if the first archive is the first of its service; otherwise at each stream's first event.
    """
    report = JournalReport()
    following: int | None = None
    for path, manifest in archives:
        if POSITIONS not in manifest.extent:
            raise ArchiveDamaged(f"the manifest of {path} names no positions of a journal")
        first, after = manifest.extent[POSITIONS]
        if following is not None and first != following:
            raise ArchiveRefused(f"the archive before {path.name} is missing: it ends at position {first - 1}")
        from_beginning = following is not None or first == 1
        following = after
        position = first - 1
        for row in map(_read_row, read_rows(path)):
            if not position < row.position < after:
                raise ArchiveDamaged(f"{path} has position {row.position} in another place than its manifest says")
            position = row.position
            report.records += 1
            for kind in _check_row(row, report, from_beginning=from_beginning):
                _add_fault(report, JournalFault(kind, row.position, row.id))
    return report


def _add_fault(report: JournalReport, fault: JournalFault) -> None:
    report.found += 1
    if len(report.faults) < MAX_FAULTS:
        report.faults.append(fault)


@dataclass(frozen=True)
class _Row:
    """The columns of a row that are verified."""

    position: int
    id: str
    topic: str
    key: str
    version: int
    headers: Any  # text, or base64 in an object
    payload: Any
    hash: str


_ROW: Final = TypeAdapter(_Row)


def _read_row(values: Mapping[str, Any]) -> _Row:
    try:
        return _ROW.validate_python(values)
    except ValidationError:
        raise ArchiveDamaged(_NO_JOURNAL) from None


def _check_row(row: _Row, report: JournalReport, *, from_beginning: bool) -> Iterator[str]:
    try:
        envelope = Envelope.from_headers(decode_headers(decode_bytes(row.headers) or b""))
        payload = decode_bytes(row.payload) or b""
    except (KeyError, TypeError, ValueError) as error:
        raise ArchiveDamaged(_NO_JOURNAL) from error
    if envelope.compute_hash(payload) != envelope.hash or envelope.hash != row.hash:
        yield "the hash is not that of the bytes"
    if (str(envelope.id), envelope.subject, envelope.sequence) != (row.id, row.key, row.version):
        yield "the columns are not those of the envelope"
    stream = (row.topic, row.key)
    known = report.last_hashes.get(stream, (0, GENESIS) if from_beginning else None)
    if known is not None and row.version != known[0] + 1:
        yield "events before it are missing"
    elif known is not None and envelope.prevhash != known[1]:
        yield "the previous hash is not that of the event before"
    report.last_hashes[stream] = (row.version, envelope.hash)
