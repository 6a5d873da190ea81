"""The services' processes: forked from one that has imported what all of them stand on.

Importing that takes more than three seconds of a small machine's processor, and half a dozen services would each do it
for themselves. Importing a module of ours does nothing else, so a fork is as good as a fresh start.
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

from devstack.interrupts import kept_from_children, let_through

STOP_PATIENCE: Final = 10.0
"""Seconds between asking a service to end and killing it."""
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15

_forking: Final = multiprocessing.get_context("forkserver")


def share_imports(packages: Iterable[str]) -> None:
    """Before the first sibling starts: what they have in common is imported once, as their composition roots do."""
    _forking.set_forkserver_preload([f"{package}.wiring" for package in packages])


def stop_sharing() -> None:
    """After the last sibling: ends the process that they were forked from, which would outlive us by a moment."""
    # Python's own tests wait like this; there is no public way.
    forkserver._forkserver._stop()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]
    resource_tracker._resource_tracker._stop()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]


class Sibling:
    """`python -m PACKAGE ARGUMENT…` beside us; it ends when this process ends, in whatever way."""

    def __init__(
        self, name: str, package: str, environment: Mapping[str, str], log: Path, arguments: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.log = log
        self._given = (package, tuple(arguments), dict(environment), str(log))
        self._process: ForkServerProcess | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._process = _forking.Process(target=_become, args=(self.name, *self._given), daemon=True)
        with kept_from_children():  # the process that is forked from may just import, and would end in a traceback
            self._process.start()

    def wait(self) -> int:
        """Its exit status, once it has ended by itself."""
        assert self._process is not None, "nothing was started"
        self._process.join()
        return self._process.exitcode or 0

    def stop(self) -> None:
        """Ask it to end, then insist: returns when it is gone."""
        if self._process is None:
            return
        self._process.terminate()
        if self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGCONT)
        self._process.join(STOP_PATIENCE)
        self._process.kill()
        self._process.join()
        self._process = None


def _become(name: str, package: str, arguments: Sequence[str], environment: dict[str, str], log: str) -> None:
    """What the fork does: from here on it is the service, with an environment, a log and a group of its own."""
    os.setsid()
    let_through()
    _live_and_die_as(name)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # among them the pipe by whose end the process we come from ends
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = [package, *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


def _live_and_die_as(name: str) -> None:
    """Known to `ps` and `top` by its name; killed when the process is gone that it was forked from."""
    if sys.platform == "linux":
        linux = ctypes.CDLL(None)
        linux.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        linux.prctl(_PR_SET_NAME, name.encode())
