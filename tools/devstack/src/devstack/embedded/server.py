"""The base of EmbeddedPostgres and EmbeddedKafka: start, readiness check, stop, and faults for tests."""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.embedded.errors import ServerDidNotStart
from devstack.embedded.ports import find_free_port
from devstack.embedded.processes import Process, read_last_lines

_START_TIMEOUT = 60.0
_POLL_INTERVAL = 0.03


class Server(ABC):
    """One server with one directory and one port of 127.0.0.1. Methods block; start it from any thread."""

    name: str
    stop_signal: int = signal.SIGTERM
    start_retry_seconds: float = (
        6.0  # seconds: after a kill, the former process can hold memory, files or the port for a moment
    )

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory.absolute()
        self.port = port or find_free_port()
        self.log = self.directory / "server.log"
        self._process: Process | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Creates what the server needs before its first start; does nothing if it exists."""

    @abstractmethod
    def build_command(self) -> Sequence[str | Path]: ...

    @abstractmethod
    def is_answering(self) -> bool:
        """True when the running server takes requests."""

    def build_environment(self) -> Mapping[str, str]:
        return os.environ

    @property
    def pid(self) -> int:
        """The server's own process id."""
        return self._require_process().pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running

    def start(self) -> None:
        """Starts the server and returns when it answers. Does nothing if it is running. Raises ServerDidNotStart."""
        if self.is_running:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        self.prepare()
        deadline = time.monotonic() + self.start_retry_seconds
        while not self._try_start():
            if time.monotonic() > deadline:
                raise ServerDidNotStart(
                    f"{self.name} ended while starting; {self.log} says:\n{read_last_lines(self.log)}"
                )
            time.sleep(0.3)

    def stop(self) -> None:
        """Stops the server cleanly; returns when it has ended."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """Sends kill -9, to test a crash; `start` restarts it on the same port."""
        self._require_process().kill()
        self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """Sends SIGSTOP: connections stay open and nothing answers."""
        self._require_process().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._require_process().send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _try_start(self) -> bool:
        self._process = Process.start(
            self.build_command(), log=self.log, environment=self.build_environment(), stop_signal=self.stop_signal
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
        """True when the server answers, False when it has ended. Raises ServerDidNotStart after _START_TIMEOUT."""
        deadline = time.monotonic() + _START_TIMEOUT
        while process.is_running:
            if self.is_answering():
                return True
            if time.monotonic() > deadline:
                raise ServerDidNotStart(f"{self.name} does not answer; {self.log} says:\n{read_last_lines(self.log)}")
            time.sleep(_POLL_INTERVAL)
        return False

    def _require_process(self) -> Process:
        if self._process is None:
            raise ServerDidNotStart(f"{self.name} is not running; start it first")
        return self._process
