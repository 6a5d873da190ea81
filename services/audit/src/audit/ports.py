"""The Protocols of audit's handlers and routes: the store of records, and queries."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from audit.domain.archives import Archive
from audit.domain.chains import Chain
from audit.domain.records import Fault, ParsedRecord, StreamName, StreamPosition
from audit.domain.verification import StoredRecord
from contracts.ids import CouncilKey, PackageId


@dataclass(frozen=True)
class StoreResult:
    """The new records of a batch, and the faults of positions that hold other bytes already."""

    new_records: Sequence[ParsedRecord]
    conflicts: Sequence[Fault]


class RecordStore(Protocol):
    """The record, inside the transaction that stores a batch."""

    async def load_chains(self, entries: Sequence[ParsedRecord]) -> Mapping[StreamName, Chain]:
        """Returns the links of each stream of `entries` that are needed to check them; locks their partitions."""
        ...

    async def add_records(self, entries: Sequence[ParsedRecord], *, at: datetime) -> StoreResult:
        """Stores the records that are not stored yet."""
        ...

    async def add_violations(self, faults: Sequence[Fault], *, at: datetime) -> None:
        """Stores violations; one that is already stored stays as it is."""
        ...


@dataclass(frozen=True)
class Violation:
    """A fault that was found when the record arrived, with the time."""

    id: UUID
    fault: Fault
    found_at: datetime


class RecordQueries(Protocol):
    """Read-only queries."""

    async def find_by_package(self, package_id: PackageId) -> Sequence[StoredRecord]:
        """Returns all records with the package's key, including those about parked keys, in order of arrival."""
        ...

    async def find_by_subjects(
        self, topic: str, subjects: Sequence[str], types: Sequence[str]
    ) -> Sequence[StoredRecord]:
        """Returns the events of these types about any of `subjects`, in order for each subject."""
        ...

    async def find_by_positions(self, positions: Sequence[StreamPosition]) -> Sequence[StoredRecord]:
        """Returns all records at these positions; the first one at a position counts."""
        ...

    async def find_holders(self, council: CouncilKey, fragments: Sequence[bytes]) -> Sequence[str]:
        """Returns the subjects of the council's EligibilityChanged events that contain any of `fragments`."""
        ...

    async def find_placements(self, council: CouncilKey, fragment: bytes) -> Sequence[StoredRecord]:
        """Returns the council's PackagePlaced events that contain `fragment`."""
        ...

    async def list_violations(
        self, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Violation]:
        """Returns violations, newest first: in the council's events, and in records whose council cannot be read."""
        ...

    def stream_records(self, after: StreamName | None) -> AsyncGenerator[StoredRecord]:
        """Yields the records of all streams after a stream, stream by stream, each in order of arrival."""
        ...

    async def find_missing(self, *, limit: int) -> Sequence[Fault]:
        """Returns a fault for each gap in a partition's stored offsets."""
        ...


class ArchiveQueries(Protocol):
    """Read-only queries of the archives."""

    async def list_archives(self) -> Sequence[Archive]:
        """Returns the archives of the record, oldest first."""
        ...

    async def find_archives_of_package(self, package_id: PackageId, council: CouncilKey) -> Sequence[str]:
        """Returns the names of the archives that hold events of the council's package, oldest first."""
        ...

    async def compute_heads_digest(self) -> str:
        """Returns the digest of the last archived event of each stream, as `describe_head` describes it."""
        ...
