"""Finds sequential scans of growing tables in PostgreSQL's statistics."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.databases import connect
from bench.seed_rows import TABLES
from devstack.embedded import EmbeddedPostgres

_SETTLE: Final = 11.0
"""Seconds; an idle backend reports its statistics after ten."""
_READ: Final = "SELECT relname, seq_scan, seq_tup_read FROM pg_stat_user_tables WHERE schemaname = 'public'"


@dataclass(frozen=True)
class Scans:
    """The number of sequential scans and of the rows they read."""

    times: int
    rows: int


async def read_scans(postgres: EmbeddedPostgres) -> Mapping[str, Scans]:
    """Read the totals by table after the statistics include the last statement."""
    await asyncio.sleep(_SETTLE)
    found: dict[str, Scans] = {}
    for database in dict.fromkeys(table.database for table in TABLES):
        async with connect(postgres, database) as connection:
            for row in await connection.fetch(_READ):
                found[f"{database}.{row['relname']}"] = Scans(row["seq_scan"], row["seq_tup_read"])
    return {str(table): found[str(table)] for table in TABLES}


def subtract_scans(before: Mapping[str, Scans], now: Mapping[str, Scans]) -> dict[str, Scans]:
    """Return the tables that were scanned between two readings."""
    more = {name: Scans(now[name].times - was.times, now[name].rows - was.rows) for name, was in before.items()}
    return {name: scanned for name, scanned in more.items() if scanned.times}
