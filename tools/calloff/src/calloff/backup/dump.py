"""Copies the databases of any installation into a folder: one archive of `pg_dump` a database, all of one instant."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from calloff.backup.addresses import Databases
from calloff.backup.concurrently import run_all
from calloff.backup.folder import create_folder_atomically
from calloff.backup.postgres_programs import find_program, run_program
from calloff.backup.snapshots import Snapshot, open_snapshots
from devstack.disk_space import explain_full_disk
from devstack.errors import NothingToRestore
from devstack.home import write_private

MANIFEST: Final = "backup.json"


class DumpedDatabase(BaseModel):
    """One archive of a back-up."""

    model_config = ConfigDict(frozen=True)

    file: Annotated[str, Field(pattern=r"^[a-z-]+\.dump$")]
    """In the folder of the back-up itself."""
    bytes: int
    sha256: str
    server: int
    """The major version of the server that it comes from."""
    taken_at: datetime
    """By the server's clock."""


class Manifest(BaseModel):
    """The content of `backup.json`."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    databases: dict[str, DumpedDatabase]
    """By service."""

    @property
    def size(self) -> int:
        return sum(each.bytes for each in self.databases.values())

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Raises NothingToRestore where the folder is not a complete back-up."""
        try:
            manifest = cls.model_validate_json((folder / MANIFEST).read_bytes())
        except (OSError, ValidationError):
            message = f"{folder} holds no readable {MANIFEST}; name a folder that `calloff backup --databases` has made"
            raise NothingToRestore(message) from None
        for each in manifest.databases.values():
            if not (folder / each.file).is_file() or _compute_digest(folder / each.file) != each.sha256:
                raise NothingToRestore(f"{folder / each.file} is missing or not the archive that was written")
        return manifest


async def dump_databases(databases: Databases, folder: Path) -> Manifest:
    """Copies the databases into a new folder; on failure no folder is left.

    Raises DataAlreadyExists, DiskFull, and BackUpFailed where a database cannot be reached, locked or copied.
    """
    with explain_full_disk(folder.parent), create_folder_atomically(folder) as unfinished:
        async with open_snapshots(databases) as snapshots:
            dumped = await run_all(*[_dump_database(each, unfinished) for each in snapshots])
        manifest = Manifest(databases=dict(zip(databases, dumped, strict=True)))
        write_private(unfinished / MANIFEST, manifest.model_dump_json(indent=2))
    return manifest


async def _dump_database(snapshot: Snapshot, folder: Path) -> DumpedDatabase:
    program = find_program("pg_dump", server=snapshot.server)
    file = folder / f"{snapshot.address.service}.dump"
    options = ("--format=custom", "--no-owner", f"--snapshot={snapshot.name}", "--lock-wait-timeout=60s")
    file.touch(mode=0o600)  # pg_dump would make it readable by others, and copies of the folder keep that
    await run_program(program, snapshot.address, *options, f"--file={file}")
    return DumpedDatabase(
        file=file.name,
        bytes=file.stat().st_size,
        sha256=_compute_digest(file),
        server=snapshot.server,
        taken_at=snapshot.taken_at,
    )


def _compute_digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
