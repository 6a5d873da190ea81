"""Disk space: refuses a start without room, and names the full disk where something fails for want of room."""

import errno
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from devstack.errors import AlreadyRunning, DiskFull, Interrupted
from devstack.home import Home

MEGABYTE: Final = 1_000_000
NEEDED: Final = 200 * MEGABYTE
"""Bytes for a start: empty databases, their write-ahead log and Kafka's first segments."""
NEEDED_AGAIN: Final = 60 * MEGABYTE
"""Bytes for the start of a stack that has its databases."""
NEARLY_FULL: Final = 8 * MEGABYTE
"""Bytes: less than a file of the write-ahead log, so a failure with less free is taken for one of space."""
_ERROR_NUMBERS: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_SERVERS_TEXT: Final = "No space left on device"
"""What PostgreSQL, initdb and Kafka print."""


def read_free_space(folder: Path) -> int:
    """Returns the free bytes of the disk that holds `folder`, which need not exist yet."""
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(existing).free


def require_free_space(folder: Path, *, needed: int = NEEDED) -> None:
    """Raises DiskFull if the disk of `folder` has less than `needed` bytes free."""
    if read_free_space(folder) < needed:
        raise DiskFull(_describe(folder, needed))


def require_room_to_start(home: Home) -> None:
    """Raises DiskFull if there is no room for the start of a stack on `home`."""
    require_free_space(home.folder, needed=NEEDED_AGAIN if home.postgres.exists() else NEEDED)


@contextmanager
def explain_full_disk(folder: Path, *, needed: int = NEEDED_AGAIN) -> Generator[None]:
    """Raises DiskFull instead of an error that the full disk of `folder` caused."""
    try:
        yield
    except (AlreadyRunning, DiskFull, Interrupted):
        raise
    except Exception as error:
        if _is_full(error) or read_free_space(folder) < NEARLY_FULL:
            raise DiskFull(_describe(folder, needed)) from error
        raise


def _is_full(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        group: BaseExceptionGroup[BaseException] = error  # pyright: ignore[reportUnknownVariableType]  isinstance loses it
        return any(_is_full(each) for each in group.exceptions)
    return (isinstance(error, OSError) and error.errno in _ERROR_NUMBERS) or _SERVERS_TEXT in str(error)


def _describe(folder: Path, needed: int) -> str:
    free = read_free_space(folder) / MEGABYTE
    return (
        f"{folder} is on a disk with {free:.0f} MB free, and {needed / MEGABYTE:.0f} MB are needed; "
        "nothing that was committed is lost. Make room and try again"
    )
