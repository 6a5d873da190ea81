"""`calloff restore`: restores a back-up into empty databases, and makes Kafka's topics anew from them.

With `--databases` it acts on any installation, without it on the embedded stack; `--only-topics` leaves the databases
as they are, for those that were restored by other means.
"""

import asyncio
import json
import logging
import os
import shutil
import tarfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from calloff.backup.addresses import DatabasesOption, load_addresses, require_databases_or_embedded_stack
from calloff.backup.archived_months import restore_archives
from calloff.backup.create import ARCHIVE
from calloff.backup.restore_databases import rebuild_installation, restore_installation
from calloff.backup.topics import RebuiltTopics, rebuild_topics
from calloff.commands.output import JsonOption, err, print_json, print_line, run_command
from devstack.config import SERVICES
from devstack.disk_space import NEEDED, require_free_space
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.errors import DataAlreadyExists, NothingToRestore
from devstack.home import KAFKA_JARS, Home, find_home
from devstack.names import AUDIT
from devstack.record import lock_home
from devstack.screen import Screen, create_screen
from devstack.steps import delete_data, start_kafka
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.startup.kafka_settings import read_kafka_settings

_END_OF_TAR: Final = 1024
"""Bytes, all of them zero, that end a tar archive."""
_AUDIT_DATABASE: Final = next(service.package for service in SERVICES if service.name == AUDIT)


async def restore(
    home: Home, folder: Path, screen: Screen, *, fresh: bool, archives: Sequence[Path] = ()
) -> RebuiltTopics:
    """Restores a back-up; `archives` are those of the record that its database lists.

    Raises NothingToRestore, DataAlreadyExists where data exists and `fresh` is false, and RecordIncomplete.
    """
    check_archive(folder)
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
                    await restore_archives(postgres.get_url(_AUDIT_DATABASE), archives)
            await start_kafka(kafka, screen)
            with screen.show_step("Topics from the audit record"):
                async with _connect_as_superuser(postgres) as databases:
                    return await rebuild_topics(KafkaConnection(kafka.bootstrap), databases)
        finally:
            for server in (kafka, postgres):
                await asyncio.to_thread(server.stop)


def check_archive(folder: Path) -> None:
    """Reads the archive's headers to its end, before anything is deleted. Raises NothingToRestore if a part is missing.

    tarfile takes an archive that ends between two files for a whole one, so its end is looked at too.
    """
    archive = folder / ARCHIVE
    if not archive.exists():
        raise NothingToRestore(f"{folder} holds no {ARCHIVE}; name a folder that `calloff backup` has made")
    try:
        with tarfile.open(archive) as copy:
            names = set(copy.getnames())
        with archive.open("rb") as content:
            content.seek(-_END_OF_TAR, os.SEEK_END)
            is_whole = not any(content.read())
    except (tarfile.TarError, OSError):
        names, is_whole = set[str](), False
    if not is_whole or "PG_VERSION" not in names:
        raise NothingToRestore(f"{archive} is not whole; name a folder that `calloff backup` has made to its end")


def _restore_files(home: Home, folder: Path, postgres: EmbeddedPostgres) -> None:
    require_free_space(home.folder, needed=NEEDED + (folder / ARCHIVE).stat().st_size)
    home.logs.mkdir(parents=True, exist_ok=True)
    postgres.restore(folder / ARCHIVE)
    for file in home.backup_files:
        if (folder / file.name).exists():
            shutil.copy2(folder / file.name, file)
    postgres.start()


@asynccontextmanager
async def _connect_as_superuser(postgres: EmbeddedPostgres) -> AsyncGenerator[Mapping[str, AsyncConnection]]:
    """A connection to each service's database, by the name of the service."""
    async with AsyncExitStack() as opened:
        connections: dict[str, AsyncConnection] = {}
        for service in SERVICES:
            engine = create_async_engine(postgres.get_url(service.package), poolclass=NullPool)
            opened.push_async_callback(engine.dispose)
            connections[service.name] = await opened.enter_async_context(engine.begin())
        yield connections


def main(
    folder: Annotated[Path | None, typer.Argument(help="A folder made by `calloff backup`.")] = None,
    *,
    databases: DatabasesOption = None,
    kafka: Annotated[
        str | None, typer.Option(envvar="CALLOFF_KAFKA_BOOTSTRAP", help="Kafka's address; needed with --databases.")
    ] = None,
    only_topics: Annotated[
        bool, typer.Option("--only-topics", help="Leave the databases as they are; make the topics anew from them.")
    ] = False,
    fresh: Annotated[bool, typer.Option(help="Delete what databases and topics hold now.")] = False,
    archives: Annotated[
        list[Path] | None, typer.Option("--archive", help="An archive of the record; name all of them, one by one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Restore a back-up, and make Kafka's topics anew; all services are stopped meanwhile."""
    if only_topics == (folder is not None):
        message = "name the folder of a back-up, or give --only-topics"
        raise typer.BadParameter(message)
    if databases is not None and kafka is None:
        message = "--databases needs --kafka, the address of Kafka"
        raise typer.BadParameter(message)
    if databases is None and only_topics:
        message = "--only-topics needs --databases; the embedded stack is restored from a folder"
        raise typer.BadParameter(message)
    # New partitions have no leader for a moment; aiokafka retries, and its log lines are not shown.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    screen = create_screen(err)
    restored = run_command(
        _restore(folder and folder.absolute(), databases, kafka, screen, fresh=fresh, archives=archives or ())
    )
    screen.close()
    if as_json:
        print_json(json.dumps({"records": restored.records, "to_be_sent": restored.to_be_sent}))
        return
    print_line(
        f"{restored.records} records are back in Kafka; {restored.to_be_sent} more events are sent when the services"
        " start."
    )


async def _restore(
    folder: Path | None,
    databases: Path | None,
    kafka: str | None,
    screen: Screen,
    *,
    fresh: bool,
    archives: Sequence[Path],
) -> RebuiltTopics:
    if databases is None:
        require_databases_or_embedded_stack()
        return await restore(find_home(), folder or Path(), screen, fresh=fresh, archives=archives)
    addresses, settings = load_addresses(databases), read_kafka_settings(kafka)
    if folder is None:
        return await rebuild_installation(addresses, settings, screen, fresh=fresh, archives=archives)
    return await restore_installation(folder, addresses, settings, screen, fresh=fresh, archives=archives)


if __name__ == "__main__":
    typer.run(main)
