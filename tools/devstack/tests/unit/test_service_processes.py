"""Forked or not, a sibling is a program: its own arguments, environment, log and exit status, and it can be ended."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devstack.service_processes import ServiceProcess, stop_fork_server
from testkit.waiting import wait_until


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    stop_fork_server()


def a_server(log: Path) -> ServiceProcess:
    """Serves until it is ended."""
    return ServiceProcess("server", "http.server", os.environ, log, ["0", "--bind", "127.0.0.1"])


def test_a_service_process_has_its_own_arguments_log_and_exit_code(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "tool.log"
    well = ServiceProcess("tool", "json.tool", {}, log, ["--help"])
    well.start()
    assert well.wait() == 0
    badly = ServiceProcess("tool", "json.tool", {}, log, ["--no-such-option"])
    badly.start()
    assert badly.wait() == 2
    assert "json.tool" in log.read_text()
    assert "--no-such-option" in log.read_text()


def test_a_service_process_has_only_the_environment_passed_to_it(tmp_path: Path) -> None:
    log = tmp_path / "site.log"
    site = ServiceProcess("site", "site", {"PYTHONUSERBASE": "/of/nobody"}, log, ["--user-base"])
    site.start()
    site.wait()
    assert log.read_text().strip() == "/of/nobody"


async def test_a_service_process_runs_until_it_is_stopped_and_can_be_started_again(tmp_path: Path) -> None:
    server = a_server(tmp_path / "server.log")
    server.start()
    first = server.pid
    assert first is not None
    assert server.is_running
    os.kill(first, signal.SIGKILL)
    await wait_until(lambda: not server.is_running)
    server.start()
    assert server.is_running
    assert server.pid != first
    server.stop()
    assert not server.is_running


ORPHANED = """
import os, sys
from pathlib import Path
from devstack.service_processes import ServiceProcess
server = ServiceProcess("server", "http.server", os.environ, Path(sys.argv[1]), ["0", "--bind", "127.0.0.1"])
server.start()
print(server.pid, flush=True)
os.kill(os.getpid(), 9)
"""


async def test_a_service_process_ends_with_its_parent(tmp_path: Path) -> None:
    command = (sys.executable, "-c", ORPHANED, str(tmp_path / "server.log"))
    owner = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert owner.stdout is not None
    server = int(await owner.stdout.readline())
    await owner.wait()
    await wait_until(lambda: not psutil.pid_exists(server))
