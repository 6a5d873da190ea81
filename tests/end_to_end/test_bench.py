"""A short run of the measurements: each one still produces its figures."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from devstack.home import HOME_VARIABLE, REPOSITORY, Home
from testkit.stack_process import link_postcodes

pytestmark = [pytest.mark.servers, pytest.mark.timeout(420), pytest.mark.xdist_group("end-to-end")]

MEASUREMENTS = "latency,relay,webhooks,chains"
"""The other measurements wait for a minute, or kill the processes that they measure."""


async def test_the_measurements_produce_their_figures(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    link_postcodes(home)
    command = [sys.executable, "-m", "bench", "--only", MEASUREMENTS, "--share", "0.02"]
    environment = {**os.environ, HOME_VARIABLE: str(home.folder)}
    process = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY, env=environment, stdout=PIPE, stderr=PIPE)
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    figures = json.loads(output.splitlines()[-1])
    assert {"referral_to_webhook_ms", "relay_events_per_s", "webhooks_per_s", "transactions_per_chain"} < set(figures)
    assert figures["transactions_per_chain"] > 0
