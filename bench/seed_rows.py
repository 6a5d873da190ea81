"""Seeds tables with years of work: copies the rows of some real packages many times under new ids.

A copy's ids begin with its number, in all databases alike; so a copied package hangs together as its original does, and
new packages, whose ids begin with the time, come after all of them, as they would. Each copy lies six hours further in
the past: what is asked since an instant (placements since a provider declared its capacity) is asked of years. What is
copied cannot be verified: journals and queues are copied without their payloads (nobody reads them again, and a million
of them fill a disk), and audit's record not at all.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import asyncpg

from bench.databases import connect
from contracts.catalogue import PACKAGES
from devstack.embedded import EmbeddedPostgres

_OF_PACKAGES: Final = f"topic = '{PACKAGES}'"
_INSTANT: Final = "timestamp with time zone"
_QUEUE_SIZE: Final = 64
"""Chunks that may be read ahead of writing."""


@dataclass(frozen=True)
class SeededTable:
    """A table that grows with the packages: columns with ids, columns with a number suffix, and emptied columns."""

    database: str
    name: str
    ids: tuple[str, ...]
    numbered: tuple[str, ...] = ()
    bytes: tuple[str, ...] = ()
    only: str = "true"

    def __str__(self) -> str:
        return f"{self.database}.{self.name}"

    def render_column(self, column: str, kind: str) -> str:
        """Return the SQL expression for a column of copy `number`."""
        if column in self.ids:
            return f"CAST(lpad(to_hex(number), 8, '0') || substr(CAST({column} AS text), 9) AS {kind})"
        if column in self.numbered:
            return f"{column} || '-' || number"
        if kind == _INSTANT:
            return f"{column} - number * interval '6 hours'"
        return "CAST('' AS bytea)" if column in self.bytes else column


def _list_runtime_tables(database: str) -> tuple[SeededTable, ...]:
    return (
        SeededTable(database, "streams", ids=("key",), only=_OF_PACKAGES),
        SeededTable(database, "journal", ids=("id", "key"), bytes=("headers", "payload"), only=_OF_PACKAGES),
        SeededTable(database, "inbox", ids=("event_id",)),
    )


TABLES: Final = (
    *_list_runtime_tables("referral"),
    SeededTable("referral", "idempotency_keys", ids=(), numbered=("idempotency_key",)),
    SeededTable("referral", "referrals", ids=("package_id", "referral_id"), numbered=("person_key",)),
    SeededTable("referral", "persons", ids=("package_id",)),
    SeededTable("referral", "history", ids=("package_id",)),
    *_list_runtime_tables("sourcing"),
    SeededTable("sourcing", "idempotency_keys", ids=(), numbered=("idempotency_key",)),
    SeededTable("sourcing", "searches", ids=("package_id", "search_id")),
    SeededTable("sourcing", "offers", ids=("offer_id", "package_id")),
    SeededTable("sourcing", "placements", ids=("placement_id", "package_id", "offer_id")),
    *_list_runtime_tables("provider_registry"),
    SeededTable("provider_registry", "deliveries", ids=("id", "key", "about"), bytes=("body",), only=_OF_PACKAGES),
    SeededTable("provider_registry", "delivery_attempts", ids=("delivery_id",)),
    *_list_runtime_tables("pricing"),
    SeededTable("pricing", "purchase_orders", ids=("order_id", "package_id", "placement_id"), numbered=("reference",)),
)
"""Tables in the order of their foreign keys."""

_COLUMNS: Final = """
    SELECT attname AS name, format_type(atttypid, atttypmod) AS kind FROM pg_attribute
    WHERE attrelid = CAST(CAST($1 AS text) AS regclass) AND attnum > 0 AND NOT attisdropped
      AND attgenerated = '' AND attidentity = ''
    ORDER BY attnum
"""
_KEEP: Final = "CREATE UNLOGGED TABLE original.{name} AS SELECT * FROM public.{name} WHERE {only}"
# All rows of one copy come together, as they would have come: the condition on the number keeps it outside.
_COPIES: Final = """
    SELECT {columns} FROM generate_series({first}, {last}) AS copy (number)
    CROSS JOIN LATERAL (SELECT * FROM original.{name} WHERE number > 0 OFFSET 0) AS original
"""
_COUNT: Final = "SELECT count(*) FROM original.searches"


@dataclass
class RowSeeder:
    """The original packages and the number of their copies."""

    postgres: EmbeddedPostgres
    packages: int
    copies: int = 0

    @classmethod
    async def snapshot(cls, postgres: EmbeddedPostgres) -> "RowSeeder":
        """Use the packages that exist now as originals."""
        for database, tables in _group_by_database():
            async with connect(postgres, database) as connection:
                await connection.execute("CREATE SCHEMA original")
                for table in tables:
                    await connection.execute(_KEEP.format(name=table.name, only=table.only))
        async with connect(postgres, "sourcing") as connection:
            return cls(postgres, await connection.fetchval(_COUNT))

    async def seed(self, packages: int) -> None:
        """Copy until this number of packages exists, all databases concurrently."""
        copies = packages // self.packages
        if copies > self.copies:
            await asyncio.gather(
                *(self._fill(database, tables, self.copies + 1, copies) for database, tables in _group_by_database())
            )
            self.copies = copies
        async with connect(self.postgres) as connection:
            await connection.execute("CHECKPOINT")

    async def _fill(self, database: str, tables: Sequence[SeededTable], first: int, last: int) -> None:
        async with connect(self.postgres, database) as source, connect(self.postgres, database) as target:
            await target.execute("SET session_replication_role = replica")  # foreign keys hold as those copied did
            for table in tables:
                await _copy_table(table, first, last, source, target)
            await target.execute("VACUUM (ANALYZE)")


def _group_by_database() -> list[tuple[str, list[SeededTable]]]:
    return [(database, list(tables)) for database, tables in groupby(TABLES, key=lambda table: table.database)]


async def _copy_table(
    table: SeededTable, first: int, last: int, source: asyncpg.Connection, target: asyncpg.Connection
) -> None:
    """Stream COPY output into COPY input with a few chunks in memory."""
    kinds = {row["name"]: row["kind"] for row in await source.fetch(_COLUMNS, f"public.{table.name}")}
    columns = ", ".join(table.render_column(name, kind) for name, kind in kinds.items())
    copies = _COPIES.format(columns=columns, first=first, last=last, name=table.name)
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUE_SIZE)

    async def read() -> None:
        await source.copy_from_query(copies, output=queue.put, format="binary")
        await queue.put(None)

    async def stream_chunks() -> AsyncGenerator[bytes]:
        while (chunk := await queue.get()) is not None:
            yield chunk

    async with asyncio.TaskGroup() as both:
        both.create_task(read())
        both.create_task(target.copy_to_table(table.name, source=stream_chunks(), columns=list(kinds), format="binary"))
