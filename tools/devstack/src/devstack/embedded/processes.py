"""Child processes, each in its own process group; none outlives the process that started it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack.embedded import guardian
from devstack.embedded.errors import ServerDidNotStart

STOP_TIMEOUT = 10.0  # seconds between the stop signal and kill -9


class Process:
    """One running program; it is ended when this process ends, even by kill -9."""

    def __init__(self, watch: subprocess.Popen[bytes], owner: socket.socket, pid: int, stop_signal: int) -> None:
        self._guardian = watch
        self._owner = owner
        self._stop_signal = stop_signal
        self.pid = pid

    @classmethod
    def start(
        cls,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> "Process":
        """Runs `command` with its output appended to `log`; `environment` replaces that of this process."""
        ours, theirs = socket.socketpair()
        guarded = [sys.executable, "-I", "-S", guardian.__file__, str(int(stop_signal)), str(STOP_TIMEOUT), *command]
        with log.open("ab") as output, theirs:
            watch = subprocess.Popen(
                guarded,
                stdin=theirs.fileno(),
                stdout=output,
                stderr=output,
                env=environment,
                cwd=directory,
                start_new_session=True,
            )
        pid = ours.recv(64)
        if not pid:
            ours.close()
            watch.wait()
            raise ServerDidNotStart(f"{command[0]} cannot be run: {read_last_lines(log)}")
        return cls(watch, ours, int(pid), stop_signal)

    @property
    def is_running(self) -> bool:
        return self._guardian.poll() is None

    @property
    def exit_status(self) -> int | None:
        """As in a shell: 128 + signal after a kill; None while the program runs."""
        return self._guardian.poll()

    def send_signal(self, number: int) -> None:
        """Sends a signal to the program itself, if it is running."""
        if self.is_running:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the end and returns the exit status. Raises TimeoutError after `timeout` seconds."""
        try:
            status = self._guardian.wait(timeout)
        except subprocess.TimeoutExpired as late:
            raise TimeoutError(f"process {self.pid} is still running after {timeout} s") from late
        self._owner.close()
        return status

    def stop(self) -> int:
        """Sends the stop signal, then kill -9 after STOP_TIMEOUT; returns when the program has ended."""
        self.send_signal(self._stop_signal)
        self.send_signal(signal.SIGCONT)
        try:
            return self.wait(STOP_TIMEOUT)
        except TimeoutError:
            return self.kill()

    def kill(self) -> int:
        """Sends kill -9; returns when the program has ended."""
        self.send_signal(signal.SIGKILL)
        return self.wait()


def read_last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return "(nothing was logged)"
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(lines[-count:]) or "(nothing was logged)"
