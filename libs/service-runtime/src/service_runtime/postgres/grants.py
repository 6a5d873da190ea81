"""Grants: what the role of a service may do with the tables that the migration role owns.

The owner of a table may disable its triggers and drop it. Therefore the role that runs the migrations owns schema,
tables and functions, and the service's role gets only what its statements need: it reads and appends to the journal,
and can neither change nor empty it (decision 0029).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

READ: Final = "SELECT"
APPEND: Final = "SELECT, INSERT"
CHANGE: Final = "SELECT, INSERT, UPDATE, DELETE"
PRIVILEGES: Final[Mapping[str, str]] = {
    "alembic_version": READ,
    "archives": READ,
    "journal": APPEND,
    "inbox": APPEND,
    "outages": APPEND,
}
"""Privileges on the runtime's tables, where they are not CHANGE."""

_LIST_TABLES: Final = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
_IS_OWNER: Final = text("SELECT current_user = :role")


async def grant_privileges(
    connection: AsyncConnection, role: str, *, append_only: Sequence[str] = (), read_only: Sequence[str] = ()
) -> None:
    """Gives `role` its privileges on all tables, and takes any others from it; does nothing if it is the owner.

    `append_only` are the service's own tables whose rows are never changed, `read_only` those that only the owner of
    the database writes.
    """
    if (await connection.execute(_IS_OWNER, {"role": role})).scalar_one():
        return
    tables = (await connection.scalars(_LIST_TABLES)).all()
    privileges = PRIVILEGES | dict.fromkeys(append_only, APPEND) | dict.fromkeys(read_only, READ)
    name = _quote(role)
    statements = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}",
        f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {name}",
        f"GRANT USAGE ON SCHEMA public TO {name}",
        *[f"GRANT {privileges.get(table, CHANGE)} ON {_quote(table)} TO {name}" for table in tables],
    ]
    for statement in statements:
        await connection.execute(text(statement))


def _quote(name: str) -> str:
    """Quotes an identifier: statements about privileges take no parameters."""
    return '"' + name.replace('"', '""').replace(":", "\\:") + '"'
