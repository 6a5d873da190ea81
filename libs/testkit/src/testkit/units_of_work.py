"""Opens units of work on PostgreSQL for tests of repositories: what was collected is applied when the block ends."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from opentelemetry.trace import INVALID_SPAN

from contracts.examples import COUNCIL
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.changes import Changes
from service_runtime.unit_of_work.claims import Executed
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)
ResultT = TypeVar("ResultT")

A_CAUSE: Final = Cause("command:test", "system:test", COUNCIL)


@dataclass(frozen=True)
class ManualClaim:
    """A claim that is always open and that records nothing."""

    stream: StreamKey
    cause: Cause = A_CAUSE
    turn_timeout: float | None = None
    begins_stream: bool = False
    even_if_parked: bool = False

    async def is_open(self, database: Database, *, at: datetime) -> bool:  # noqa: ARG002  the Protocol names them
        return True

    async def handle_parked(self, database: Database, *, at: datetime) -> None: ...

    def add_to(self, changes: Changes, result: object, *, at: datetime) -> None: ...


@dataclass(frozen=True)
class UnitsOfWork(Generic[WorkT]):
    """Executes units of work of one service, without claims."""

    executor: Executor[WorkT]

    async def run(
        self, stream: StreamKey, handle: Callable[[WorkT], Awaitable[ResultT]], *, cause: Cause = A_CAUSE
    ) -> ResultT:
        """Runs `handle` in a unit of work on `stream` and applies it. Raises what the handler raises."""
        executed = await self.executor.execute(ManualClaim(stream, cause), handle, span=INVALID_SPAN)
        assert isinstance(executed, Executed)
        return executed.result

    @asynccontextmanager
    async def open(self, stream: StreamKey, *, cause: Cause = A_CAUSE) -> AsyncGenerator[WorkT]:
        """Yields a unit of work on `stream`, and applies it when the block ends without an error."""
        opened: asyncio.Future[WorkT] = asyncio.get_running_loop().create_future()
        closed = asyncio.Event()

        async def wait_until_closed(work: WorkT) -> None:
            opened.set_result(work)
            await closed.wait()

        task = asyncio.create_task(self.run(stream, wait_until_closed, cause=cause))
        await asyncio.wait({opened, task}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        try:
            yield await opened
        except BaseException:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        closed.set()
        await task


class EachCallAlone:
    """A repository of which each call is a unit of work of its own: applied before it returns, and loaded anew.

    `build_executor` builds an executor without a cache, `get_repository` the repository of a unit of work, and
    `choose_stream` the stream of a call from its arguments.
    """

    def __init__(
        self,
        build_executor: Callable[[], Executor[Any]],
        get_repository: Callable[[Any], Any],
        choose_stream: Callable[..., StreamKey],
        *,
        cause: Cause = A_CAUSE,
    ) -> None:
        self._build_executor = build_executor
        self._get_repository = get_repository
        self._choose_stream = choose_stream
        self._cause = cause

    # Any: a call has the arguments and the result of the repository's method.
    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            async def handle(work: Any) -> Any:
                return await getattr(self._get_repository(work), name)(*arguments, **named)

            units = UnitsOfWork(self._build_executor())
            return await units.run(self._choose_stream(*arguments), handle, cause=self._cause)

        return call
