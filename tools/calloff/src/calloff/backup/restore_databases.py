"""Restores the databases of any installation from archives of `pg_dump`, and makes Kafka's topics anew from them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from calloff.backup.addresses import DatabaseAddress, Databases
from calloff.backup.archived_months import restore_archives
from calloff.backup.concurrently import run_all
from calloff.backup.consistency import check_consistency
from calloff.backup.dump import DumpedDatabase, Manifest
from calloff.backup.postgres_programs import find_program, run_program
from calloff.backup.topics import RebuiltTopics, prepare_topics, rebuild_topics
from devstack.errors import DataAlreadyExists, NothingToRestore
from devstack.names import AUDIT
from devstack.screen import Screen
from service_runtime.kafka.settings import KafkaSettings

_COUNT_TABLES: Final = text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
_DELETE_CONTENT: Final = (text("DROP SCHEMA public CASCADE"), text("CREATE SCHEMA public"))
_READ_SERVER: Final = text("SELECT CAST(current_setting('server_version_num') AS integer) / 10000")


async def restore_installation(
    folder: Path,
    databases: Databases,
    kafka: KafkaSettings,
    screen: Screen,
    *,
    fresh: bool,
    archives: Sequence[Path] = (),
) -> RebuiltTopics:
    """Restores a back-up into empty databases and an empty Kafka; nothing is changed where one is not empty.

    `archives` are those of the record that audit's database lists. `fresh` deletes what the databases and topics hold.
    Raises NothingToRestore, DataAlreadyExists, BackUpFailed.
    """
    manifest = Manifest.load(folder)
    if missing := [name for name in databases if name not in manifest.databases]:
        raise NothingToRestore(f"{folder} holds no archive of {', '.join(missing)}")
    servers = await run_all(*[_inspect_database(each, fresh=fresh) for each in databases.values()])
    programs = [find_program("pg_restore", server=server) for server in servers]
    await prepare_topics(kafka.build_kafka_connection(), replication=kafka.replication, fresh=fresh)
    with screen.show_step("Databases"):
        await run_all(
            *[
                _restore_database(address, program, folder, manifest.databases[name], fresh=fresh)
                for (name, address), program in zip(databases.items(), programs, strict=True)
            ]
        )
    return await _rebuild(databases, kafka, screen, archives)


async def rebuild_installation(
    databases: Databases, kafka: KafkaSettings, screen: Screen, *, fresh: bool, archives: Sequence[Path] = ()
) -> RebuiltTopics:
    """Makes the topics anew from databases as they are. Raises Inconsistent where they are not of one instant."""
    async with _connect_all(databases) as connections:
        await check_consistency(connections)
    await prepare_topics(kafka.build_kafka_connection(), replication=kafka.replication, fresh=fresh)
    return await _rebuild(databases, kafka, screen, archives)


async def _rebuild(
    databases: Databases, kafka: KafkaSettings, screen: Screen, archives: Sequence[Path]
) -> RebuiltTopics:
    if archives:
        with screen.show_step("Archived months of the record"):
            await restore_archives(databases[AUDIT].url, archives)
    async with _connect_all(databases) as connections:
        with screen.show_step("Check of the databases against each other"):
            await check_consistency(connections)
        with screen.show_step("Topics from the audit record"):
            return await rebuild_topics(kafka.build_kafka_connection(), connections)


@asynccontextmanager
async def _connect_all(databases: Databases) -> AsyncGenerator[Mapping[str, AsyncConnection]]:
    async with AsyncExitStack() as opened:
        yield {name: await opened.enter_async_context(address.connect()) for name, address in databases.items()}


async def _inspect_database(address: DatabaseAddress, *, fresh: bool) -> int:
    """The server's major version. Raises DataAlreadyExists where there are tables and `fresh` is false."""
    async with address.connect() as connection:
        if await connection.scalar(_COUNT_TABLES) and not fresh:
            message = f"the database of {address.service} at {address.place} holds tables; --fresh deletes them"
            raise DataAlreadyExists(message)
        return int((await connection.execute(_READ_SERVER)).scalar_one())


async def _restore_database(
    address: DatabaseAddress, program: Path, folder: Path, dumped: DumpedDatabase, *, fresh: bool
) -> None:
    if fresh:
        async with address.connect() as connection:
            for statement in _DELETE_CONTENT:
                await connection.execute(statement)
    await run_program(program, address, "--no-owner", "--exit-on-error", "--single-transaction", folder / dumped.file)
