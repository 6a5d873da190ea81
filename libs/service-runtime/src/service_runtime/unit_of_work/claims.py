"""Claims and jobs: what the executor executes, and what comes of it."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from opentelemetry.trace import Span

from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.changes import Changes
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)
ResultT = TypeVar("ResultT")
ResultT_contra = TypeVar("ResultT_contra", contravariant=True)


class Claim(Protocol[ResultT_contra]):
    """A claim of a trigger, applied with its effects so that the trigger counts once."""

    @property
    def stream(self) -> StreamKey: ...
    @property
    def cause(self) -> Cause: ...

    @property
    def turn_timeout(self) -> float | None:
        """Seconds to wait for the stream's turn; None for no limit."""
        ...

    @property
    def begins_stream(self) -> bool:
        """True if the stream need not be loaded: it has most likely no row. If it has one, that is a conflict."""
        ...

    @property
    def even_if_parked(self) -> bool: ...

    async def is_open(self, database: Database, *, at: datetime) -> bool:
        """False if the trigger was claimed before or cancelled; asked after a conflict or before an error is raised."""
        ...

    async def handle_parked(self, database: Database, *, at: datetime) -> None:
        """Does what remains to be done while the stream is parked. Raises RevisionConflict if it is not parked now."""
        ...

    def add_to(self, changes: Changes, result: ResultT_contra, *, at: datetime) -> None:
        """Adds the claim, and what is kept of the result, to the changes of the unit of work."""
        ...


@dataclass(frozen=True)
class Executed(Generic[ResultT]):
    """The handler ran and its effects are committed."""

    result: ResultT


class Skipped:
    """The handler did not run: the trigger was handled before, cancelled, or its key is parked."""


@dataclass(frozen=True)
class Job(Generic[WorkT]):
    """A claim with its handler, for execution in order with other jobs of its stream."""

    claim: Claim[Any]  # Any: the result is the handler's
    handle: Callable[[WorkT], Awaitable[Any]]
    span: Callable[[], AbstractContextManager[Span]]


@dataclass(frozen=True)
class Outcomes:
    """The outcomes of jobs in their order, up to the first that failed, and its error."""

    done: Sequence[Executed[Any] | Skipped]
    error: Exception | None
