"""Programs that Call-off runs beside itself: each in a group of its own, and none outlives the one who started it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack.embedded import guardian
from devstack.embedded.errors import ServerDidNotStart

STOP_PATIENCE = 10.0  # seconds between asking a program to end and killing it


class Process:
    """One running program. Owned by this process: should this one end in whatever way, that one ends too."""

    def __init__(self, watch: subprocess.Popen[bytes], owner: socket.socket, pid: int, stop_signal: int) -> None:
        self._watch = watch
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
        """Run `command`; its output is appended to `log`. `environment` replaces this process's own."""
        ours, theirs = socket.socketpair()
        guarded = [sys.executable, "-I", "-S", guardian.__file__, str(int(stop_signal)), str(STOP_PATIENCE), *command]
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
            raise ServerDidNotStart(f"{command[0]} cannot be run: {last_lines(log)}")
        return cls(watch, ours, int(pid), stop_signal)

    @property
    def running(self) -> bool:
        return self._watch.poll() is None

    @property
    def exit_status(self) -> int | None:
        """As a shell tells it (128 + signal when killed); None while it runs."""
        return self._watch.poll()

    def signal(self, number: int) -> None:
        """Send a signal to the program itself, if it still runs."""
        if self.running:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended and give its exit status; TimeoutError after `timeout` seconds."""
        try:
            status = self._watch.wait(timeout)
        except subprocess.TimeoutExpired as late:
            raise TimeoutError(f"process {self.pid} still runs after {timeout} s") from late
        self._owner.close()
        return status

    def stop(self) -> int:
        """Ask it to end, then insist: returns when it is gone."""
        self.signal(self._stop_signal)
        self.signal(signal.SIGCONT)
        try:
            return self.wait(STOP_PATIENCE)
        except TimeoutError:
            return self.kill()

    def kill(self) -> int:
        """Kill -9: returns when it is gone."""
        self.signal(signal.SIGKILL)
        return self.wait()


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return "(nothing was logged)"
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(lines[-count:]) or "(nothing was logged)"
