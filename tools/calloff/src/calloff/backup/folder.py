"""The folder of a back-up: there whole or not at all, and readable by its owner only."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from devstack.errors import DataAlreadyExists


@contextmanager
def create_folder_atomically(folder: Path) -> Generator[Path]:
    """A folder to fill, which gets its name at the end. Raises DataAlreadyExists where the name is taken."""
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
