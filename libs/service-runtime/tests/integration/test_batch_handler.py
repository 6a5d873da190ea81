"""The batch handler: a record that makes a batch fail is isolated; errors that no record causes are raised."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import pytest
from sqlalchemy import text

from contracts.catalogue import PACKAGES
from service_runtime.clock import SystemClock
from service_runtime.dead_letters.unreadable_records import UnreadableRecords
from service_runtime.kafka.batch_handler import MAX_ATTEMPTS, BatchHandler
from service_runtime.kafka.batches import AfterCommit, Batch, BatchSubscription
from service_runtime.kafka.client import KafkaRecord
from service_runtime.kafka.records import UnreadableCause
from service_runtime.observability.metrics import Metrics
from service_runtime.postgres.database import Connection, Database
from service_runtime.postgres.errors import ConnectionBroken, StatementRefused
from testkit.captured_logs import CapturedLogs
from testkit.databases import fetch_rows

INSERT: Final = text("INSERT INTO handled_events (package_id, event_id) VALUES (gen_random_uuid(), :value)")


def a_batch(*values: bytes) -> list[KafkaRecord]:
    return [
        KafkaRecord(
            topic=PACKAGES,
            partition=0,
            offset=offset,
            timestamp=0,
            timestamp_type=0,
            key=b"key",
            value=value,
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            headers=(),
        )
        for offset, value in enumerate(values)
    ]


@dataclass
class Stored:
    """A handler that stores the text of each record, and calls `fail` first for each."""

    database: Database
    fail: Callable[[bytes], object]
    log: CapturedLogs = field(default_factory=CapturedLogs)
    finished: int = 0

    async def handle(self, records: Sequence[KafkaRecord]) -> None:
        unreadable = UnreadableRecords("calloff.sample.view", Metrics().consumer.unreadable, self.log)
        subscription = BatchSubscription("view", (PACKAGES,), self._store)
        await BatchHandler(
            subscription, database=self.database, clock=SystemClock(), unreadable=unreadable, log=self.log
        ).handle(records)

    async def _store(self, connection: Connection, batch: Batch) -> AfterCommit:
        for record in batch.records:
            self.fail(record.value or b"")
            await connection.execute(INSERT, {"value": (record.value or b"").decode()})
        return self._finish

    def _finish(self) -> None:
        self.finished += 1

    async def list_handled(self) -> list[str]:
        return [row.event_id for row in await fetch_rows(self.database, "SELECT event_id FROM handled_events")]

    async def list_unreadable(self) -> list[tuple[int, str]]:
        rows = await fetch_rows(self.database, 'SELECT "offset", cause FROM unreadable_records ORDER BY "offset"')
        return [(row.offset, row.cause) for row in rows]


async def test_records_that_fail_alone_are_unreadable_and_all_others_are_handled_once(database: Database) -> None:
    attempts: list[bytes] = []

    def fail(value: bytes) -> None:
        attempts.append(value)
        if value == b"broken":
            raise LookupError

    stored = Stored(database, fail)
    await stored.handle(a_batch(b"first", b"broken", b"a\0b", b"last"))
    assert await stored.list_handled() == ["first", "last"]
    cause = UnreadableCause.NOT_STORABLE.value
    assert await stored.list_unreadable() == [(1, cause), (2, cause)]
    assert attempts.count(b"broken") == MAX_ATTEMPTS + 1
    assert stored.finished == 2


async def test_a_record_that_fails_once_is_handled(database: Database) -> None:
    errors = iter([LookupError(), LookupError()])

    def fail(value: bytes) -> None:
        if value == b"unlucky" and (error := next(errors, None)) is not None:
            raise error

    stored = Stored(database, fail)
    await stored.handle(a_batch(b"first", b"unlucky", b"last"))
    assert await stored.list_handled() == ["first", "unlucky", "last"]
    assert await stored.list_unreadable() == []


@pytest.mark.parametrize(
    "error",
    [ConnectionBroken("down"), TimeoutError(), OSError(), StatementRefused("missing table", "42P01")],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_that_no_record_causes_is_raised_and_makes_no_record_unreadable(
    database: Database, error: Exception
) -> None:
    def fail(value: bytes) -> None:
        if value == b"last":
            raise error

    stored = Stored(database, fail)
    with pytest.raises(type(error)):
        await stored.handle(a_batch(b"first", b"last"))
    assert (await stored.list_handled(), await stored.list_unreadable()) == ([], [])
