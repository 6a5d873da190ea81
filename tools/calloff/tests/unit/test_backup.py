"""What `calloff backup` and `calloff restore` refuse before anything is touched."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from calloff.backup.create import ARCHIVE, back_up
from calloff.backup.dump import MANIFEST, Manifest
from calloff.backup.folder import create_folder_atomically
from calloff.backup.restore import restore
from calloff.commands.output import err
from devstack.errors import DataAlreadyExists, NothingToRestore, NotRunning
from devstack.home import Home
from devstack.screen import create_screen


def test_a_copy_never_replaces_another(tmp_path: Path) -> None:
    (tmp_path / "monday").mkdir()
    with pytest.raises(DataAlreadyExists, match="name a new folder"):
        back_up(Home(tmp_path / "home"), tmp_path / "monday")


def test_a_backup_without_databases_leaves_no_copy(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="no databases"):
        back_up(Home(tmp_path / "home"), tmp_path / "monday")
    assert list(tmp_path.iterdir()) == []


def write_archive(folder: Path) -> bytes:
    """Writes the archive of a back-up without databases, and returns its bytes."""
    with tarfile.open(folder / ARCHIVE, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ("PG_VERSION", "global"):
            content = tarfile.TarInfo(name)
            content.size = 600
            archive.addfile(content, io.BytesIO(b"1" * 600))
    return (folder / ARCHIVE).read_bytes()


@pytest.mark.parametrize("length", [0, 100, 512 + 1024, 512 + 1024 + 512 + 300, 2 * (512 + 1024)])
async def test_a_copy_that_is_not_whole_deletes_nothing(tmp_path: Path, length: int) -> None:
    home = Home(tmp_path / "home")
    home.kafka.mkdir(parents=True)
    (tmp_path / ARCHIVE).write_bytes(write_archive(tmp_path)[:length])
    with pytest.raises(NothingToRestore, match="is not whole"):
        await restore(home, tmp_path, create_screen(err), fresh=True)
    assert home.kafka.exists()


def test_two_processes_do_not_fill_one_folder(tmp_path: Path) -> None:
    with create_folder_atomically(tmp_path / "monday") as first:
        (first / "a").write_text("whole")
        with (
            pytest.raises(DataAlreadyExists, match="another back-up is being written"),
            create_folder_atomically(tmp_path / "monday"),
        ):
            pass
    assert [path.read_text() for path in (tmp_path / "monday").iterdir()] == ["whole"]


def test_what_a_killed_back_up_left_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "monday.unfinished").mkdir()
    (tmp_path / "monday.unfinished" / "half").touch()
    with create_folder_atomically(tmp_path / "monday") as folder:
        (folder / "whole").touch()
    assert [path.name for path in (tmp_path / "monday").iterdir()] == ["whole"]


@pytest.mark.parametrize(("version", "name"), [(2, "audit.dump"), (1, "../audit.dump")])
def test_a_manifest_of_another_format_or_with_a_file_elsewhere_is_refused(
    tmp_path: Path, version: int, name: str
) -> None:
    folder = tmp_path / "monday"
    folder.mkdir()
    (folder / name).write_bytes(b"")
    file = {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest(), "server": 18, "taken_at": "2026-01-01T00:00:00Z"}
    content = {"format": version, "databases": {"audit": file | {"file": name}}}
    (folder / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(NothingToRestore, match=r"holds no readable backup\.json"):
        Manifest.load(folder)


async def test_a_folder_without_a_copy_is_not_restored(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.kafka.mkdir(parents=True)
    with pytest.raises(NothingToRestore, match="calloff backup"):
        await restore(home, tmp_path, create_screen(err), fresh=True)
    assert home.kafka.exists()


async def test_a_restore_does_not_overwrite_existing_data_unless_fresh_is_set(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.kafka.mkdir(parents=True)
    write_archive(tmp_path)
    with pytest.raises(DataAlreadyExists, match="--fresh"):
        await restore(home, tmp_path, create_screen(err), fresh=False)
    assert home.kafka.exists()
