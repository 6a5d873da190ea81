"""The programs of a stack: each is a process with its own log, supervised and restarted."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, ParamSpec, Protocol, TypeVar

from devstack.embedded import EmbeddedServerError, Process
from devstack.embedded.processes import read_last_lines

ParametersT = ParamSpec("ParametersT")
ResultT = TypeVar("ResultT")

MIN_RESTART_INTERVAL: Final = 60.0
"""Seconds between two restarts of one program, so that a program that fails at start does not fill its log."""
_POLL_INTERVAL: Final = 0.5


class ManagedProcess(Protocol):
    """A server or a program that the supervisor restarts. `start` and `stop` block."""

    @property
    def name(self) -> str: ...
    @property
    def log(self) -> Path: ...
    @property
    def is_running(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Program:
    """A program that runs as a child process."""

    def __init__(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environment = environment
        self._process: Process | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def exit_status(self) -> int | None:
        return self._process.exit_status if self._process is not None else None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._process = Process.start(self._command, log=self.log, environment=self._environment)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None


@dataclass
class Supervisor:
    """Restarts processes that have ended, and reports each end with the last lines of the log.

    `on_restart` is called after each restart, because the process id has changed.
    """

    report: Callable[[str], None]
    processes: Sequence[ManagedProcess]
    on_restart: Callable[[], None]
    restarts: int = 0
    _restarted_at: dict[str, float] = field(default_factory=dict[str, float])
    _reported: set[str] = field(default_factory=set[str])

    async def watch(self) -> None:
        """Runs until cancelled."""
        while True:
            for process in self.processes:
                if not process.is_running:
                    await self._restart(process)
            await asyncio.sleep(_POLL_INTERVAL)

    async def _restart(self, process: ManagedProcess) -> None:
        if process.name not in self._reported:
            self._reported.add(process.name)
            self.report(f"{process.name} ended; {process.log} ends with:\n{read_last_lines(process.log)}")
        if time.monotonic() - self._restarted_at.get(process.name, -MIN_RESTART_INTERVAL) < MIN_RESTART_INTERVAL:
            return
        self._restarted_at[process.name] = time.monotonic()
        self.restarts += 1
        try:
            await run_in_thread(process.start)
        except EmbeddedServerError as error:
            self.report(f"{process.name} cannot be restarted: {error}")
            return
        self._reported.discard(process.name)
        self.on_restart()
        self.report(f"{process.name} restarted")


async def run_in_thread(
    function: Callable[ParametersT, ResultT], *args: ParametersT.args, **kwargs: ParametersT.kwargs
) -> ResultT:
    """Runs a blocking function in a thread; a cancelled call still waits for the function to return."""
    call = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.wait({call})
        raise
