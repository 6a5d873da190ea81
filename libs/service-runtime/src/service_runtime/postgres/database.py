"""Database: a service's connection pool, transactions, statements, and the classification of errors.

asyncpg manages the pool and executes the statements; SQLAlchemy names their parameters and runs the migrations.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Protocol

import asyncpg
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from service_runtime.postgres.apply_function import CONFLICT
from service_runtime.postgres.statements import NO_VALUES, Row, Rows, Statements

SERIALIZATION_FAILURE: Final = "40001"
DEADLOCK_DETECTED: Final = "40P01"
LOCK_NOT_AVAILABLE: Final = "55P03"
UNIQUE_VIOLATION: Final = "23505"
_TRANSIENT_CLASSES: Final = ("08", "53", "57P")  # connection, resources, shutdown and start-up
_CLASSES_WITHOUT_VALUES: Final = ("23", "42")  # constraints, syntax: their messages name tables and columns only
_DRIVER_ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

# Statements find their rows by key, so a generic plan suits all values. Planning for each set of values takes longer
# than execution for some statements (decision 0021).
_SERVER_SETTINGS: Final = {"jit": "off", "plan_cache_mode": "force_generic_plan"}
_POOL_TIMEOUT: Final = 10.0
"""Seconds to wait for a free connection."""
_CLOSE_TIMEOUT: Final = 5.0
"""Seconds."""
_UNLIMITED: Final = 2**31
"""Statements after which a pooled connection is replaced: never."""


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
    """The connection closed during use; it is not known whether the statement was executed."""


class Reader(Protocol):
    """Executes statements that only read."""

    async def execute(self, statement: TextClause, values: Mapping[str, object] = NO_VALUES) -> Rows:
        """Executes one statement and returns its rows. Raises StatementRefused and ConnectionBroken."""
        ...


class Connection:
    """A connection, usually in a transaction; the caller that began the transaction commits it."""

    def __init__(self, driver: asyncpg.Connection, statements: Statements) -> None:
        self._driver = driver
        self._statements = statements

    async def execute(self, statement: TextClause, values: Mapping[str, object] = NO_VALUES) -> Rows:
        """Executes one statement and returns its rows. Raises StatementRefused and ConnectionBroken."""
        prepared = self._statements.prepare(statement, values)
        with _translate_errors(self._driver):
            return Rows(await self._driver.fetch(prepared.sql, *prepared.build_arguments(values)))

    async def stream(
        self, statement: TextClause, values: Mapping[str, object] = NO_VALUES, *, prefetch: int
    ) -> AsyncGenerator[Any]:
        """Yields the rows of one statement, fetched `prefetch` at a time. Raises the same errors as `execute`."""
        prepared = self._statements.prepare(statement, values)
        with _translate_errors(self._driver):
            async for row in self._driver.cursor(prepared.sql, *prepared.build_arguments(values), prefetch=prefetch):
                yield row

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """Executes one statement with parameters $1, $2 … and returns its rows. Raises the same errors as `execute`."""
        with _translate_errors(self._driver):
            return await self._driver.fetch(query, *arguments)

    async def run_counted(self, statement: TextClause, values: Mapping[str, object] = NO_VALUES) -> int:
        """Executes one changing statement and returns the number of rows that it affected."""
        prepared = self._statements.prepare(statement, values)
        with _translate_errors(self._driver):
            status = await self._driver.execute(prepared.sql, *prepared.build_arguments(values))
        return int(status.rpartition(" ")[2])

    async def run(self, script: str) -> None:
        """Runs a script of statements without values. Raises StatementRefused and ConnectionBroken."""
        with _translate_errors(self._driver):
            await self._driver.execute(script)

    def give_up(self) -> None:
        """Closes the connection without waiting; its transaction rolls back."""
        self._driver.terminate()


@contextmanager
def _translate_errors(driver: asyncpg.Connection) -> Generator[None]:
    """Translates asyncpg's errors into StatementRefused and ConnectionBroken, which quote no values."""
    try:
        yield
    except _DRIVER_ERRORS as error:
        raise _translate(error, driver) from None


