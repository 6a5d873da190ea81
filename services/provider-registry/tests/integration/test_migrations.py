"""The migrations build the tables that the code declares."""

from pathlib import Path
from typing import Final

import provider_registry
from provider_registry.store import TABLES
from testkit.migrations import assert_migrations_build
from testkit.servers import TestPostgres

MIGRATIONS: Final = Path(provider_registry.__file__).parent / "migrations"


async def test_a_new_database_has_the_tables_that_the_code_declares(postgres: TestPostgres) -> None:
    await assert_migrations_build(postgres, MIGRATIONS, TABLES)
