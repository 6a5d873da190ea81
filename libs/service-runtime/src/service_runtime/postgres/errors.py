"""Errors of the database: translates asyncpg's, without quoting values, and decides which are transient.

A transient error is retried without limit by workers and answered 503 with Retry-After to callers. Any other error of
an event, a timer or a delivery result parks its key after three attempts. A wrong decision is expensive on both sides:
a defect that is called transient is retried for ever, and an outage that is not parks healthy keys.
"""

from collections.abc import Generator
from contextlib import contextmanager
from ssl import SSLError
from typing import Final

import asyncpg

from service_runtime.postgres.apply_function import CONFLICT

SERIALIZATION_FAILURE: Final = "40001"
DEADLOCK_DETECTED: Final = "40P01"
LOCK_NOT_AVAILABLE: Final = "55P03"
UNIQUE_VIOLATION: Final = "23505"
READ_ONLY: Final = "25006"
DISK_FULL: Final = "53100"
UNDEFINED_TABLE: Final = "42P01"
INVALID_PARAMETER: Final = "22023"
_STATEMENT_UNKNOWN: Final = "26000"

TRANSIENT: Final[dict[str, str]] = {
    "08": "the connection failed, before or during the statement",
    "53": "the server is out of disk (53100), memory or connections; it works again when there is room",
    "57P": "the server shuts down, restarts after a crash, starts (57P03), or ended an idle session",
    "58": "the server could not read or write a file (58030, 58P01): a failing or remounted disk",
    "28": "the password or pg_hba.conf was changed; the work is right, and waits until the setting is",
    "3D": "the database is missing, as during a restore",
    READ_ONLY: "the server is a standby or was made read-only, as during a fail-over",
    "25P03": "the server ended a transaction that was idle for too long",
    "25P04": "the server ended a transaction that took too long",
    _STATEMENT_UNKNOWN: "a proxy or a fail-over gave the connection to another server, without its prepared statements",
    SERIALIZATION_FAILURE: "a concurrent transaction won",
    DEADLOCK_DETECTED: "a concurrent transaction won",
    "40003": "it is not known whether the statement was executed; claims make the work count once",
    LOCK_NOT_AVAILABLE: "another transaction held a lock for longer than the `lock_timeout`",
    "55006": "the object is in use, as while a database is copied or dropped",
    "57014": "an operator or a time limit cancelled the statement",
}
"""SQLSTATEs of transient errors, by their first characters, each with the reason.

All others are of the work or of the program and do not vanish by waiting: values (22), constraints (23), state of a
transaction (25, but the above), syntax, privileges and missing tables (42), limits of a program (54), damaged data and
internal errors (XX).
"""
_TRANSIENT_PREFIXES: Final = tuple(TRANSIENT)
_CLASSES_WITHOUT_VALUES: Final = ("23", "42")  # constraints, syntax: their messages name tables and columns only

DRIVER_ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_OUTDATED: Final = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
_BUSY: Final = "another operation"
"""Part of the text of asyncpg's InterfaceError for a connection whose last operation was cut off; it has no type."""


class StatementRefused(Exception):
    """PostgreSQL refused a statement: `sqlstate` is the five-character code, `constraint` the violated constraint.

    `detail` is the text of a CONFLICT, and empty otherwise. The error is written to spans and logs, so it leaves out
    PostgreSQL's detail, which may quote a row (`Key (nhs_number)=(…) already exists`).
    """

    def __init__(self, message: str, sqlstate: str, constraint: str | None = None, detail: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.constraint = constraint
        self.detail = detail


class ConnectionBroken(Exception):
    """The connection cannot be used any more; it is not known whether the statement was executed."""


@contextmanager
def translate_errors(driver: asyncpg.Connection) -> Generator[None]:
    """Translates asyncpg's errors into StatementRefused and ConnectionBroken, which quote no values."""
    try:
        yield
    except DRIVER_ERRORS as error:
        raise translate(error, driver) from None


@contextmanager
def translate_connection_errors() -> Generator[None]:
    """Translates asyncpg's errors while a connection is opened; an OSError or TimeoutError stays as it is.

    Raises SSLError also for a certificate of the client that the server refuses after the handshake.
    """
    try:
        yield
    except asyncpg.ClientConfigurationError as error:
        message = f"{type(error).__name__}: a parameter of the URL is not valid"
        raise StatementRefused(message, INVALID_PARAMETER) from None
    except asyncpg.PostgresError as error:
        if isinstance(error.__cause__, SSLError):
            raise error.__cause__ from None
        raise _to_statement_refused(error) from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise ConnectionBroken(f"no connection to the database: {type(error).__name__}") from None


def translate(error: Exception, driver: asyncpg.Connection) -> Exception:
    """Returns the error to raise for an error of asyncpg while `driver` executed a statement."""
    if isinstance(error, _OUTDATED):
        return ConnectionBroken("a table was changed; the connection's prepared statements are outdated")
    if isinstance(error, asyncpg.PostgresError):
        return _to_statement_refused(error)
    if isinstance(error, asyncpg.InternalClientError) or is_closed(driver) or _BUSY in str(error):
        return ConnectionBroken("the connection to the database is closed")
    return StatementRefused(f"{type(error).__name__}: a value does not fit its parameter; check its type", sqlstate="")


def _to_statement_refused(error: asyncpg.PostgresError) -> StatementRefused:
    code = error.sqlstate or ""
    shown = str(error.args[0]) if code.startswith(_CLASSES_WITHOUT_VALUES) else error.constraint_name or code
    detail = str(error.args[0]) if code == CONFLICT else ""
    return StatementRefused(f"{type(error).__name__}: {shown}", code, error.constraint_name, detail)


def is_closed(driver: asyncpg.Connection) -> bool:
    """Returns True for a connection that is closed, or that its pool took back because it closed."""
    try:
        return driver.is_closed()
    except asyncpg.InterfaceError:  # every method of a pooled connection raises it once the server has closed it
        return True


def sqlstate(error: BaseException) -> str | None:
    """Returns PostgreSQL's five-character code of `error`, or None."""
    return error.sqlstate or None if isinstance(error, StatementRefused) else None


def is_serialization_failure(error: BaseException) -> bool:
    """Returns True if the transaction was rolled back for a concurrent one; it can be retried immediately."""
    return sqlstate(error) in {SERIALIZATION_FAILURE, DEADLOCK_DETECTED}


def is_lock_timeout(error: BaseException) -> bool:
    """Returns True if another transaction held a lock for longer than the `lock_timeout` of `apply_changes`."""
    return sqlstate(error) == LOCK_NOT_AVAILABLE


def is_read_only(error: BaseException) -> bool:
    """Returns True if the server takes no changes: a standby, or a primary that was made read-only."""
    return sqlstate(error) == READ_ONLY


def needs_new_connection(error: BaseException) -> bool:
    """Returns True if the connection itself is in the way, so that the pool must not keep it."""
    return isinstance(error, ConnectionBroken) or sqlstate(error) in {READ_ONLY, _STATEMENT_UNKNOWN}


def is_transient(error: BaseException) -> bool:
    """Returns True if the database is down, starting, read-only, full or slow: the same work can succeed later."""
    if isinstance(error, OSError | TimeoutError | ConnectionBroken):
        return True
    return (sqlstate(error) or "").startswith(_TRANSIENT_PREFIXES)
