"""The measurements, with counts that say nothing: that they still find what they measure."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from devstack.home import HOME_VARIABLE, REPOSITORY, Home

pytestmark = [pytest.mark.servers, pytest.mark.timeout(420), pytest.mark.xdist_group("end-to-end")]

MEASURED = "latency,relay,webhooks,chains"
"""The others wait for a minute, or kill what they measure."""


async def test_the_measurements_find_what_they_measure(tmp_path: Path) -> None:
    home = _with_postcodes_of_the_checkout(Home(tmp_path / "home"))
    command = [sys.executable, "-m", "bench", "--only", MEASURED, "--share", "0.02"]
    environment = {**os.environ, HOME_VARIABLE: str(home.folder)}
    measuring = await asyncio.create_subprocess_exec(
        *command, cwd=REPOSITORY, env=environment, stdout=PIPE, stderr=PIPE
    )
    printed, screen = await measuring.communicate()
    assert measuring.returncode == 0, screen.decode()
    told = json.loads(printed.splitlines()[-1])
    assert {"referral_to_webhook_ms", "relay_events_per_s", "webhooks_per_s", "transactions_per_chain"} < set(told)
    assert told["transactions_per_chain"] > 0


def _with_postcodes_of_the_checkout(home: Home) -> Home:
    """Their index takes long to build, and is the same for everybody."""
    theirs = Home(REPOSITORY / ".calloff").postcodes
    theirs.mkdir(parents=True, exist_ok=True)
    home.folder.mkdir()
    home.postcodes.symlink_to(theirs)
    return home
