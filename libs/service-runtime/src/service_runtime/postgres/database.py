"""Database: a service's connection pool, transactions and statements.

asyncpg manages the pool and executes the statements; SQLAlchemy names their parameters and runs the migrations.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol

import asyncpg
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from service_runtime.postgres.connection import DEFAULT_TLS, DatabaseTls, to_dsn
from service_runtime.postgres.errors import (
    DISK_FULL,
    DRIVER_ERRORS,
    ConnectionBroken,
    StatementRefused,
    is_closed,
    is_read_only,
    needs_new_connection,
    sqlstate,
    translate,
    translate_connection_errors,
    translate_errors,
)
from service_runtime.postgres.pool_waits import PoolWaits
from service_runtime.postgres.statements import NO_VALUES, Row, Rows, Statements

# Statements find their rows by key, so a generic plan suits all values. Planning for each set of values takes longer
# than execution for some statements (decision 0021).
SERVER_SETTINGS: Final = {
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    # What a process locked that was frozen, or whose machine was lost, is free again for the others after seconds.
    "idle_in_transaction_session_timeout": "20s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_POOL_TIMEOUT: Final = 10.0
"""Seconds to wait for a free connection."""
_CLOSE_TIMEOUT: Final = 5.0
"""Seconds."""
_UNLIMITED: Final = 2**31
"""Statements after which a pooled connection is replaced: never."""


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
        with translate_errors(self._driver):
            return Rows(await self._driver.fetch(prepared.sql, *prepared.build_arguments(values)))

    async def stream(
        self, statement: TextClause, values: Mapping[str, object] = NO_VALUES, *, prefetch: int
    ) -> AsyncGenerator[Any]:
        """Yields the rows of one statement, fetched `prefetch` at a time. Raises the same errors as `execute`."""
        prepared = self._statements.prepare(statement, values)
        with translate_errors(self._driver):
            async for row in self._driver.cursor(prepared.sql, *prepared.build_arguments(values), prefetch=prefetch):
                yield row

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """Executes one statement with parameters $1, $2 … and returns its rows. Raises the same errors as `execute`."""
        with translate_errors(self._driver):
            return await self._driver.fetch(query, *arguments)

    async def run_counted(self, statement: TextClause, values: Mapping[str, object] = NO_VALUES) -> int:
        """Executes one changing statement and returns the number of rows that it affected."""
        prepared = self._statements.prepare(statement, values)
        with translate_errors(self._driver):
            status = await self._driver.execute(prepared.sql, *prepared.build_arguments(values))
        return int(status.rpartition(" ")[2])

    async def run(self, script: str) -> None:
        """Runs a script of statements without values. Raises StatementRefused and ConnectionBroken."""
        with translate_errors(self._driver):
            await self._driver.execute(script)

    async def listen(self, channel: str, receive: Callable[[str], None]) -> None:
        """Calls `receive` with the text of each notification on `channel`, as long as the connection is open."""
        with translate_errors(self._driver):
            await self._driver.add_listener(channel, lambda _, __, ___, payload: receive(payload))

    def give_up(self) -> None:
        """Closes the connection without waiting; its transaction rolls back."""
        _terminate(self._driver)


class Database:
    """One service's database, by its URL, which SQLAlchemy's `postgresql+asyncpg://…` may be as well.

    At most `pool_size` connections are open, and all stay open: a new connection costs its start and loses cached plans
    and types. No connection is opened before first use.
    """

    def __init__(self, url: str, *, name: str = "calloff", pool_size: int = 20, tls: DatabaseTls = DEFAULT_TLS) -> None:
        self.url = url
        self.pool_size = pool_size
        self._tls = tls
        self._statements = Statements()
        self._settings: dict[str, Any] = {  # asyncpg's arguments have no common type
            "server_settings": SERVER_SETTINGS | {"application_name": name},
            "timeout": 10,
            "command_timeout": 60,
            "record_class": Row,
        }
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        self._releasing: set[asyncio.Task[None]] = set()
        self._disk_full_at = -math.inf
        self.pool_waits = PoolWaits()

    @property
    def pool_usage(self) -> tuple[int, int]:
        """Connections of the pool that are open, and those of them that are idle."""
        return (0, 0) if self._pool is None else (self._pool.get_size(), self._pool.get_idle_size())

    @property
    def seconds_since_disk_full(self) -> float:
        """Seconds since the server refused a statement because its disk was full; infinity if it never did."""
        return time.monotonic() - self._disk_full_at

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """Executes one statement with parameters $1, $2 … in autocommit and returns its rows."""
        pool, driver = await self._take_from_pool()
        try:
            return await driver.fetch(query, *arguments)
        except DRIVER_ERRORS as error:
            refusal = translate(error, driver)
            await self._note_failure(pool, driver, refusal)
            raise refusal from None
        finally:
            await _release(pool, driver)

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
        with translate_connection_errors():
            connecting = asyncio.ensure_future(self._connect(to_dsn(self.url), **self._settings))
            driver = await _wait_uninterrupted(connecting, asyncpg.Connection.terminate)
        try:
            yield Connection(driver, self._statements)
        finally:
            driver.terminate()

    @asynccontextmanager
    async def open_migration_connection(self) -> AsyncGenerator[AsyncConnection]:
        """Begins a transaction on a SQLAlchemy connection, which Alembic requires."""
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda: self._connect(to_dsn(self.url)),  # SQLAlchemy reads no URL with several hosts
            poolclass=NullPool,
            hide_parameters=True,
        )
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
        except (StatementRefused, ConnectionBroken) as error:
            await self._note_failure(pool, driver, error)
            raise
        finally:
            await _release(pool, driver)

    async def _note_failure(self, pool: asyncpg.Pool, driver: asyncpg.Connection, error: Exception) -> None:
        """Closes a connection that is itself the cause of `error`; if its server is read-only, all others as well.

        After a fail-over all of them go to the former primary, and new ones to the server that took over.
        """
        if sqlstate(error) == DISK_FULL:
            self._disk_full_at = time.monotonic()
        if needs_new_connection(error):
            _terminate(driver)
        if is_read_only(error):
            await pool.expire_connections()

    async def _take_from_pool(self) -> tuple[asyncpg.Pool, asyncpg.Connection]:
        """Returns a connection and the pool to which the caller releases it."""
        pool = self._pool or await self._open_pool()
        with translate_connection_errors():
            if pool.get_idle_size():
                return pool, await pool.acquire(timeout=_POOL_TIMEOUT)
            acquiring = asyncio.ensure_future(pool.acquire(timeout=_POOL_TIMEOUT))
            with self.pool_waits.measure():
                return pool, await _wait_uninterrupted(acquiring, lambda acquired: self._release_later(pool, acquired))

    def _release_later(self, pool: asyncpg.Pool, driver: asyncpg.Connection) -> None:
        releasing = asyncio.ensure_future(_release(pool, driver))
        self._releasing.add(releasing)
        releasing.add_done_callback(self._releasing.discard)

    async def _open_pool(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    to_dsn(self.url),
                    connect=self._connect,
                    min_size=0,
                    max_size=self.pool_size,
                    max_queries=_UNLIMITED,
                    max_inactive_connection_lifetime=0,
                    reset=_keep_session,
                    **self._settings,
                )
            return self._pool

    # Any: asyncpg's arguments have no common type.
    async def _connect(self, dsn: str, **settings: Any) -> asyncpg.Connection:
        """Opens a connection; certificates that were replaced meanwhile are read anew."""
        return await asyncpg.connect(dsn, **{**settings, "ssl": self._tls.build_argument()})


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


async def _keep_session(_: asyncpg.Connection) -> None:
    """Resets nothing: a connection is released after its transaction has ended, and settings are per transaction."""


async def _release(pool: asyncpg.Pool, driver: asyncpg.Connection) -> None:
    """Returns a connection to its pool. asyncpg closes one that fails meanwhile; what was committed stays so."""
    with suppress(*DRIVER_ERRORS, OSError, TimeoutError):
        await pool.release(driver)


def _terminate(driver: asyncpg.Connection) -> None:
    if not is_closed(driver):
        driver.terminate()


async def _roll_back(connection: Connection) -> None:
    """Rolls back, or closes the connection if that fails; raises nothing, so that the first error is the one raised."""
    try:
        await connection.run("ROLLBACK")
    except (StatementRefused, ConnectionBroken, OSError, TimeoutError):
        connection.give_up()
