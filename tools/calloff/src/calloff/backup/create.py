"""`calloff backup FOLDER`: every database as it stands at one instant, and the keys without which they are of no use.

Kafka is not copied. What it holds is in audit's record, byte for byte and place by place, and what has not come that
far is in the journals; a copy of Kafka from another instant than that of the databases would contradict them.
"""

import asyncio
import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from calloff.commands.output import Json, carry_out, out, print_json
from devstack.embedded import EmbeddedPostgres
from devstack.errors import DataInTheWay, NotRunning
from devstack.home import Home, find_home
from devstack.record import StackRecord, only_one

ARCHIVE: Final = "postgres.tar"


def back_up(home: Home, folder: Path) -> None:
    """Copies the stack of `home`, whether it runs or not, into `folder`: whole or not at all.

    Raises DataInTheWay where there is such a folder already, and EmbeddedServerError where PostgreSQL refuses.
    """
    running = None
    with suppress(NotRunning):
        running = StackRecord.of(home)
    with _whole_or_not_at_all(folder) as unfinished:
        archive = unfinished / ARCHIVE
        if running is not None:
            EmbeddedPostgres(home.postgres, running.postgres_port).back_up(archive)
        else:
            _at_rest(home, archive)
        for file in home.kept:
            if file.exists():
                shutil.copy2(file, unfinished)


@contextmanager
def _whole_or_not_at_all(folder: Path) -> Generator[Path]:
    if folder.exists():
        raise DataInTheWay(f"{folder} is there already; name a folder that is not")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    try:
        yield unfinished
    except BaseException:  # Ctrl-C too
        shutil.rmtree(unfinished)
        raise
    unfinished.rename(folder)


def _at_rest(home: Home, archive: Path) -> None:
    if not home.postgres.exists():
        raise NotRunning(f"there are no databases in {home.folder}; `calloff up` makes them")
    with only_one(home), EmbeddedPostgres(home.postgres) as server:
        server.back_up(archive)


def main(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet. It will hold keys: keep it safe.")],
    *,
    as_json: Json = False,
) -> None:
    """Copy every database as it stands at one instant, with the keys, into a folder; the stack may run."""
    carry_out(asyncio.to_thread(back_up, find_home(), folder.absolute()))
    size = (folder / ARCHIVE).stat().st_size
    if as_json:
        print_json(json.dumps({"folder": str(folder), "bytes": size}))
        return
    out.print(f"The databases ({size / 1e6:.0f} MB) and the keys are in {folder}.", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
