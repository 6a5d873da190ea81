"""PostgreSQL, seen from a service: one pool, transactions, statements, and which errors are worth another try.

SQLAlchemy keeps the pool, reads URLs and statements, and runs the migrations; statements go from here to asyncpg.
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
_TRY_AGAIN_CLASSES: Final = ("08", "53", "57P")  # connection, resources, shutdown and start-up
_QUOTES_NO_VALUES: Final = ("23", "42")  # constraints, syntax: their messages name tables and columns only


# Statements reach their rows by keys, however many there are: planned for every set of values anew, some take longer
# to plan than to run (decision 0021).
_SERVER_SETTINGS: Final = {"jit": "off", "plan_cache_mode": "force_generic_plan"}


class StatementRefused(Exception):
    """PostgreSQL refused a statement: `sqlstate` is its five-letter code, `constraint` the rule that was broken.

    What PostgreSQL says in its own words may quote a row (`Key (nhs_number)=(…) already exists`), so the details are
    left out: this error ends in spans and logs.
    """

    def __init__(self, message: str, sqlstate: str, constraint: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.constraint = constraint


class ConnectionBroken(Exception):
    """The connection ended while it was used; whether the statement was carried out is not known."""


class Connection:
    """A connection inside a transaction that somebody else will commit."""

    def __init__(self, driver: asyncpg.Connection, statements: Statements) -> None:
        self._driver = driver
        self._statements = statements

    async def execute(self, statement: TextClause, values: Mapping[str, object] = NO_VALUES) -> Rows:
        """Runs one statement. Raises StatementRefused and ConnectionBroken."""
        prepared = self._statements.prepare(statement, values)
        with _translate_errors(self._driver):
            return Rows(await self._driver.fetch(prepared.sql, *prepared.build_arguments(values)))

    async def stream(
        self, statement: TextClause, values: Mapping[str, object] = NO_VALUES, *, at_once: int
    ) -> AsyncGenerator[Any]:
        """The rows of one statement, fetched `at_once` at a time: memory stays flat. Raises as `execute` does."""
        prepared = self._statements.prepare(statement, values)
        with _translate_errors(self._driver):
            async for row in self._driver.cursor(prepared.sql, *prepared.build_arguments(values), prefetch=at_once):
                yield row

    async def run(self, script: str) -> None:
        """Runs statements without values, as they stand. Raises StatementRefused and ConnectionBroken."""
        with _translate_errors(self._driver):
            await self._driver.execute(script)

    def give_up(self) -> None:
        """Cuts the connection: its transaction ends with it."""
        self._driver.terminate()


@contextmanager
def _translate_errors(driver: asyncpg.Connection) -> Generator[None]:
    """Errors that quote nothing of what was asked."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise _to_statement_refused(error) from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        if driver.is_closed():
            raise ConnectionBroken("the connection to the database is closed") from None
        raise StatementRefused(f"{type(error).__name__}: a value does not fit its place", sqlstate="") from None


def _to_statement_refused(error: asyncpg.PostgresError) -> StatementRefused:
    code = error.sqlstate or ""
    detail = str(error.args[0]) if code.startswith(_QUOTES_NO_VALUES) else error.constraint_name or code
    return StatementRefused(f"{type(error).__name__}: {detail}", code, error.constraint_name)


class Database:
    """One service's database, by its SQLAlchemy URL (`postgresql+asyncpg://…`).

    At most `pool_size` connections are open, and all of them are kept: one that is opened for a moment's load costs its
    start, and every plan and type that it has to learn. Nothing is connected until first use.
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
            pool_reset_on_return=None,  # who borrowed a connection has ended its transaction
            connect_args=settings,
            hide_parameters=True,
        )
        self._unpooled = create_async_engine(url, poolclass=NullPool, connect_args=settings, hide_parameters=True)

    @asynccontextmanager
    async def begin_transaction(self, *, lock_timeout: str | None = None) -> AsyncGenerator[Connection]:
        """A transaction (READ COMMITTED) that commits when the block ends and rolls back when it raises.

        `lock_timeout` ('2s') is how long each of its statements waits for a lock; as long as it takes where not given.
        """
        async with _borrow_connection(self._engine) as driver:
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
        """For statements that only read, each on its own: without the two round trips that a transaction takes."""
        async with _borrow_connection(self._engine) as driver:
            yield Connection(driver, self._statements)

    async def find(self, statement: TextClause, values: Mapping[str, object] = NO_VALUES) -> list[Any]:
        """The rows of one statement that only reads; their shape is the statement's business."""
        async with self.open_read_connection() as connection:
            return (await connection.execute(statement, values)).all()

    @asynccontextmanager
    async def open_unpooled_connection(self) -> AsyncGenerator[Connection]:
        """A connection of its own, each statement its own transaction: for locks that outlast transactions."""
        async with _borrow_connection(self._unpooled) as driver:
            yield Connection(driver, self._statements)

    @asynccontextmanager
    async def open_migration_connection(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction of SQLAlchemy's own: Alembic works on nothing else."""
        async with self._engine.begin() as connection:
            yield connection

    async def close(self) -> None:
        await self._engine.dispose()
        await self._unpooled.dispose()


def _begin(lock_timeout: str | None) -> str:
    return "BEGIN" if lock_timeout is None else f"BEGIN; SET LOCAL lock_timeout = '{lock_timeout}'"


@asynccontextmanager
async def _borrow_connection(engine: AsyncEngine) -> AsyncGenerator[asyncpg.Connection]:
    """A connection of the pool's that is open; one that was closed meanwhile does not go back into it."""
    pooled = await _lend_pool_connection(engine)
    while _get_driver(pooled).is_closed():
        await greenlet_spawn(pooled.invalidate)
        pooled = await _lend_pool_connection(engine)
    try:
        yield _get_driver(pooled)
    finally:
        await greenlet_spawn(pooled.invalidate if _get_driver(pooled).is_closed() else pooled.close)


async def _lend_pool_connection(engine: AsyncEngine) -> PoolProxiedConnection:
    try:
        return await engine.raw_connection()
    except asyncpg.PostgresError as error:
        raise _to_statement_refused(error) from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise ConnectionBroken(f"no connection to the database: {type(error).__name__}") from None


def _get_driver(pooled: PoolProxiedConnection) -> asyncpg.Connection:
    driver: object = pooled.driver_connection
    assert isinstance(driver, asyncpg.Connection), "the URL names asyncpg"
    return driver


async def _roll_back(connection: Connection) -> None:
    """What broke is told by the error that is on its way already."""
    try:
        await connection.run("ROLLBACK")
    except (StatementRefused, ConnectionBroken, OSError, TimeoutError):
        connection.give_up()


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's five-letter code for `error`, None where there is none."""
    return error.sqlstate or None if isinstance(error, StatementRefused) else None


def is_serialization_failure(error: BaseException) -> bool:
    """The transaction was rolled back in favour of another one; run it again at once."""
    return sqlstate(error) in {SERIALIZATION_FAILURE, DEADLOCK_DETECTED}


def is_lock_timeout(error: BaseException) -> bool:
    """Another transaction held the row for longer than `lock_timeout`."""
    return sqlstate(error) == LOCK_NOT_AVAILABLE


def is_transient(error: BaseException) -> bool:
    """The database is away, starting, full or slow: the same work can succeed later and is never the work's fault."""
    if isinstance(error, OSError | TimeoutError | NoConnectionFree | ConnectionBroken):
        return True
    code = sqlstate(error) or ""
    return is_serialization_failure(error) or is_lock_timeout(error) or code.startswith(_TRY_AGAIN_CLASSES)
