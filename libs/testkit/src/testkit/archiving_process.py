"""A process that archives the journal and stops at one step, so that a test can kill it there.

`python -m testkit.archiving_process URL FOLDER STEP` prints STEP when it has reached it, and waits to be killed.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any, Final

from contracts.examples import MONDAY_NINE
from service_runtime.postgres.database import Connection, Database
from service_runtime.retention.archived_table import Extent
from service_runtime.retention.archiver import Archiver
from service_runtime.retention.journal_archive import JournalTable

STEPS: Final = ("file begun", "file written", "month listed", "rows deleted")


class InterruptedTable(JournalTable):
    """The journal, whose archiver stops at `step`."""

    def __init__(self, step: str) -> None:
        self._step = step

    async def stream_rows(self, connection: Connection, extent: Extent) -> AsyncGenerator[Mapping[str, Any]]:
        async for row in super().stream_rows(connection, extent):
            yield row
            await self._stop_at("file begun")

    async def register(self, connection: Connection, name: str, extent: Extent) -> None:
        await self._stop_at("file written")
        await super().register(connection, name, extent)
        await self._stop_at("month listed")

    async def delete_rows(self, connection: Connection, extent: Extent) -> int:
        deleted = await super().delete_rows(connection, extent)
        await self._stop_at("rows deleted")
        return deleted

    async def _stop_at(self, step: str) -> None:
        if step == self._step:
            sys.stdout.write(f"{step}\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


async def archive(url: str, folder: Path, step: str) -> None:
    archiver = Archiver(Database(url, name="archiving"), "sample", [InterruptedTable(step)])
    await archiver.archive(folder, keep_months=1, now=MONDAY_NINE)


if __name__ == "__main__":
    asyncio.run(archive(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
