"""`calloff restore FOLDER`: restores databases and keys, and rebuilds Kafka's topics from the audit record.

The audit record holds each Kafka record with its topic, partition and offset, so its rows are sent to the same offsets
again. Events of the journals that had not reached audit at the time of the back-up go back into the outboxes, and the
relays send them. Consumers read all topics again; their inboxes skip what they have handled.
"""

import asyncio
import json
import logging
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from audit.domain.records import decode_headers
from calloff.backup.archived_months import check_nothing_archived, restore_archives
from calloff.backup.create import ARCHIVE
from calloff.commands.output import JsonOption, err, out, print_json, run_command
from devstack.config import SERVICES, ServiceDefinition
from devstack.disk_space import NEEDED, require_free_space
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.errors import DataAlreadyExists, NothingToRestore, RecordIncomplete
from devstack.home import KAFKA_JARS, Home, find_home
from devstack.names import AUDIT
from devstack.record import lock_home
from devstack.screen import Screen, create_screen
from devstack.steps import delete_data, start_kafka
from service_runtime.kafka.client import OutgoingRecord, Partition, Producer

BATCH_SIZE: Final = 500

_SELECT_RECORDS = text(
    """
    SELECT topic, partition, "offset", key, headers, payload FROM records ORDER BY topic, partition, "offset"
    """
)
_SELECT_RECORDED_EVENT_IDS = text("SELECT event_id FROM records WHERE source = :source AND event_id IS NOT NULL")
_ENQUEUE_UNSENT_EVENTS = text(
    """
    INSERT INTO outbox (position)
    SELECT position FROM journal WHERE id <> ALL(CAST(:reached AS uuid[])) ORDER BY position
    ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True)
class RestoreResult:
    """The counts of a restore."""

    records: int
    """Records sent to Kafka from the audit record."""
    to_be_sent: int
    """Events in the outboxes that are not in the audit record; the relays send them when the stack starts."""


async def restore(
    home: Home, folder: Path, screen: Screen, *, fresh: bool, archives: Sequence[Path] = ()
) -> RestoreResult:
    """Restores a back-up; `archives` are those of the record that its database lists.

    Raises NothingToRestore, DataAlreadyExists where data exists and `fresh` is false, and RecordIncomplete.
    """
    if not (folder / ARCHIVE).exists():
        raise NothingToRestore(f"{folder} holds no {ARCHIVE}; name a folder that `calloff backup` has made")
    with lock_home(home):
        if fresh:
            delete_data(home)
        elif home.postgres.exists() or home.kafka.exists():
            raise DataAlreadyExists(f"{home.folder} holds databases or events; --fresh deletes them")
        postgres, kafka = EmbeddedPostgres(home.postgres), EmbeddedKafka(home.kafka, KAFKA_JARS)
        with screen.show_step("Databases"):
            await asyncio.to_thread(_restore_files, home, folder, postgres)
        try:
            if archives:
                with screen.show_step("Archived months of the record"):
                    await restore_archives(postgres.get_url(_get_database_name(AUDIT)), archives)
            await start_kafka(kafka, screen)
            with screen.show_step("Topics from the audit record"):
                return await _rebuild_topics(postgres, kafka)
        finally:
            for server in (kafka, postgres):
                await asyncio.to_thread(server.stop)


def _restore_files(home: Home, folder: Path, postgres: EmbeddedPostgres) -> None:
    require_free_space(home.folder, needed=NEEDED + (folder / ARCHIVE).stat().st_size)
    home.logs.mkdir(parents=True, exist_ok=True)
    postgres.restore(folder / ARCHIVE)
    for file in home.backup_files:
        if (folder / file.name).exists():
            shutil.copy2(folder / file.name, file)
    postgres.start()


async def _rebuild_topics(postgres: EmbeddedPostgres, kafka: EmbeddedKafka) -> RestoreResult:
    # New partitions have no leader for a moment; aiokafka retries, and its log lines are not shown.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    producer = Producer(kafka.bootstrap, client_id="calloff-restore")
    await producer.start()
    try:
        async with _connect_as_superuser(postgres, _get_database_name(AUDIT)) as audit:
            await check_nothing_archived(audit)
            records = await _resend_records(audit, producer)
            to_be_sent = sum([await _enqueue_unsent_events(audit, postgres, service) for service in SERVICES])
    finally:
        await producer.close(within=10)
    return RestoreResult(records, to_be_sent)


async def _resend_records(audit: AsyncConnection, producer: Producer) -> int:
    """Sends all records in order of offset: an empty partition assigns the same offsets again."""
    ends: dict[Partition, int] = {}
    async with audit.stream(_SELECT_RECORDS) as stored:
        async for some in stored.partitions(BATCH_SIZE):
            for partition, rows in groupby(some, key=lambda row: Partition(row.topic, row.partition)):
                records = list(rows)
                await _send_partition(producer, partition, records, begins=ends.get(partition, 0))
                ends[partition] = ends.get(partition, 0) + len(records)
    return sum(ends.values())


async def _send_partition(producer: Producer, partition: Partition, rows: Sequence[Row[Any]], *, begins: int) -> None:
    if [row.offset for row in rows] != list(range(begins, begins + len(rows))):
        message = f"rows of {partition.topic}/{partition.partition} are missing after offset {begins}"
        raise RecordIncomplete(f"{message}; restore an older back-up, and check it with `calloff verify`")
    waiting = [OutgoingRecord(row.topic, row.key, row.payload, decode_headers(row.headers)) for row in rows]
    while waiting:
        waiting = waiting[await producer.send(partition, waiting) :]


async def _enqueue_unsent_events(audit: AsyncConnection, postgres: EmbeddedPostgres, service: ServiceDefinition) -> int:
    """Enqueues the events of the journal that the audit record does not have; keeps rows already in the outbox."""
    reached = (await audit.scalars(_SELECT_RECORDED_EVENT_IDS, {"source": f"/calloff/{service.name}"})).all()
    async with _connect_as_superuser(postgres, service.package) as database:
        return (await database.execute(_ENQUEUE_UNSENT_EVENTS, {"reached": reached})).rowcount


def _get_database_name(name: str) -> str:
    return next(service.package for service in SERVICES if service.name == name)


@asynccontextmanager
async def _connect_as_superuser(postgres: EmbeddedPostgres, database: str) -> AsyncGenerator[AsyncConnection]:
    engine = create_async_engine(postgres.get_url(database), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


def main(
    folder: Annotated[Path, typer.Argument(help="A folder made by `calloff backup`.")],
    *,
    fresh: Annotated[bool, typer.Option(help="Delete existing databases, events and logs.")] = False,
    archives: Annotated[
        list[Path] | None, typer.Option("--archive", help="An archive of the record; name all of them, one by one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Restore databases and keys from a back-up, and rebuild Kafka's topics from the audit record."""
    screen = create_screen(err)
    restored = run_command(restore(find_home(), folder.absolute(), screen, fresh=fresh, archives=archives or ()))
    screen.close()
    if as_json:
        print_json(json.dumps({"records": restored.records, "to_be_sent": restored.to_be_sent}))
        return
    out.print(
        f"{restored.records} records are back in Kafka; {restored.to_be_sent} more events are sent when the stack"
        " starts.",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    typer.run(main)
