"""`calloff restore FOLDER`: the databases and keys of a copy, and Kafka's topics made anew from the record in it.

Audit holds what Kafka held, byte for byte and place by place, so its rows are sent back to where they stood. What the
journals hold beyond that had not reached audit when the copy was made; it goes back into the outboxes, and the relays
send it. Consumers read everything again: their inboxes know what they have handled.
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
from calloff.backup.create import ARCHIVE
from calloff.commands.output import Json, carry_out, err, out, print_json
from devstack.config import SERVICES, ServiceKind
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.errors import DataInTheWay, NothingToRestore, RecordHasHoles
from devstack.home import KAFKA_JARS, Home, find_home
from devstack.names import AUDIT
from devstack.record import only_one
from devstack.screen import Screen, screen_for
from devstack.steps import forget, start_kafka
from service_runtime.kafka.client import OutgoingRecord, Partition, Producer

AT_ONCE: Final = 500

_RECORD = text(
    """
    SELECT topic, partition, "offset", key, headers, payload FROM records ORDER BY topic, partition, "offset"
    """
)
_REACHED_KAFKA = text("SELECT event_id FROM records WHERE source = :source AND event_id IS NOT NULL")
_SEND_AGAIN = text(
    """
    INSERT INTO outbox (position)
    SELECT position FROM journal WHERE id <> ALL(CAST(:reached AS uuid[])) ORDER BY position
    ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True)
class Restored:
    """What was put back."""

    records: int
    """Sent back to Kafka from audit's record."""
    to_be_sent: int
    """Events that the journals hold beyond that; the relays send them when the stack starts."""


async def restore(home: Home, folder: Path, screen: Screen, *, fresh: bool) -> Restored:
    """Raises NothingToRestore, DataInTheWay unless what is there is to be forgotten, and RecordHasHoles."""
    if not (folder / ARCHIVE).exists():
        raise NothingToRestore(f"{folder} holds no {ARCHIVE}; `calloff backup` makes one")
    with only_one(home):
        if fresh:
            forget(home)
        elif home.postgres.exists() or home.kafka.exists():
            raise DataInTheWay(f"{home.folder} holds databases or events; --fresh forgets them")
        postgres, kafka = EmbeddedPostgres(home.postgres), EmbeddedKafka(home.kafka, KAFKA_JARS)
        with screen.step("Databases"):
            await asyncio.to_thread(_take_up, home, folder, postgres)
        try:
            await start_kafka(kafka, screen)
            with screen.step("Topics from the record"):
                return await _make_kafka_anew(postgres, kafka)
        finally:
            for server in (kafka, postgres):
                await asyncio.to_thread(server.stop)


def _take_up(home: Home, folder: Path, postgres: EmbeddedPostgres) -> None:
    home.logs.mkdir(parents=True, exist_ok=True)
    postgres.restore(folder / ARCHIVE)
    for file in home.kept:
        if (folder / file.name).exists():
            shutil.copy2(folder / file.name, file)
    postgres.start()


async def _make_kafka_anew(postgres: EmbeddedPostgres, kafka: EmbeddedKafka) -> Restored:
    # Partitions that were made just now have no leader for a moment: sent again, and nothing for a person to read.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    producer = Producer(kafka.bootstrap, client_id="calloff-restore")
    await producer.start()
    try:
        async with _superuser(postgres, _database_of(AUDIT)) as audit:
            records = await _send_back(audit, producer)
            to_be_sent = sum([await _send_the_rest(audit, postgres, service) for service in SERVICES])
    finally:
        await producer.close(within=10)
    return Restored(records, to_be_sent)


async def _send_back(audit: AsyncConnection, producer: Producer) -> int:
    """Every record to its place: a partition that begins empty gives the same offsets in the same order."""
    ends: dict[Partition, int] = {}
    async with audit.stream(_RECORD) as stored:
        async for some in stored.partitions(AT_ONCE):
            for partition, rows in groupby(some, key=lambda row: Partition(row.topic, row.partition)):
                records = list(rows)
                await _send_partition(producer, partition, records, begins=ends.get(partition, 0))
                ends[partition] = ends.get(partition, 0) + len(records)
    return sum(ends.values())


async def _send_partition(producer: Producer, partition: Partition, rows: Sequence[Row[Any]], *, begins: int) -> None:
    if [row.offset for row in rows] != list(range(begins, begins + len(rows))):
        message = f"rows of {partition.topic}/{partition.partition} are missing behind offset {begins}"
        raise RecordHasHoles(f"{message}; `calloff verify` on another copy tells whether that one is whole")
    waiting = [OutgoingRecord(row.topic, row.key, row.payload, decode_headers(row.headers)) for row in rows]
    while waiting:
        waiting = waiting[await producer.send(partition, waiting) :]


async def _send_the_rest(audit: AsyncConnection, postgres: EmbeddedPostgres, service: ServiceKind) -> int:
    """Into the outbox goes what the journal holds and audit does not; what stands there already stays."""
    reached = (await audit.scalars(_REACHED_KAFKA, {"source": f"/calloff/{service.name}"})).all()
    async with _superuser(postgres, service.package) as database:
        return (await database.execute(_SEND_AGAIN, {"reached": reached})).rowcount


def _database_of(name: str) -> str:
    return next(service.package for service in SERVICES if service.name == name)


@asynccontextmanager
async def _superuser(postgres: EmbeddedPostgres, database: str) -> AsyncGenerator[AsyncConnection]:
    engine = create_async_engine(postgres.url(database), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


def main(
    folder: Annotated[Path, typer.Argument(help="What `calloff backup` made.")],
    *,
    fresh: Annotated[bool, typer.Option(help="Forget what is here: databases, events, logs.")] = False,
    as_json: Json = False,
) -> None:
    """Take up a copy where nothing runs: databases and keys, and Kafka's topics made anew from the record."""
    screen = screen_for(err)
    restored = carry_out(restore(find_home(), folder.absolute(), screen, fresh=fresh))
    screen.close()
    if as_json:
        print_json(json.dumps({"records": restored.records, "to_be_sent": restored.to_be_sent}))
        return
    out.print(
        f"{restored.records} records are back in Kafka; {restored.to_be_sent} events more leave the journals when the"
        " stack starts.",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    typer.run(main)
