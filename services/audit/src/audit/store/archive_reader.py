"""Reader of the record's archives: their rows in the order of the record, from one file or several."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from audit.domain.records import RawRecord, RecordPosition
from audit.domain.verification import RecordColumns, StoredRecord
from service_runtime.retention.archive_files import ArchiveDamaged, decode_bytes, read_rows


def read_archives(paths: Iterable[Path]) -> Iterator[StoredRecord]:
    """Yields the rows of all archives by topic, partition and offset; one row of each file is in memory.

    Raises ArchiveDamaged.
    """
    return heapq.merge(*map(_read_archive, paths), key=lambda row: row.raw.position)


def _read_archive(path: Path) -> Iterator[StoredRecord]:
    for row in read_rows(path):
        try:
            yield _to_stored_record(row)
        except (KeyError, TypeError, ValueError) as error:
            raise ArchiveDamaged(
                f"{path} is not an archive of audit's record; a row lacks or has a bad value"
            ) from error


def _to_stored_record(row: Mapping[str, Any]) -> StoredRecord:
    raw = RawRecord(
        RecordPosition(row["topic"], row["partition"], row["offset"]),
        key=decode_bytes(row["key"]),
        headers=decode_bytes(row["headers"]) or b"",
        payload=decode_bytes(row["payload"]),
    )
    columns = RecordColumns(
        subject=row["subject"],
        source=row["source"],
        type=row["type"],
        council=row["council"],
        sequence=row["sequence"],
        event_id=None if row["event_id"] is None else UUID(row["event_id"]),
        prevhash=row["prevhash"],
        hash=row["hash"],
    )
    return StoredRecord(raw, columns, bytes.fromhex(row["seal"]))
