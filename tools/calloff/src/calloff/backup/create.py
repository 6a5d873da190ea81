"""`calloff backup FOLDER`: copies all databases as of one instant, and the keys of the embedded stack.

Kafka is not copied. The audit record holds its content byte for byte with topic, partition and offset, and the journals
hold the events that have not reached audit. A copy of Kafka from another instant would contradict the databases.
"""

import asyncio
import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from calloff.backup.addresses import DatabasesOption, load_addresses, require_databases_or_embedded_stack
from calloff.backup.dump import Manifest, dump_databases
from calloff.backup.folder import create_folder_atomically
from calloff.commands.output import JsonOption, print_json, print_line, run_command
from devstack.disk_space import explain_full_disk
from devstack.embedded import EmbeddedPostgres
from devstack.errors import NotRunning
from devstack.home import Home, find_home
from devstack.record import StackRecord, lock_home

ARCHIVE: Final = "postgres.tar"


def back_up(home: Home, folder: Path) -> None:
    """Copies the databases and keys of `home`, whose stack may run, into `folder`; on failure no folder is left.

    Raises DataAlreadyExists where the folder exists, NotRunning where there are no databases, DiskFull,
    and EmbeddedServerError where PostgreSQL cannot be copied.
    """
    running = None
    with suppress(NotRunning):
        running = StackRecord.load(home)
    with explain_full_disk(folder.parent), create_folder_atomically(folder) as unfinished:
        archive = unfinished / ARCHIVE
        if running is not None:
            EmbeddedPostgres(home.postgres, running.postgres_port).back_up(archive)
        else:
            _back_up_stopped_stack(home, archive)
        for file in home.backup_files:
            if file.exists():
                shutil.copy2(file, unfinished)


def _back_up_stopped_stack(home: Home, archive: Path) -> None:
    if not home.postgres.exists():
        raise NotRunning(f"{home.folder} has no databases; `calloff up` creates them")
    with lock_home(home), EmbeddedPostgres(home.postgres) as server:
        server.back_up(archive)


def main(
    folder: Annotated[Path, typer.Argument(help="A new folder. It will hold people's data and keys: keep it safe.")],
    *,
    databases: DatabasesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy every database as of one instant into a folder, while the services run.

    With --databases those of any installation; without it those of the embedded stack, and its keys.
    """
    if databases is not None:
        size = run_command(_dump(databases, folder.absolute())).size
        content = "Keys and passwords are not among them: they are kept where the services' secrets are."
    else:
        run_command(_back_up_embedded_stack(folder.absolute()))
        size, content = (folder / ARCHIVE).stat().st_size, "The keys are beside them."
    if as_json:
        print_json(json.dumps({"folder": str(folder), "bytes": size}))
        return
    print_line(f"The databases ({size / 1e6:.1f} MB) are in {folder}. {content}")


async def _dump(file: Path, folder: Path) -> Manifest:
    return await dump_databases(load_addresses(file), folder)


async def _back_up_embedded_stack(folder: Path) -> None:
    """Raises InvalidInstallation where the commands act on another installation."""
    require_databases_or_embedded_stack()
    await asyncio.to_thread(back_up, find_home(), folder)


if __name__ == "__main__":
    typer.run(main)