def _translate(error: Exception, driver: asyncpg.Connection) -> Exception:
    if isinstance(error, asyncpg.PostgresError):
        return _to_statement_refused(error)
    if driver.is_closed():
        return ConnectionBroken("the connection to the database is closed")
    return StatementRefused(f"{type(error).__name__}: a value does not fit its parameter; check its type", sqlstate="")


def _to_statement_refused(error: asyncpg.PostgresError) -> StatementRefused:
    code = error.sqlstate or ""
    shown = str(error.args[0]) if code.startswith(_CLASSES_WITHOUT_VALUES) else error.constraint_name or code
    detail = str(error.args[0]) if code == CONFLICT else ""
    return StatementRefused(f"{type(error).__name__}: {shown}", code, error.constraint_name, detail)


class Database:
    """One service's database, by its SQLAlchemy URL (`postgresql+asyncpg://…`).

    At most `pool_size` connections are open, and all stay open: a new connection costs its start and loses cached plans
    and types. No connection is opened before first use.
    """

    def __init__(self, url: str, *, name: str = "calloff", pool_size: int = 20) -> None:
        self.url = url
        self._pool_size = pool_size
        self._statements = Statements()
        self._settings: dict[str, Any] = {  # asyncpg's arguments have no common type
            "server_settings": _SERVER_SETTINGS | {"application_name": name},
            "timeout": 10,
            "command_timeout": 60,
            "record_class": Row,
        }
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        self._releasing: set[asyncio.Task[None]] = set()

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """Executes one statement with parameters $1, $2 … in autocommit and returns its rows."""
        pool, driver = await self._take_from_pool()
        try:
            return await driver.fetch(query, *arguments)
        except _DRIVER_ERRORS as error:
            raise _translate(error, driver) from None
        finally:
            await pool.release(driver)

    @asynccontextmanager
    async def begin_transaction(self) -> AsyncGenerator[Connection]:
        """Begins a transaction (READ COMMITTED) that commits when the block ends and rolls back when it raises."""
        async with self._acquire_connection() as driver:
            connection = Connection(driver, self._statements)
            try:
                await connection.run("BEGIN")
                yield connection
                await connection.run("COMMIT")
            except BaseException:
                await _roll_back(connection)
                raise

    @asynccontextmanager
    async def open_read_connection(self) -> AsyncGenerator[Connection]:
        """Opens a connection without a transaction for reads; saves the two round trips of BEGIN and COMMIT."""
        async with self._acquire_connection() as driver:
            yield Connection(driver, self._statements)

    async def find(self, statement: TextClause, values: Mapping[str, object] = NO_VALUES) -> list[Any]:
        """Executes one reading statement without a transaction and returns its rows."""
        async with self.open_read_connection() as connection:
            return (await connection.execute(statement, values)).all()

    @asynccontextmanager
    async def open_unpooled_connection(self) -> AsyncGenerator[Connection]:
        """Opens a connection outside the pool, in autocommit: for locks that outlast transactions."""
        with _translate_connection_errors():
            connecting = asyncio.ensure_future(asyncpg.connect(_to_dsn(self.url), **self._settings))
            driver = await _wait_uninterrupted(connecting, asyncpg.Connection.terminate)
        try:
            yield Connection(driver, self._statements)
        finally:
            driver.terminate()

    @asynccontextmanager
    async def open_migration_connection(self) -> AsyncGenerator[AsyncConnection]:
        """Begins a transaction on a SQLAlchemy connection, which Alembic requires."""
        engine = create_async_engine(self.url, poolclass=NullPool, hide_parameters=True)
        try:
            async with engine.begin() as connection:
                yield connection
        finally:
            await engine.dispose()

    async def close(self) -> None:
        """Closes the pool; connections that are still used after _CLOSE_TIMEOUT are cut."""
        if self._pool is None:
            return
        pool, self._pool = self._pool, None
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await pool.close()
        except TimeoutError:
            pool.terminate()

    @asynccontextmanager
    async def _acquire_connection(self) -> AsyncGenerator[asyncpg.Connection]:
        pool, driver = await self._take_from_pool()
        try:
            yield driver
        finally:
            await pool.release(driver)

    async def _take_from_pool(self) -> tuple[asyncpg.Pool, asyncpg.Connection]:
        """Returns a connection and the pool to which the caller releases it."""
        pool = self._pool or await self._open_pool()
        with _translate_connection_errors():
            if pool.get_idle_size():
                return pool, await pool.acquire(timeout=_POOL_TIMEOUT)
            acquiring = asyncio.ensure_future(pool.acquire(timeout=_POOL_TIMEOUT))
            return pool, await _wait_uninterrupted(acquiring, lambda acquired: self._release_later(pool, acquired))

    def _release_later(self, pool: asyncpg.Pool, driver: asyncpg.Connection) -> None:
        releasing = asyncio.ensure_future(pool.release(driver))
        self._releasing.add(releasing)
        releasing.add_done_callback(self._releasing.discard)

    async def _open_pool(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    _to_dsn(self.url),
                    min_size=0,
                    max_size=self._pool_size,
                    max_queries=_UNLIMITED,
                    max_inactive_connection_lifetime=0,
                    reset=_keep_session,
                    **self._settings,
                )
            return self._pool


