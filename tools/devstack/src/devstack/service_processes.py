"""Processes of services, forked from a server process that has imported the services' common modules.

These imports take more than three seconds of CPU, which each service would spend again. Importing a module of Call-off
has no side effects, so a forked service behaves like one that was started afresh.
"""

import ctypes
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from devstack.interrupts import mask_sigint_for_children, unblock_interrupts

STOP_TIMEOUT: Final = 10.0
"""Seconds between SIGTERM and kill -9."""
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15

_fork_server: Final = multiprocessing.get_context("forkserver")


def preload_packages(packages: Iterable[str]) -> None:
    """Lets the fork server import the `wiring` module of each package; call it before the first process starts."""
    _fork_server.set_forkserver_preload([f"{package}.wiring" for package in packages])


def stop_fork_server() -> None:
    """Ends the fork server, which would outlive this process for a moment; call it after the last process has ended."""
    # There is no public API; Python's own tests do the same.
    forkserver._forkserver._stop()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]
    resource_tracker._resource_tracker._stop()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]


class ServiceProcess:
    """`python -m PACKAGE ARGUMENT…` as a forked process; it ends when this process ends, even by kill -9."""

    def __init__(
        self, name: str, package: str, environment: Mapping[str, str], log: Path, arguments: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.log = log
        self._arguments = (package, tuple(arguments), dict(environment), str(log))
        self._process: ForkServerProcess | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._process = _fork_server.Process(target=_run_service, args=(self.name, *self._arguments), daemon=True)
        with mask_sigint_for_children():  # SIGINT would interrupt the imports of the fork server
            self._process.start()

    def wait(self) -> int:
        """Waits until the process has ended and returns its exit status."""
        assert self._process is not None, "nothing was started"
        self._process.join()
        return self._process.exitcode or 0

    def stop(self) -> None:
        """Sends SIGTERM, then kill -9 after STOP_TIMEOUT; returns when the process has ended."""
        if self._process is None:
            return
        self._process.terminate()
        if self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGCONT)
        self._process.join(STOP_TIMEOUT)
        self._process.kill()
        self._process.join()
        self._process = None


def _run_service(name: str, package: str, arguments: Sequence[str], environment: dict[str, str], log: str) -> None:
    """Runs in the forked process: sets its own process group, log and environment, and runs the package."""
    os.setsid()
    unblock_interrupts()
    _set_process_attributes(name)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # includes the pipe whose end stops the fork server
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = [package, *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


def _set_process_attributes(name: str) -> None:
    """Sets the name that `ps` shows, and lets Linux kill the process when the fork server has ended."""
    if sys.platform == "linux":
        linux = ctypes.CDLL(None)
        linux.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        linux.prctl(_PR_SET_NAME, name.encode())
