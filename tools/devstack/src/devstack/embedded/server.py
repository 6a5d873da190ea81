"""What PostgreSQL and Kafka have in common when Call-off runs them: start, answer, stop, and dying on demand."""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.embedded.errors import ServerDidNotStart
from devstack.embedded.ports import free_port
from devstack.embedded.processes import Process, last_lines

_ANSWER_WITHIN = 60.0
_LOOK_EVERY = 0.03


class Server(ABC):
    """One server on one directory and one port of 127.0.0.1. Blocking; safe to start from any thread."""

    name: str
    stop_signal: int = signal.SIGTERM
    try_again_for: float = (
        6.0  # seconds: a predecessor that was killed may hold memory, files or the port a little longer
    )

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory.absolute()
        self.port = port or free_port()
        self.log = self.directory / "server.log"
        self._process: Process | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Whatever has to be there before the first start; cheap when it is there already."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]: ...

    @abstractmethod
    def answers(self) -> bool:
        """Does the server that runs now take requests?"""

    def environment(self) -> Mapping[str, str]:
        return os.environ

    @property
    def pid(self) -> int:
        """The server's own process id."""
        return self._running_process().pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def start(self) -> None:
        """Returns when the server answers. Does nothing if it runs already."""
        if self.running:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        self.prepare()
        give_up = time.monotonic() + self.try_again_for
        while not self._try_start():
            if time.monotonic() > give_up:
                raise ServerDidNotStart(f"{self.name} ended while starting; {self.log} says:\n{last_lines(self.log)}")
            time.sleep(0.3)

    def stop(self) -> None:
        """End it in good order; returns when it is gone."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """Kill -9, as a power cut would; `start` brings it back on the same port."""
        self._running_process().kill()
        self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self._running_process().signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._running_process().signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _try_start(self) -> bool:
        self._process = Process.start(
            self.command(), log=self.log, environment=self.environment(), stop_signal=self.stop_signal
        )
        try:
            if self._wait_for_answer(self._process):
                return True
        except BaseException:
            self.stop()
            raise
        self.stop()
        return False

    def _wait_for_answer(self, process: Process) -> bool:
        """False: it ended instead."""
        give_up = time.monotonic() + _ANSWER_WITHIN
        while process.running:
            if self.answers():
                return True
            if time.monotonic() > give_up:
                raise ServerDidNotStart(f"{self.name} does not answer; {self.log} says:\n{last_lines(self.log)}")
            time.sleep(_LOOK_EVERY)
        return False

    def _running_process(self) -> Process:
        if self._process is None:
            raise ServerDidNotStart(f"{self.name} does not run; start it first")
        return self._process
