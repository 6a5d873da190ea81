"""Commits events to a journal and its outbox without a unit of work, and returns their outbox rows."""

from uuid import UUID

from sqlalchemy import text

from contracts.events.packages import WithdrawalRequested
from contracts.example_words import WithdrawalReasons
from contracts.examples import COUNCIL
from contracts.ids import PackageId, uuid7
from service_runtime.clock import SystemClock
from service_runtime.outbox.journal import ChainedEvent, append_to_journal, chain_event
from service_runtime.outbox.outbox_table import OutboxRow
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.streams import Cause, Stream, lock_stream
from testkit.sample_service import to_stream_key

CAUSE = Cause("command:ask", "system:test", COUNCIL)
_SELECT_POSITIONS = text("SELECT position FROM journal WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY position")
_DELETE = text("DELETE FROM outbox WHERE position = ANY(CAST(:positions AS bigint[]))")


def chain_events(stream: Stream, package: UUID, *, count: int = 1) -> tuple[list[ChainedEvent], Stream]:
    """Chains WithdrawalRequested events of `package` to `stream`; returns them with the stream after them."""
    now = SystemClock().now()
    event = WithdrawalRequested(package_id=PackageId(package), reason=WithdrawalReasons.NO_LONGER_NEEDED)
    events: list[ChainedEvent] = []
    for _ in range(count):
        chained, stream = chain_event(event, stream=stream, event_id=uuid7(now), source="sample", cause=CAUSE, at=now)
        events.append(chained)
    return events, stream


def to_outbox_row(position: int, event: ChainedEvent) -> OutboxRow:
    """Builds the outbox row of an event as its committer hands it over."""
    return OutboxRow(position, event.stream, event.envelope.to_headers(), event.payload)


async def commit_events(
    database: Database, package: UUID, *, count: int = 1, published: tuple[int, ...] | list[int] = ()
) -> list[OutboxRow]:
    """Commits events of `package` to journal and outbox, and deletes the `published` positions from the outbox."""
    async with database.begin_transaction() as connection:
        events, after = chain_events(await lock_stream(connection, to_stream_key(package)), package, count=count)
        await append_to_journal(connection, events, [after], at=SystemClock().now())
        positions = await connection.execute(_SELECT_POSITIONS, {"ids": [event.envelope.id for event in events]})
        await connection.execute(_DELETE, {"positions": list(published)})
    return [to_outbox_row(row.position, event) for row, event in zip(positions, events, strict=True)]
