"""Operations on dead letters: list parked keys, release a key, discard a failed event.

A release handles the failed event, then the later events of its key; then its timers are due again.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import text

from service_runtime.dead_letters import parked_keys
from service_runtime.dead_letters.bulk_release import BulkRelease, Release, ReleaseFilter, release_matching
from service_runtime.dead_letters.parked_keys import ParkedKey
from service_runtime.kafka.event_handler import EventHandler
from service_runtime.kafka.records import Record
from service_runtime.postgres.database import Connection
from service_runtime.postgres.errors import is_transient
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


class DeadLetterOperations(Generic[WorkT]):
    """Lists, releases and discards dead letters for an operator."""

    def __init__(self, executor: Executor[WorkT], handling: EventHandler[WorkT], wakeups: Wakeups) -> None:
        self._executor = executor
        self._handling = handling
        self._wakeups = wakeups

    async def list_keys(self) -> Sequence[ParkedKey]:
        async with self._executor.database.begin_transaction() as connection:
            return await parked_keys.list_parked_keys(connection)

    async def release(self, stream: StreamKey) -> Release | None:
        """Handles the key's stored events in order, each in its own transaction. Returns None if the key is not parked.

        If an event fails again, it stays first in the queue, the key stays parked and the release ends.
        """
        if not await self._is_parked(stream):
            return None
        handled = 0
        while (record := await self._find_first_or_unpark(stream)) is not None:
            try:
                await self._handling.execute(record, releasing=True)
            except Exception as error:
                if is_transient(error):  # says nothing about the event; the operator's request is answered 503
                    raise
                await self._store_failure(record, error)
                return Release(handled, still_parked=True)
            handled += 1
        self._wakeups.relay.notify()
        self._wakeups.timers.notify()
        self._wakeups.webhooks.notify()
        return Release(handled, still_parked=False)

    async def release_all(
        self, selection: ReleaseFilter, *, skip: int = 0, limit: int, dry_run: bool = False
    ) -> BulkRelease:
        """Releases at most `limit` keys that match, the longest parked first; goes on after one that fails again."""
        release = None if dry_run else self.release
        return await release_matching(await self.list_keys(), selection, skip=skip, limit=limit, release=release)

    async def discard(self, event_id: UUID, *, because: str) -> bool:
        """Removes a failed event without handling it. Returns False if there is no failed event with this id."""
        async with self._executor.database.begin_transaction() as connection:
            return await parked_keys.discard(connection, event_id, because=because, at=self._executor.clock.now())

    async def _is_parked(self, stream: StreamKey) -> bool:
        return any(key.stream == stream for key in await self.list_keys())

    async def _find_first_or_unpark(self, stream: StreamKey) -> Record | None:
        """Returns the first stored event of the key; if there is none, unparks the key and returns None.

        Both happen under the stream's lock, so that no event is stored behind a key that has just been unparked.
        """
        async with self._executor.database.begin_transaction() as connection:
            await streams.lock_stream(connection, stream)
            stored = await parked_keys.find_first_event(connection, stream)
            if stored is not None:
                return Record.from_stored(stream, *stored)
            await self._unpark(connection, stream)
            return None

    async def _unpark(self, connection: Connection, stream: StreamKey) -> None:
        await connection.execute(_SEND_AGAIN, {"topic": stream.topic, "key": stream.key})
        await parked_keys.unpark(connection, stream)

    async def _store_failure(self, record: Record, error: Exception) -> None:
        because = f"{record.envelope.type} could not be handled: {type(error).__name__}"
        async with self._executor.database.begin_transaction() as connection:
            await parked_keys.park_key(
                connection,
                record.stream,
                service=self._executor.service,
                council=record.envelope.council,
                because=because,
                at=self._executor.clock.now(),
                record=record,
            )
