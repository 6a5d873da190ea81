"""Archive files: one month of a table as gzip-compressed JSON lines, with a manifest beside it.

The first line describes the file, each further line is a row: bytes are text where they are UTF-8, otherwise
`{"base64": …}`; times are ISO 8601. The manifest names the rows' extent and the SHA-256 of the compressed file. A file
is complete as soon as it has its name: it is written under another one, flushed to the disk and renamed. Only its owner
can read it.
"""

import base64
import gzip
import hashlib
import io
import json
import os
import secrets
from collections.abc import AsyncIterable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Self
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from contracts.errors import CallOffError

FORMAT: Final = "calloff-archive-1"
MAX_LINE: Final = 32 * 1024 * 1024
"""Bytes of the longest row that is read: a record of Kafka's largest size, each of its bytes escaped, is shorter."""
_NOTE: Final = "one row a line; bytes are text, or base64 where they are not UTF-8"

Row = Mapping[str, Any]  # the columns differ between tables


class ArchiveRefused(CallOffError):
    """A month cannot be archived or restored; nothing was changed in the database."""


class ArchiveDamaged(CallOffError):
    """An archive file is incomplete, or is not the one that was written."""


@dataclass(frozen=True)
class Manifest:
    """What an archive file holds."""

    service: str
    kind: str
    month: str
    row_count: int
    extent: Mapping[str, tuple[int, int]]
    """For each numbered sequence of rows its first number, and the number after its last."""
    sha256: str
    size: int
    format: str = FORMAT

    @property
    def name(self) -> str:
        return f"{self.service}-{self.kind}-{self.month}.jsonl.gz"

    @classmethod
    def load(cls, archive: Path) -> Self:
        """Loads the manifest of an archive file. Raises ArchiveDamaged."""
        path = find_manifest(archive)
        try:
            manifest = TypeAdapter(cls).validate_json(path.read_bytes())
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ArchiveDamaged(f"{path} cannot be read ({reason}); keep it beside its archive") from None
        except ValidationError:
            raise ArchiveDamaged(f"{path} is not the manifest of an archive; get it from the backup") from None
        if manifest.format != FORMAT:
            raise ArchiveDamaged(f"{path} has the format {manifest.format}; this release reads {FORMAT}")
        return manifest


def find_manifest(archive: Path) -> Path:
    return archive.with_name(archive.name.removesuffix(".jsonl.gz") + ".manifest.json")


class _HashingFile(io.RawIOBase):
    """Passes what is written to a file on, and computes its SHA-256."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # bytes or any other buffer
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)


async def write_archive(
    folder: Path,
    rows: AsyncIterable[Row],
    *,
    service: str,
    kind: str,
    month: str,
    extent: Mapping[str, tuple[int, int]],
) -> Manifest:
    """Writes an archive and its manifest; both are on the disk when it returns. Raises ArchiveRefused.

    The same rows make the same bytes. A file of the same name with other bytes is left alone.
    """
    path = folder / f"{service}-{kind}-{month}.jsonl.gz"
    described = {"format": FORMAT, "service": service, "kind": kind, "month": month, "note": _NOTE}
    with _create_unfinished(path) as (unfinished, file):
        count, size, sha256 = await _write_lines(file, described, rows)
        _publish(unfinished, path, sha256)
    manifest = Manifest(service, kind, month, count, extent, sha256, size)
    _write_manifest(find_manifest(path), manifest)
    return manifest


@contextmanager
def _create_unfinished(path: Path) -> Generator[tuple[Path, IO[bytes]]]:
    """A new file beside `path`, which only its owner can read; deleted at the end unless it was renamed.

    Its name is used once: archivers of two databases that write into one folder never write into one file. What a
    killed process left is deleted.
    """
    for left in path.parent.glob(f"{path.name}.*.unfinished"):
        left.unlink(missing_ok=True)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.unfinished")
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
            yield unfinished, file
    finally:  # Ctrl-C too
        unfinished.unlink(missing_ok=True)


def _publish(unfinished: Path, path: Path, sha256: str) -> None:
    """Gives a file its name. Raises ArchiveRefused if another file has it."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        if compute_sha256(path) != sha256:
            message = f"{path} exists with other content; move it away, or name another folder"
            raise ArchiveRefused(message) from None
    except OSError:  # a file system without links
        unfinished.rename(path)


async def _write_lines(file: IO[bytes], described: Row, rows: AsyncIterable[Row]) -> tuple[int, int, str]:
    """Returns the number of rows, the size of the file and its SHA-256."""
    count = 0
    hashing = _HashingFile(file)
    # Neither a time nor a name in the header, so that the same rows make the same bytes.
    with gzip.GzipFile(filename="", mode="wb", fileobj=hashing, mtime=0) as lines:
        lines.write(_encode_line(described))
        async for row in rows:
            lines.write(_encode_line(row))
            count += 1
    _flush(file)
    return count, hashing.size, hashing.digest.hexdigest()


def _write_manifest(path: Path, manifest: Manifest) -> None:
    with _create_unfinished(path) as (unfinished, file):
        file.write(json.dumps(asdict(manifest), indent=1).encode())
        _flush(file)
        unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def compute_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_archive(path: Path) -> Manifest:
    """Returns the manifest of a file that is the one it describes. Raises ArchiveDamaged."""
    manifest = Manifest.load(path)
    if not path.exists():
        raise ArchiveDamaged(f"{path} does not exist")
    if compute_sha256(path) != manifest.sha256:
        raise ArchiveDamaged(f"{path} was changed: its SHA-256 is not that of its manifest; get it from another copy")
    return manifest


def read_rows(path: Path) -> Generator[dict[str, Any]]:
    """Yields the rows of an archive, with bytes columns as text or base64. Raises ArchiveDamaged."""
    try:
        with gzip.open(path, "rb") as lines:
            lines.readline(MAX_LINE)
            while line := lines.readline(MAX_LINE):
                yield _decode_line(path, line)
    except (OSError, EOFError, ValueError) as error:
        raise ArchiveDamaged(f"{path} cannot be read ({type(error).__name__}); get it from another copy") from error


def _decode_line(path: Path, line: bytes) -> dict[str, Any]:
    """Raises ArchiveDamaged, and ValueError for what is not JSON."""
    row = json.loads(line) if line.endswith(b"\n") else None
    if not isinstance(row, dict):
        raise ArchiveDamaged(f"{path} has a line that is no row, or longer than {MAX_LINE} bytes")
    return row  # pyright: ignore[reportUnknownVariableType]  isinstance loses the types of a JSON object


def split_rows(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Splits rows into lists of at most `size`, so that a statement takes some of them."""
    remaining = iter(rows)
    return iter(lambda: list(islice(remaining, size)), [])


def _encode_line(row: Row) -> bytes:
    encoded = {name: _encode_value(value) for name, value in row.items()}
    return json.dumps(encoded, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _encode_value(value: object) -> object:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def decode_bytes(value: Any) -> bytes | None:  # a JSON value
    """Decodes a column of bytes as `read_rows` returns it."""
    if value is None or isinstance(value, str):
        return None if value is None else value.encode()
    return base64.b64decode(value["base64"])
