"""PostgreSQL's own programs `pg_dump` and `pg_restore`, of a version that can serve the server."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from calloff.backup.addresses import DatabaseAddress
from devstack.embedded import MissingPrerequisite
from devstack.embedded.postgres import find_programs
from devstack.errors import BackUpFailed

_INSTALLED: Final = Path("/usr/lib/postgresql")
_LAST_LINES: Final = 12
"""Lines of a failed program's output that are shown."""


def find_program(name: str, *, server: int) -> Path:
    """The newest `name` on this machine. Raises BackUpFailed where it is older than the `server`'s major version."""
    found = {program: version for program in _list_programs(name) if (version := _read_version(program))}
    newest = max(found, key=lambda program: found[program], default=None)
    if newest is None:
        raise BackUpFailed(f"{name} is not installed; install PostgreSQL's client programs, version {server} or later")
    if found[newest] < server:
        message = f"{newest} is of version {found[newest]}, and the server of version {server}"
        raise BackUpFailed(f"{message}; install {name} {server} or later (on Debian: postgresql-client-{server})")
    return newest


def _list_programs(name: str) -> Iterator[Path]:
    with suppress(MissingPrerequisite):
        yield find_programs() / name
    yield from _INSTALLED.glob(f"*/bin/{name}")
    if on_path := shutil.which(name):
        yield Path(on_path)


@cache
def _read_version(program: Path) -> int | None:
    try:
        output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    found = re.search(r"\) (\d+)", output)
    return int(found[1]) if found else None


async def run_program(program: Path, address: DatabaseAddress, *arguments: str | Path) -> None:
    """Runs a program against a database to its end. Raises BackUpFailed with the end of its output."""
    command = [str(program), "--no-password", f"--dbname={address.url_without_password}", *map(str, arguments)]
    process = await asyncio.create_subprocess_exec(
        *command, env=address.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _, output = await process.communicate()
    except BaseException:  # Ctrl-C, or another database failed
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        lines = output.decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
        raise BackUpFailed("\n  ".join([f"{program.name} of {address.service} at {address.place} failed:", *lines]))
