"""The migrations build the tables that the code declares, and keep the rows of an older database."""

from pathlib import Path
from typing import Final

import sourcing
from sourcing.store import TABLES
from testkit.migrations import assert_migrations_build, assert_upgrade_keeps_rows
from testkit.servers import TestPostgres

MIGRATIONS: Final = Path(sourcing.__file__).parent / "migrations"
DUMP: Final = Path(__file__).with_name("tables_at_0001.sql")
ADDED_COLUMNS: Final = {"searches": 5, "offers": 8, "placements": 4}
DROPPED_COLUMNS: Final = {"searches": ("tier", "list_version")}


async def test_a_new_database_has_the_tables_that_the_code_declares(postgres: TestPostgres) -> None:
    await assert_migrations_build(postgres, MIGRATIONS, TABLES)


async def test_a_database_of_released_code_is_upgraded_with_its_rows(postgres: TestPostgres) -> None:
    await assert_upgrade_keeps_rows(
        postgres,
        MIGRATIONS,
        TABLES,
        dump=DUMP,
        added_columns=ADDED_COLUMNS,
        dropped_columns=DROPPED_COLUMNS,
    )
