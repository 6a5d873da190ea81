"""Runs one program and ends it when the process that owns it has ended, even after kill -9.

Started as a script, with the standard library only: `guardian.py STOP_SIGNAL STOP_TIMEOUT COMMAND…`. Standard input is
a socket whose other end the owner holds. The guardian writes the program's process id to it; when the owner's end
closes, the guardian stops the program. The guardian's exit status is the program's.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1


def main() -> int:
    stop_signal, stop_timeout, *command = sys.argv[1:]
    owner = socket.socket(fileno=0)
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_request_parent_death_signal,  # noqa: PLW1509 - no other thread runs yet
    )
    owner.sendall(f"{child.pid}\n".encode())
    threading.Thread(
        target=_end_child_with_owner, args=(owner, child, int(stop_signal), float(stop_timeout)), daemon=True
    ).start()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    _send_group_signal(child, signal.SIGKILL)  # child processes that the program left running
    status = child.wait()
    return status if status >= 0 else 128 - status


def _request_parent_death_signal() -> None:
    """Lets Linux kill the program when the guardian itself is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_child_with_owner(
    owner: socket.socket, child: subprocess.Popen[bytes], stop_signal: int, stop_timeout: float
) -> None:
    with contextlib.suppress(ConnectionError):
        while owner.recv(64):
            pass
    child.send_signal(stop_signal)
    child.send_signal(signal.SIGCONT)
    threading.Timer(stop_timeout, _send_group_signal, (child, signal.SIGKILL)).start()


def _send_group_signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    sys.exit(main())
