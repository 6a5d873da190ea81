"""Claim of a due timer: the transaction that deletes the timer's row also handles the timer."""

from dataclasses import dataclass

from service_runtime.postgres.database import Connection
from service_runtime.timers import timers
from service_runtime.timers.timers import DueTimer
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork


@dataclass(frozen=True)
class TimerClaim:
    """Claims a timer by deleting its row; a cancelled timer has no row."""

    timer: DueTimer
    service: str

    @property
    def stream(self) -> StreamKey:
        return self.timer.stream

    @property
    def cause(self) -> Cause:
        cause = f"timer:{self.timer.kind}:{self.timer.armed_by}"
        return Cause(cause, f"service:{self.service}", self.timer.council, self.timer.traceparent)

    @property
    def lock_timeout(self) -> None:
        """None: timers wait for the lock of their stream without a limit."""

    async def lock(self, connection: Connection) -> Stream:
        return await streams.lock_stream(connection, self.stream)

    async def acquire(self, connection: Connection, stream: Stream, work: PostgresUnitOfWork) -> bool:
        if stream.parked:
            return False
        return await timers.claim_due(connection, self.timer, now=work.now)

    async def finish(self, connection: Connection, result: object) -> None:
        """Stores nothing: a timer has no response."""
