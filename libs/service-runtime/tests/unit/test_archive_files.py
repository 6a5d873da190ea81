"""Archive files: readable by their owner only, written by one process only, refused where they are no archive."""

import asyncio
import gzip
import json
import stat
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest

from service_runtime.retention.archive_files import (
    MAX_LINE,
    ArchiveDamaged,
    ArchiveRefused,
    Manifest,
    open_archive,
    read_rows,
    write_archive,
)
from service_runtime.retention.journal_verification import verify_journal
from testkit.waiting import wait_until

NAME = "sample-journal-2026-01.jsonl.gz"


async def write(folder: Path, *positions: int, begin: asyncio.Event | None = None) -> Manifest:
    """Writes an archive; the rows after the first wait for `begin`."""

    async def list_rows() -> AsyncGenerator[Mapping[str, Any]]:
        for position in positions:
            yield {"position": position}
            if begin is not None:
                await begin.wait()

    extent = {"positions": (positions[0], positions[-1] + 1)}
    return await write_archive(folder, list_rows(), service="sample", kind="journal", month="2026-01", extent=extent)


def list_modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def write_lines(folder: Path, *lines: bytes) -> Path:
    path = folder / NAME
    path.write_bytes(gzip.compress(b"".join(lines)))
    return path


async def test_only_the_owner_can_read_an_archive_and_its_manifest(tmp_path: Path) -> None:
    await write(tmp_path, 1, 2)
    assert list_modes(tmp_path) == {NAME: 0o600, "sample-journal-2026-01.manifest.json": 0o600}


async def test_archivers_of_two_databases_in_one_folder_leave_the_file_of_the_first_whole(tmp_path: Path) -> None:
    begin = asyncio.Event()
    second = asyncio.create_task(write(tmp_path, 7, 8, 9, begin=begin))
    await wait_until(lambda: list_modes(tmp_path), within=60)
    first = await write(tmp_path, 1, 2)
    begin.set()
    with pytest.raises((ArchiveRefused, FileNotFoundError)):
        await second
    assert open_archive(tmp_path / NAME) == first
    assert [row["position"] for row in read_rows(tmp_path / NAME)] == [1, 2]


async def test_the_same_rows_again_keep_the_file(tmp_path: Path) -> None:
    assert await write(tmp_path, 1, 2) == await write(tmp_path, 1, 2)
    assert len(list_modes(tmp_path)) == 2


@pytest.mark.parametrize(
    ("begin", "filling", "end"), [('{"a": "', MAX_LINE, '"}\n'), ('{"a": 1}', 0, ""), ("[1", 0, "]\n")]
)
def test_a_line_that_is_no_row_or_too_long_is_refused(tmp_path: Path, begin: str, filling: int, end: str) -> None:
    path = write_lines(tmp_path, b"{}\n", f"{begin}{'a' * filling}{end}".encode())
    with pytest.raises(ArchiveDamaged, match="has a line that is no row, or longer than"):
        list(read_rows(path))


@pytest.mark.parametrize("changed", [{"row_count": "many"}, {"extent": {"positions": [1]}}, {"month": None}])
async def test_a_manifest_with_a_value_of_another_type_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    await write(tmp_path, 1, 2)
    file = tmp_path / "sample-journal-2026-01.manifest.json"
    file.write_text(json.dumps(json.loads(file.read_bytes()) | changed))
    with pytest.raises(ArchiveDamaged, match="is not the manifest of an archive"):
        Manifest.load(tmp_path / NAME)


@pytest.mark.parametrize(
    ("row", "extent"), [({"position": 1}, {"positions": (1, 2)}), ({"id": "a"}, {"positions": (1, 2)}), ({}, {})]
)
def test_a_journal_whose_rows_or_manifest_lack_a_value_is_refused(
    tmp_path: Path, row: dict[str, object], extent: dict[str, tuple[int, int]]
) -> None:
    path = write_lines(tmp_path, b"{}\n", json.dumps(row).encode() + b"\n")
    with pytest.raises(ArchiveDamaged):
        verify_journal([(path, Manifest("sample", "journal", "2026-01", 1, extent, "", 0))])
