"""What audit's handlers and routes call: the record that grows, and questions about it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from audit.domain.chains import Chain
from audit.domain.records import Fault, Place, Recorded, StreamName
from audit.domain.verification import Stored
from contracts.ids import CouncilKey, PackageId


@dataclass(frozen=True)
class Kept:
    """What was new of a batch, and what was kept before at the same position with other bytes."""

    fresh: Sequence[Recorded]
    clashes: Sequence[Fault]


class Record(Protocol):
    """The record, inside the transaction that a batch is kept in."""

    async def chains_of(self, entries: Sequence[Recorded]) -> Mapping[StreamName, Chain]:
        """The chain of each stream of `entries` as far as they touch it; their partitions are locked from here on."""
        ...

    async def keep(self, entries: Sequence[Recorded], *, at: datetime) -> Kept:
        """Keeps what is not there yet."""
        ...

    async def note(self, faults: Sequence[Fault], *, at: datetime) -> None:
        """Puts violations on record; one that is there already stays as it is."""
        ...


@dataclass(frozen=True)
class Violation:
    """A fault that was found when the record came, and when that was."""

    id: UUID
    fault: Fault
    found_at: datetime


class RecordQueries(Protocol):
    """Questions that change nothing."""

    async def of_package(self, package_id: PackageId) -> Sequence[Stored]:
        """Everything on record under the package's key, parked keys included, in the order in which it came."""
        ...

    async def of_subjects(self, topic: str, subjects: Sequence[str], types: Sequence[str]) -> Sequence[Stored]:
        """What was said about any of `subjects` by events of these types, in order for each subject."""
        ...

    async def at_places(self, places: Sequence[Place]) -> Sequence[Stored]:
        """The events at these places; whoever came first to one has it."""
        ...

    async def violations(
        self, council: CouncilKey, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Violation]:
        """Violations in the council's events, and in what no council can be read from; the newest first."""
        ...

    def by_stream(self, after: StreamName | None) -> AsyncGenerator[Stored]:
        """The whole record behind a stream: stream by stream, each in the order in which it came."""
        ...

    async def missing(self, *, limit: int) -> Sequence[Fault]:
        """Where a partition's offsets have a gap: rows that were there are gone."""
        ...
