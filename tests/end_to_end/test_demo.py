"""A small demonstration, as a person runs it: it ends by itself, finds nothing wrong, and leaves nothing behind."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import psutil
import pytest

from devstack.home import HOME_VARIABLE, REPOSITORY, Home

pytestmark = [pytest.mark.servers, pytest.mark.timeout(420), pytest.mark.xdist_group("end-to-end")]

REFERRALS, DAYS = 40, 2


async def test_two_days_of_brokerage_are_without_a_violation(tmp_path: Path) -> None:
    home = _with_postcodes_of_the_checkout(Home(tmp_path / "home"))
    command = [sys.executable, "-m", "simulator.demo", "--referrals", str(REFERRALS), "--days", str(DAYS)]
    environment = {**os.environ, HOME_VARIABLE: str(home.folder)}
    playing = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)
    printed, screen = await playing.communicate()
    told = json.loads(printed.splitlines()[-1])
    assert (playing.returncode, told["violations"], told["chains_verified"]) == (0, 0, True), screen.decode()
    assert (told["referrals"], told["simulated_days"]) == (REFERRALS, DAYS)
    assert sum(told["placed"].values()) + told["withdrawn"] + told["open"] == REFERRALS
    assert told["placed"]["tier_1"] > 0
    assert _processes_of(home) == []


def _with_postcodes_of_the_checkout(home: Home) -> Home:
    """Their index takes long to build, and is the same for everybody."""
    theirs = Home(REPOSITORY / ".calloff").postcodes
    theirs.mkdir(parents=True, exist_ok=True)
    home.folder.mkdir()
    home.postcodes.symlink_to(theirs)
    return home


def _processes_of(home: Home) -> list[str]:
    """Whatever runs with this folder on its command line or in its environment."""
    return [told for process in psutil.process_iter() if str(home.folder) in (told := _told_by(process))]


def _told_by(process: psutil.Process) -> str:
    try:
        return " ".join([str(process.pid), *process.cmdline(), *process.environ().values()])
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""