async def _wait_uninterrupted(
    connecting: "asyncio.Task[asyncpg.Connection]", dispose: Callable[[asyncpg.Connection], object]
) -> asyncpg.Connection:
    """Waits for a connection that is being opened; if the caller is cancelled, it is opened and disposed of.

    asyncpg leaves the connection open if it is cancelled while it connects.
    """
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        connecting.add_done_callback(lambda task: task.cancelled() or task.exception() or dispose(task.result()))
        raise


def _to_dsn(url: str) -> str:
    assert url.startswith("postgresql+asyncpg://"), "the database URL must begin with postgresql+asyncpg://"
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


async def _keep_session(_: asyncpg.Connection) -> None:
    """Resets nothing: a connection is released after its transaction has ended, and settings are per transaction."""


@contextmanager
def _translate_connection_errors() -> Generator[None]:
    """Translates asyncpg's errors while a connection is opened; an OSError or TimeoutError stays as it is."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise _to_statement_refused(error) from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise ConnectionBroken(f"no connection to the database: {type(error).__name__}") from None


async def _roll_back(connection: Connection) -> None:
    """Rolls back, or closes the connection if that fails; raises nothing, so that the first error is the one raised."""
    try:
        await connection.run("ROLLBACK")
    except (StatementRefused, ConnectionBroken, OSError, TimeoutError):
        connection.give_up()


def sqlstate(error: BaseException) -> str | None:
    """Returns PostgreSQL's five-character code of `error`, or None."""
    return error.sqlstate or None if isinstance(error, StatementRefused) else None


def is_serialization_failure(error: BaseException) -> bool:
    """Returns True if the transaction was rolled back for a concurrent one; it can be retried immediately."""
    return sqlstate(error) in {SERIALIZATION_FAILURE, DEADLOCK_DETECTED}


def is_lock_timeout(error: BaseException) -> bool:
    """Returns True if another transaction held a lock for longer than the `lock_timeout` of `apply_changes`."""
    return sqlstate(error) == LOCK_NOT_AVAILABLE


def is_transient(error: BaseException) -> bool:
    """Returns True if the database is down, starting, full or slow: the same work can succeed later."""
    if isinstance(error, OSError | TimeoutError | ConnectionBroken):
        return True
    code = sqlstate(error) or ""
    return is_serialization_failure(error) or is_lock_timeout(error) or code.startswith(_TRANSIENT_CLASSES)
