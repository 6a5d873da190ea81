"""Checks of a service's migrations on real PostgreSQL: the schema that they build, and the rows that they keep."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from service_runtime.postgres.database import Database
from service_runtime.postgres.migrations import migrate
from service_runtime.postgres.schema import split_statements
from testkit.databases import DatabaseFactory, a_database, fetch_rows

RUNTIME_TABLES_AT_0001: Final = Path(__file__).with_name("runtime_tables_at_0001.sql")
RENAMED_TABLES: Final[Mapping[str, str]] = {
    "pulse": "heartbeat",
    "views": "projections",
    "commands": "idempotency_keys",
    "parked": "dead_letters",
}
"""Tables whose name changed since revision 0001."""
ADDED_COLUMNS: Final[Mapping[str, int]] = {
    "streams": 1,
    "projections": 1,
    "endpoints": 3,
    "deliveries": 2,
    "offers": 1,
    "purchase_orders": 2,
}
"""How many columns a table has at its end that revision 0001 does not have."""
NO_ADDED_COLUMNS: Final[Mapping[str, int]] = {}
NO_DROPPED_COLUMNS: Final[Mapping[str, Collection[str]]] = {}

_COLUMNS: Final = """
SELECT table_name, column_name
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'alembic_version'
ORDER BY table_name, ordinal_position
"""
_OBJECTS: Final = """
SELECT format('column %s.%s %s: %s%s%s%s', class.relname,
              row_number() OVER (PARTITION BY class.oid ORDER BY attribute.attnum), attribute.attname,
              format_type(attribute.atttypid, attribute.atttypmod),
              CASE WHEN attribute.attnotnull THEN ' NOT NULL' END,
              ' DEFAULT ' || pg_get_expr(fallback.adbin, fallback.adrelid),
              ' ' || nullif(concat(attribute.attidentity, attribute.attgenerated), '')) AS object
FROM pg_attribute AS attribute
JOIN pg_class AS class ON class.oid = attribute.attrelid
LEFT JOIN pg_attrdef AS fallback ON fallback.adrelid = class.oid AND fallback.adnum = attribute.attnum
WHERE class.relnamespace = CAST('public' AS regnamespace) AND class.relkind = 'r' AND attribute.attnum > 0
  AND NOT attribute.attisdropped
UNION ALL
SELECT format('table %s %s', relname, reloptions) FROM pg_class
WHERE relnamespace = CAST('public' AS regnamespace) AND relkind = 'r'
UNION ALL
SELECT format('sequence %s', relname) FROM pg_class
WHERE relnamespace = CAST('public' AS regnamespace) AND relkind = 'S'
UNION ALL
SELECT format('index %s', indexdef) FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT format('constraint %s.%s %s', CAST(conrelid AS regclass), conname, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE connamespace = CAST('public' AS regnamespace) AND contype <> 'n'
UNION ALL
SELECT format('trigger %s', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT format('function %s', pg_get_functiondef(oid)) FROM pg_proc WHERE pronamespace = CAST('public' AS regnamespace)
"""


async def assert_migrations_build(databases: DatabaseFactory, migrations: Path, tables: str) -> None:
    """Asserts that a new database, migrated to head, has the schema of the runtime's tables and of `tables`."""
    async with _an_empty_database(databases) as migrated, a_database(databases, tables) as declared:
        await migrate(migrated, migrations)
        await _assert_same_schema(migrated, declared)


async def assert_upgrade_keeps_rows(
    databases: DatabaseFactory,
    migrations: Path,
    tables: str,
    *,
    dump: Path,
    added_columns: Mapping[str, int] = NO_ADDED_COLUMNS,
    dropped_columns: Mapping[str, Collection[str]] = NO_DROPPED_COLUMNS,
    added_tables: Collection[str] = (),
) -> None:
    """Asserts that a database of revision 0001, migrated to head, keeps its rows and has the schema of the code.

    `dump` has the service's own tables at 0001 with rows; the runtime's tables are the same in every service.
    `added_columns` says how many columns a table has gained at its end, `dropped_columns` which ones it has lost, and
    `added_tables` which tables the service has gained.
    """
    async with _an_empty_database(databases) as upgraded, a_database(databases, tables) as declared:
        await _run_scripts(upgraded, RUNTIME_TABLES_AT_0001, dump)
        before = await read_all_rows(upgraded, without=dropped_columns)
        await migrate(upgraded, migrations)
        expected = {RENAMED_TABLES.get(table, table): content for table, content in before.items()}
        assert all(expected.values()), "a table of the dump has no row; add one"
        found = await read_all_rows(upgraded)
        added_tables = found.keys() - expected.keys()
        assert [row for table in added_tables for row in found.pop(table)] == [], "an added table has rows"
        added = {**ADDED_COLUMNS, **added_columns}
        kept = {table: _drop_last_columns(content, added.get(table, 0)) for table, content in found.items()}
        assert kept == expected
        await _assert_same_schema(upgraded, declared)


def _drop_last_columns(rows: list[str], count: int) -> list[str]:
    """Returns the rows without their last `count` columns; no comma is in a value of these columns."""
    return [row.rsplit(",", count)[0] + ")" if count else row for row in rows]


async def _assert_same_schema(migrated: Database, declared: Database) -> None:
    found, expected = await describe_schema(migrated), await describe_schema(declared)
    missing, surplus = sorted(expected - found), sorted(found - expected)
    assert not missing, f"declared in code, but not built by the migrations: {missing}"
    assert not surplus, f"built by the migrations, but not declared in code: {surplus}"


async def describe_schema(database: Database) -> frozenset[str]:
    """Describes each column, table, sequence, index, constraint, trigger and function in one line."""
    found = await fetch_rows(database, _OBJECTS)
    return frozenset(row.object for row in found if "alembic_version" not in row.object)


async def read_all_rows(
    database: Database, *, without: Mapping[str, Collection[str]] = NO_DROPPED_COLUMNS
) -> dict[str, list[str]]:
    """Reads every row by table, as PostgreSQL's text of a row, which has no column names."""
    columns: dict[str, list[str]] = {}
    for row in await fetch_rows(database, _COLUMNS):
        if row.column_name not in without.get(row.table_name, ()):
            columns.setdefault(row.table_name, []).append(f'"{row.column_name}"')
    queries = {table: _select(table, names) for table, names in columns.items()}
    return {table: [row.content for row in await fetch_rows(database, query)] for table, query in queries.items()}


def _select(table: str, columns: Sequence[str]) -> str:
    return f"SELECT CAST(ROW({', '.join(columns)}) AS text) AS content FROM {table} ORDER BY content"  # noqa: S608  names are from the catalogue


@asynccontextmanager
async def _an_empty_database(databases: DatabaseFactory) -> AsyncGenerator[Database]:
    database = Database(await databases.create_database("migrations"), name="migrations")
    try:
        yield database
    finally:
        await database.close()


async def _run_scripts(database: Database, *scripts: Path) -> None:
    async with database.begin_transaction() as connection:
        for script in scripts:
            for statement in split_statements(script.read_text(encoding="utf-8")):
                await connection.run(statement)
