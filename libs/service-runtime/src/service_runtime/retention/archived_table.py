"""Archived tables: what the archiver needs to know about a table whose months it moves into files."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from service_runtime.postgres.database import Connection


@dataclass(frozen=True)
class Extent:
    """The rows of a part of a table: for each numbered sequence the first number, and the number after the last."""

    ranges: Mapping[str, tuple[int, int]]


class ArchivedTable(Protocol):
    """A table that only grows. Its archived parts are the oldest rows, without a gap.

    All methods run in the transaction of the archiver, as the owner of the tables.
    """

    @property
    def kind(self) -> str:
        """The name in file names and in the table `archives`."""
        ...

    async def find_oldest(self, connection: Connection) -> datetime | None:
        """Returns the time of the oldest row that is not archived."""
        ...

    async def find_extent(self, connection: Connection, *, before: datetime) -> Extent | None:
        """Returns the extent of the oldest rows, up to the first row from `before` on. Raises ArchiveRefused."""
        ...

    def stream_rows(self, connection: Connection, extent: Extent) -> AsyncGenerator[Mapping[str, Any]]:
        """Yields the rows in the order of their numbers."""
        ...

    async def register(self, connection: Connection, name: str, extent: Extent) -> None:
        """Completes the row of `archives`, which permits to delete the rows of the extent."""
        ...

    async def delete_rows(self, connection: Connection, extent: Extent) -> int:
        """Deletes the rows, and returns their number."""
        ...

    async def insert_rows(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
        """Inserts rows that were read from an archive, and returns their number."""
        ...

    async def unregister(self, connection: Connection, name: str) -> None:
        """Undoes `register` before the row of `archives` is deleted."""
        ...
