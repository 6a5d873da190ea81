"""Dead letters: release of a parked key (failed event, later events, timers, in this order) and discard of an event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import text

from service_runtime.dead_letters import parked_keys as parking
from service_runtime.dead_letters.parked_keys import ParkedKey
from service_runtime.kafka.consumer import EventHandler
from service_runtime.kafka.records import Record
from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.unit_of_work.wakeups import Wakeups

WorkT = TypeVar("WorkT", bound=PostgresUnitOfWork)

_SEND_AGAIN = text(
    """
    UPDATE outbox SET refused_because = NULL FROM journal
    WHERE journal.position = outbox.position AND topic = :topic AND key = :key AND refused_because IS NOT NULL
    """
)


@dataclass(frozen=True)
class Release:
    """What came of a release."""

    handled: int
    still_parked: bool


class DeadLetterOperations(Generic[WorkT]):
    """What an operator can do about parked keys."""

    def __init__(self, performer: Executor[WorkT], handling: EventHandler[WorkT], wakeups: Wakeups) -> None:
        self._performer = performer
        self._handling = handling
        self._wakeups = wakeups

    async def list_keys(self) -> Sequence[ParkedKey]:
        async with self._performer.database.begin_transaction() as connection:
            return await parking.list_parked_keys(connection)

    async def release(self, stream: StreamKey) -> Release | None:
        """Handles what waits, each event in a transaction of its own; None when the key is not parked.

        An event that fails again stays first in line, and the key stays parked.
        """
        if not await self._is_parked(stream):
            return None
        handled = 0
        while (record := await self._find_first_or_unpark(stream)) is not None:
            try:
                await self._handling.execute(record, releasing=True)
            except Exception as error:  # noqa: BLE001  whatever it was: the operator is told, and the key stays parked
                await self._describe_failure(record, error)
                return Release(handled, still_parked=True)
            handled += 1
        self._wakeups.relay.notify()
        self._wakeups.timers.notify()
        self._wakeups.webhooks.notify()
        return Release(handled, still_parked=False)

    async def discard(self, event_id: UUID, *, because: str) -> bool:
        """Takes a failed event out of the line unhandled; False when there is no such event."""
        async with self._performer.database.begin_transaction() as connection:
            return await parking.discard(connection, event_id, because=because, at=self._performer.clock.now())

    async def _is_parked(self, stream: StreamKey) -> bool:
        return any(key.stream == stream for key in await self.list_keys())

    async def _find_first_or_unpark(self, stream: StreamKey) -> Record | None:
        """The first in line; with nobody left the key is free, decided under its lock so that nobody joins."""
        async with self._performer.database.begin_transaction() as connection:
            await streams.lock_stream(connection, stream)
            waiting = await parking.find_first_event(connection, stream)
            if waiting is not None:
                return Record.from_stored(stream, *waiting)
            await self._unpark(connection, stream)
            return None

    async def _unpark(self, connection: Connection, stream: StreamKey) -> None:
        await connection.execute(_SEND_AGAIN, {"topic": stream.topic, "key": stream.key})
        await parking.unpark(connection, stream)

    async def _describe_failure(self, record: Record, error: Exception) -> None:
        because = f"{record.envelope.type} could not be handled: {type(error).__name__}"
        async with self._performer.database.begin_transaction() as connection:
            await parking.park_key(
                connection,
                record.stream,
                service=self._performer.service,
                council=record.envelope.council,
                because=because,
                at=self._performer.clock.now(),
                record=record,
            )
