"""Database: a service's connection pool, transactions, statements, and the classification of errors.

SQLAlchemy manages the pool, parses URLs and statements, and runs the migrations; statements are executed by asyncpg.
"""

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import asyncpg
from sqlalchemy import TextClause
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool, PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from service_runtime.postgres.statements import NO_VALUES, Row, Rows, Statements

SERIALIZATION_FAILURE: Final = "40001"
DEADLOCK_DETECTED: Final = "40P01"
LOCK_NOT_AVAILABLE: Final = "55P03"
_TRANSIENT_CLASSES: Final = ("08", "53", "57P")  # connection, resources, shutdown and start-up
_CLASSES_WITHOUT_VALUES: Final = ("23", "42")  # constraints, syntax: their messages name tables and columns only


# Statements find their rows by key, so a generic plan suits all values. Planning for each set of values takes longer
# than execution for some statements (decision 0021).
_SERVER_SETTINGS: Final = {"jit": "off", "plan_cache_mode": "force_generic_plan"}


class StatementRefused(Exception):
    """PostgreSQL refused a statement: `sqlstate` is the five-character code, `constraint` the violated constraint.

    The error is written to spans and logs, so it leaves out PostgreSQL's detail, which may quote a row
    (`Key (nhs_number)=(…) already exists`).
    """

    def __init__(self, message: str, sqlstate: str, constraint: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.constraint = constraint


class ConnectionBroken(Exception):
    """The connection closed during use; it is not known whether the statement was executed."""


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
    except asyncpg.PostgresError as error:
        raise _to_statement_refused(error) from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        if driver.is_closed():
            raise ConnectionBroken("the connection to the database is closed") from None
        raise StatementRefused(
            f"{type(error).__name__}: a value does not fit its parameter; check its type", sqlstate=""
        ) from None


def _to_statement_refused(error: asyncpg.PostgresError) -> StatementRefused:
    code = error.sqlstate or ""
    detail = str(error.args[0]) if code.startswith(_CLASSES_WITHOUT_VALUES) else error.constraint_name or code
    return StatementRefused(f"{type(error).__name__}: {detail}", code, error.constraint_name)


class Database:
    """One service's database, by its SQLAlchemy URL (`postgresql+asyncpg://…`).

    At most `pool_size` connections are open, and all stay open: a new connection costs its start and loses cached plans
    and types. No connection is opened before first use.
    """

    def __init__(self, url: str, *, name: str = "calloff", pool_size: int = 20) -> None:
        self.url = url
        self._statements = Statements()
        settings = {
            "server_settings": _SERVER_SETTINGS | {"application_name": name},
            "timeout": 10,
            "command_timeout": 60,
            "record_class": Row,
        }
        self._engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_reset_on_return=None,  # a connection is returned after its transaction has ended
            connect_args=settings,
            hide_parameters=True,
        )
        self._unpooled = create_async_engine(url, poolclass=NullPool, connect_args=settings, hide_parameters=True)

    @asynccontextmanager
    async def begin_transaction(self, *, lock_timeout: str | None = None) -> AsyncGenerator[Connection]:
        """Begins a transaction (READ COMMITTED) that commits when the block ends and rolls back when it raises.

        `lock_timeout` ('2s') limits how long each statement waits for a lock; None is no limit.
        """
        async with _acquire_connection(self._engine) as driver:
            connection = Connection(driver, self._statements)
            try:
                await connection.run(_begin(lock_timeout))
                yield connection
                await connection.run("COMMIT")
            except BaseException:
                await _roll_back(connection)
                raise

    @asynccontextmanager
    async def open_read_connection(self) -> AsyncGenerator[Connection]:
        """Opens a connection without a transaction for reads; saves the two round trips of BEGIN and COMMIT."""
        async with _acquire_connection(self._engine) as driver:
            yield Connection(driver, self._statements)

    async def find(self, statement: TextClause, values: Mapping[str, object] = NO_VALUES) -> list[Any]:
        """Executes one reading statement without a transaction and returns its rows."""
        async with self.open_read_connection() as connection:
            return (await connection.execute(statement, values)).all()

    @asynccontextmanager
    async def open_unpooled_connection(self) -> AsyncGenerator[Connection]:
        """Opens a connection outside the pool, in autocommit: for locks that outlast transactions."""
        async with _acquire_connection(self._unpooled) as driver:
            yield Connection(driver, self._statements)

    @asynccontextmanager
    async def open_migration_connection(self) -> AsyncGenerator[AsyncConnection]:
        """Begins a transaction on a SQLAlchemy connection, which Alembic requires."""
        async with self._engine.begin() as connection:
            yield connection

    async def close(self) -> None:
        await self._engine.dispose()
        await self._unpooled.dispose()


def _begin(lock_timeout: str | None) -> str:
    return "BEGIN" if lock_timeout is None else f"BEGIN; SET LOCAL lock_timeout = '{lock_timeout}'"


@asynccontextmanager
async def _acquire_connection(engine: AsyncEngine) -> AsyncGenerator[asyncpg.Connection]:
    """Acquires an open connection from the pool; invalidates closed ones instead of returning them to the pool."""
    pooled = await _get_pooled_connection(engine)
    while _get_driver(pooled).is_closed():
        await greenlet_spawn(pooled.invalidate)
        pooled = await _get_pooled_connection(engine)
    try:
        yield _get_driver(pooled)
    finally:
        await greenlet_spawn(pooled.invalidate if _get_driver(pooled).is_closed() else pooled.close)


async def _get_pooled_connection(engine: AsyncEngine) -> PoolProxiedConnection:
    try:
        return await engine.raw_connection()
    except asyncpg.PostgresError as error:
        raise _to_statement_refused(error) from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise ConnectionBroken(f"no connection to the database: {type(error).__name__}") from None


def _get_driver(pooled: PoolProxiedConnection) -> asyncpg.Connection:
    driver: object = pooled.driver_connection
    assert isinstance(driver, asyncpg.Connection), "the database URL must begin with postgresql+asyncpg://"
    return driver


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
    """Returns True if another transaction held a lock for longer than `lock_timeout`."""
    return sqlstate(error) == LOCK_NOT_AVAILABLE


def is_transient(error: BaseException) -> bool:
    """Returns True if the database is down, starting, full or slow: the same work can succeed later."""
    if isinstance(error, OSError | TimeoutError | NoConnectionFree | ConnectionBroken):
        return True
    code = sqlstate(error) or ""
    return is_serialization_failure(error) or is_lock_timeout(error) or code.startswith(_TRANSIENT_CLASSES)
