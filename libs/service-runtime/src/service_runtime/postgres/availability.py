"""Availability: whether the database takes changes now, for readiness checks."""

import asyncio
import ssl
from typing import Final

from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Connection, Database
from service_runtime.postgres.errors import DISK_FULL, INVALID_PARAMETER, READ_ONLY, StatementRefused, sqlstate
from service_runtime.tls import explain_tls_error

CHECK_TIMEOUT: Final = 2.0
"""Seconds."""
DISK_FULL_MEMORY: Final = 5.0
"""Seconds after the last statement that the full disk refused: workers try again much more often."""
_IS_READ_ONLY: Final = "SELECT current_setting('transaction_read_only') = 'on' AS read_only"
_REASONS: Final = (
    (READ_ONLY, "the database is read-only: a standby, or a primary that was made read-only; it must take changes"),
    (DISK_FULL, "the disk of the database is full; make room on it"),
    ("53", "the database is out of memory or connections"),
    ("57P03", "the database is starting or shutting down"),
    ("28", "the database refuses the login; check role and password in CALLOFF_DATABASE_URL, and pg_hba.conf"),
    ("3D", "the database of CALLOFF_DATABASE_URL does not exist"),
    (INVALID_PARAMETER, "a parameter in CALLOFF_DATABASE_URL has a value that PostgreSQL refuses"),
    ("42704", "CALLOFF_DATABASE_URL has a parameter that PostgreSQL does not know; write what follows `?` anew"),
    ("42501", "the role of CALLOFF_DATABASE_URL lacks privileges; `migrate` gives them, and GRANT CONNECT the first"),
)
URL_VARIABLE: Final = "CALLOFF_DATABASE_URL"
_REFUSALS: Final = ("28", "3D", INVALID_PARAMETER, "42704", "42501")
"""Beginnings of SQLSTATEs that no waiting changes."""
_FILES: Final = "CALLOFF_DATABASE_SSLROOTCERT, CALLOFF_DATABASE_SSLCERT"
_NO_TLS: Final = "rejected SSL upgrade"
"""Part of the text of asyncpg's ConnectionError for a server without TLS; it has no type."""


async def explain_unavailability(database: Database, log: Logger) -> str | None:
    """Returns None if the database takes changes, otherwise the reason, at most CHECK_TIMEOUT seconds later."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            await _check(database)
    except Exception as error:  # noqa: BLE001  whatever it is, the service cannot work
        log.warning("the database takes no changes", error=type(error).__name__, sqlstate=sqlstate(error))
        return explain_refusal(error) or _explain(error)
    return None


async def check_primary(connection: Connection) -> None:
    """Raises StatementRefused if the server takes no changes: it is a standby, or another one has taken over."""
    if (await connection.fetch(_IS_READ_ONLY))[0].read_only:
        raise StatementRefused("the server takes no changes", READ_ONLY)


async def _check(database: Database) -> None:
    async with database.open_read_connection() as connection:
        await check_primary(connection)
    if database.seconds_since_disk_full < DISK_FULL_MEMORY:
        raise StatementRefused("the disk is full", DISK_FULL)


def explain_refusal(error: Exception, variable: str = URL_VARIABLE) -> str | None:
    """Returns the reason in words if the database refuses this process whenever it tries, else None.

    `variable` names the setting with the login.
    """
    if isinstance(error, ssl.SSLError):
        problem = explain_tls_error(error)
        return f"TLS with PostgreSQL fails: {problem}; check {_FILES} and the host's name"
    if isinstance(error, ConnectionError) and _NO_TLS in str(error):
        return "PostgreSQL offers no TLS, which CALLOFF_DATABASE_SSLMODE asks for; set `ssl = on` at the server"
    if (sqlstate(error) or "").startswith(_REFUSALS):
        return _explain(error).replace(URL_VARIABLE, variable)
    return None


def _explain(error: Exception) -> str:
    code = sqlstate(error) or ""
    return next((reason for start, reason in _REASONS if code.startswith(start)), "the database is not available")
