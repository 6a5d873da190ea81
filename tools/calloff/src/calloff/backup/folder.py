"""The folder of a back-up: there whole or not at all, and readable by its owner only."""

import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from devstack.errors import DataAlreadyExists


@contextmanager
def create_folder_atomically(folder: Path) -> Generator[Path]:
    """A folder to fill, which gets its name at the end, when its content is on the disk.

    Raises DataAlreadyExists where the name is taken, or another process fills the folder.
    """
    if folder.exists():
        raise DataAlreadyExists(f"{folder} already exists; name a new folder")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    unfinished.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _lock(unfinished):
        _delete_content(unfinished)  # of a process that was killed
        try:
            yield unfinished
            for path in (*unfinished.iterdir(), unfinished):
                _flush(path)
        except BaseException:  # Ctrl-C too
            shutil.rmtree(unfinished)
            raise
        unfinished.rename(folder)
        _flush(folder.parent)


@contextmanager
def _lock(folder: Path) -> Generator[None]:
    """Holds a lock that the system releases when the process ends. Raises DataAlreadyExists if another has it."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another back-up is being written to {folder}; name another folder"
            raise DataAlreadyExists(message) from None
        yield
    finally:
        os.close(opened)


def _delete_content(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def _flush(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
