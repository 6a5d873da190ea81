"""A full disk: it is named in one line, and no half-written file is left behind."""

import errno
import os
import resource
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import BaseModel

from devstack.disk_space import NEEDED, explain_full_disk, read_free_space, require_free_space
from devstack.embedded import ServerDidNotStart
from devstack.errors import AlreadyRunning, DiskFull
from devstack.home import Home, write_private
from devstack.json_lines import JsonLinesReader, JsonLinesWriter
from devstack.record import lock_home


class Line(BaseModel):
    text: str


@contextmanager
def limited_files(size: int) -> Generator[None]:
    """Limits files to `size` bytes: writes beyond are cut short, as on a full disk."""
    former, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_start_without_room_is_refused_with_folder_free_and_needed_bytes(tmp_path: Path) -> None:
    more_than_any_disk_has = read_free_space(tmp_path) + NEEDED * 1000
    with pytest.raises(DiskFull, match=rf"{tmp_path}/new is on a disk with \d+ MB free, and \d+ MB are needed"):
        require_free_space(tmp_path / "new", needed=more_than_any_disk_has)
    require_free_space(tmp_path / "new", needed=1)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "secrets.json"),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        ServerDidNotStart("initdb: could not write to file: No space left on device"),
        ExceptionGroup("of a task group", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))]),
    ],
    ids=["write", "quota", "server", "group"],
)
def test_whatever_fails_for_want_of_room_while_a_stack_runs_is_a_full_disk(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(DiskFull, match="nothing that was committed is lost"), lock_home(Home(tmp_path)):
        raise error


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "closed"), AlreadyRunning("a stack runs")])
def test_another_error_stays_as_it_is(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)), explain_full_disk(tmp_path):
        raise error


def test_a_secret_that_does_not_fit_leaves_the_former_one_and_no_part(tmp_path: Path) -> None:
    write_private(tmp_path / "secrets.json", "former")
    with limited_files(4_096), pytest.raises(OSError, match=r".*"):
        write_private(tmp_path / "secrets.json", "x" * 10_000)
    assert [each.name for each in tmp_path.iterdir()] == ["secrets.json"]
    assert (tmp_path / "secrets.json").read_text() == "former"


def test_a_line_that_does_not_fit_is_not_half_written(tmp_path: Path) -> None:
    writer = JsonLinesWriter[Line](tmp_path / "lines.jsonl")
    writer.write(Line(text="first"))
    with limited_files(1_024), pytest.raises(OSError, match=r".*"):
        writer.write(Line(text="x" * 2_000))
    writer.write(Line(text="second"))
    writer.close()
    assert [line.text for line in JsonLinesReader(tmp_path / "lines.jsonl", Line).read_new()] == ["first", "second"]
