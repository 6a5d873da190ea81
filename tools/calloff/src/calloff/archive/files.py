"""Archive files: which table they are of, their verification, and the events of one package in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from audit.domain.archives import ArchivedPart, ArchiveVerifier
from audit.domain.names import Names
from audit.domain.trail import TrailLine, list_events, select_first_occurrences, write_trail
from audit.domain.verification import verify_streams
from audit.store.archive import ARCHIVED_TOPICS
from audit.store.archive_reader import read_archives
from contracts.ids import CouncilKey
from service_runtime.retention.archive_files import ArchiveDamaged, ArchiveRefused, Manifest, open_archive
from service_runtime.retention.journal_verification import verify_journal

RECORD: Final = "record"
JOURNAL: Final = "journal"


@dataclass(frozen=True)
class ArchiveSet:
    """Archives of one table of one service, oldest first; each file is the one that its manifest describes."""

    files: Sequence[tuple[Path, Manifest]]

    @property
    def kind(self) -> str:
        return self.files[0][1].kind

    @property
    def paths(self) -> list[Path]:
        return [path for path, _ in self.files]


@dataclass(frozen=True)
class ArchiveResult:
    """The result of a verification of archives."""

    records: int
    streams: int
    found: int
    faults: Sequence[tuple[object, ...]]
    """What, where and which event, for each of the first faults."""
    heads_digest: str | None = None
    """For archives of the record: the digest of each stream's last event."""


def open_archives(paths: Iterable[Path]) -> ArchiveSet:
    """Raises ArchiveDamaged if a file was changed, ArchiveRefused if the files are not of one table."""
    files = sorted(((path, open_archive(path)) for path in paths), key=lambda file: file[1].month)
    tables = sorted({f"{manifest.service}'s {manifest.kind}" for _, manifest in files})
    if len(tables) > 1:
        raise ArchiveRefused(f"the files are of {' and '.join(tables)}; verify each of them by itself")
    return ArchiveSet(files)


def verify_archives(archives: ArchiveSet) -> ArchiveResult:
    """Computes hashes and chains again from the bytes of the files. Raises ArchiveRefused and ArchiveDamaged."""
    result = _verify(archives)
    expected = sum(manifest.row_count for _, manifest in archives.files)
    if result.records != expected:
        raise ArchiveDamaged(f"the files have {result.records} rows, not {expected} as their manifests say")
    return result


def _verify(archives: ArchiveSet) -> ArchiveResult:
    if archives.kind == JOURNAL:
        report = verify_journal(archives.files)
        rows = [(fault.kind, f"position {fault.position}", fault.event_id) for fault in report.faults]
        return ArchiveResult(report.records, report.streams, report.found, rows)
    return _to_result(ArchiveVerifier().verify(read_archives(archives.paths)))


def _to_result(part: ArchivedPart) -> ArchiveResult:
    rows: list[tuple[object, ...]] = []
    for fault in part.report.faults:
        position = fault.position
        rows.append((fault.kind, f"{position.topic}/{position.partition} at {position.offset}", fault.event_id))
    return ArchiveResult(part.report.records, part.streams, part.report.found, rows, part.heads_digest)


def read_trail(archives: ArchiveSet, package_id: UUID) -> list[TrailLine]:
    """Returns the trail of a package as far as it is in the archives. Raises ArchiveRefused if they are no record."""
    if archives.kind != RECORD:
        raise ArchiveRefused(f"a trail is in archives of audit's record; these are of a {archives.kind}")
    rows = [
        row
        for row in read_archives(archives.paths)
        if row.columns.subject == str(package_id) and row.raw.position.topic in ARCHIVED_TOPICS
    ]
    if not rows:
        return []
    verified = select_first_occurrences(verify_streams(rows), CouncilKey(rows[0].columns.council))
    return write_trail(verified, Names.from_events(list_events(verified), {}))
