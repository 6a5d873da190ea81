"""The programs of a stack beside its servers: each a process with a log of its own, watched and restarted."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, ParamSpec, Protocol, TypeVar

from devstack.embedded import EmbeddedServerError, Process
from devstack.embedded.processes import last_lines

ParametersT = ParamSpec("ParametersT")
ResultT = TypeVar("ResultT")

RESTARTS_APART: Final = 60.0
"""Seconds between two restarts of one program at least; what dies faster would only fill its log."""
_LOOKS_EVERY: Final = 0.5


class Watched(Protocol):
    """A server or a program, as the supervisor sees it. Start and stop block."""

    @property
    def name(self) -> str: ...
    @property
    def log(self) -> Path: ...
    @property
    def running(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Program:
    """One program that runs beside us."""

    def __init__(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environment = environment
        self._process: Process | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

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
    """Watches what must not end, says which one did and what it logged last, and starts it again.

    `brought_back` is called each time that one runs again, as another process.
    """

    say: Callable[[str], None]
    watched: Sequence[Watched]
    brought_back: Callable[[], None]
    restarts: int = 0
    _begun: dict[str, float] = field(default_factory=dict[str, float])
    _reported: set[str] = field(default_factory=set[str])

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            for each in self.watched:
                if not each.running:
                    await self._bring_back(each)
            await asyncio.sleep(_LOOKS_EVERY)

    async def _bring_back(self, dead: Watched) -> None:
        if dead.name not in self._reported:
            self._reported.add(dead.name)
            self.say(f"{dead.name} has ended; {dead.log} says:\n{last_lines(dead.log)}")
        if time.monotonic() - self._begun.get(dead.name, -RESTARTS_APART) < RESTARTS_APART:
            return
        self._begun[dead.name] = time.monotonic()
        self.restarts += 1
        try:
            await in_thread(dead.start)
        except EmbeddedServerError as error:
            self.say(f"{dead.name} does not start again: {error}")
            return
        self._reported.discard(dead.name)
        self.brought_back()
        self.say(f"{dead.name} was started again")


async def in_thread(
    work: Callable[ParametersT, ResultT], *given: ParametersT.args, **named: ParametersT.kwargs
) -> ResultT:
    """Does what blocks; cancelled, it is waited for all the same, so that nothing is started behind our back."""
    doing = asyncio.ensure_future(asyncio.to_thread(work, *given, **named))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait({doing})
        raise
