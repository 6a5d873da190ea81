"""What `calloff backup` and `calloff restore` refuse before anything is touched."""

from pathlib import Path

import pytest

from calloff.backup.create import ARCHIVE, back_up
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


async def test_a_folder_without_a_copy_is_not_restored(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.kafka.mkdir(parents=True)
    with pytest.raises(NothingToRestore, match="calloff backup"):
        await restore(home, tmp_path, create_screen(err), fresh=True)
    assert home.kafka.exists()


async def test_a_restore_does_not_overwrite_existing_data_unless_fresh_is_set(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.kafka.mkdir(parents=True)
    (tmp_path / ARCHIVE).touch()
    with pytest.raises(DataAlreadyExists, match="--fresh"):
        await restore(home, tmp_path, create_screen(err), fresh=False)
    assert home.kafka.exists()
