"""A small demonstration from start to end: no violation, and no process is left running."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from devstack.councils import COUNCILS
from devstack.home import HOME_VARIABLE, Home
from simulator.definitions import load_definition
from testkit.stack_process import find_processes, link_postcodes

pytestmark = [pytest.mark.servers, pytest.mark.timeout(420), pytest.mark.xdist_group("end-to-end")]

REFERRALS, DAYS = 40, 2
"""Two days have a list at 16:00, its closing at 10:00, and a list of available packages at 12:00."""


async def test_two_days_of_brokerage_are_without_a_violation(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    link_postcodes(home)
    command = [sys.executable, "-m", "simulator.demo", "--referrals", str(REFERRALS), "--days", str(DAYS)]
    environment = {**os.environ, HOME_VARIABLE: str(home.folder)}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)
    output, errors = await process.communicate()
    summary = json.loads(output.splitlines()[-1])
    assert (process.returncode, summary["violations"], summary["chains_verified"]) == (0, 0, True), errors.decode()
    assert (summary["referrals"], summary["simulated_days"]) == (REFERRALS, DAYS)
    assert sum(summary["placed"].values()) + summary["withdrawn"] + summary["open"] == REFERRALS
    assert summary["placed"]["tier_1"] > 0
    frameworks = summary["by_framework"]
    assert list(frameworks) == [load_definition(council).framework for council in COUNCILS]
    assert all(each["referrals"] == each["placed"] + each["open"] + each["withdrawn"] for each in frameworks.values())
    assert sum(summary["by_procedure"].values()) == sum(each["placed"] for each in frameworks.values())
    assert {"sequential-offers", "designated", "offer-to-all"} <= set(summary["by_procedure"])
    assert (summary["batching_lists"], summary["available_lists"]) == (2, 1)
    assert summary["workbooks"] > 0
    assert find_processes(home) == []
