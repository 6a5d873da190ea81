"""`calloff backup FOLDER`: copies all databases as of one instant, and the keys that they need.

Kafka is not copied. The audit record holds its content byte for byte with topic, partition and offset, and the journals
hold the events that have not reached audit. A copy of Kafka from another instant would contradict the databases.
"""

import asyncio
import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from calloff.commands.output import JsonOption, out, print_json, run_command
from devstack.disk_space import explain_full_disk
from devstack.embedded import EmbeddedPostgres
from devstack.errors import DataAlreadyExists, NotRunning
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
    with explain_full_disk(folder.parent), _create_folder_atomically(folder) as unfinished:
        archive = unfinished / ARCHIVE
        if running is not None:
            EmbeddedPostgres(home.postgres, running.postgres_port).back_up(archive)
        else:
            _back_up_stopped_stack(home, archive)
        for file in home.backup_files:
            if file.exists():
                shutil.copy2(file, unfinished)


@contextmanager
def _create_folder_atomically(folder: Path) -> Generator[Path]:
    if folder.exists():
        raise DataAlreadyExists(f"{folder} already exists; name a new folder")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    try:
        yield unfinished
    except BaseException:  # Ctrl-C too
        shutil.rmtree(unfinished)
        raise
    unfinished.rename(folder)


def _back_up_stopped_stack(home: Home, archive: Path) -> None:
    if not home.postgres.exists():
        raise NotRunning(f"{home.folder} has no databases; `calloff up` creates them")
    with lock_home(home), EmbeddedPostgres(home.postgres) as server:
        server.back_up(archive)


def main(
    folder: Annotated[Path, typer.Argument(help="A new folder. It will hold keys: keep it safe.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Copy every database at one instant, and the keys, into a folder; the stack may run."""
    run_command(asyncio.to_thread(back_up, find_home(), folder.absolute()))
    size = (folder / ARCHIVE).stat().st_size
    if as_json:
        print_json(json.dumps({"folder": str(folder), "bytes": size}))
        return
    out.print(f"The databases ({size / 1e6:.0f} MB) and the keys are in {folder}.", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
