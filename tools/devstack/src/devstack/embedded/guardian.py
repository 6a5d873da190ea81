"""Stands between Call-off and one program it runs, and ends that program when Call-off is gone, even by kill -9.

Run as a script, with the standard library only: `guardian.py STOP_SIGNAL PATIENCE COMMAND…`. Its standard input is a
socket whose other end the owner holds: the guardian writes the program's process id to it, and takes its closing to
mean that the owner has ended. The guardian's exit status is the program's.
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
    stop_signal, patience, *command = sys.argv[1:]
    owner = socket.socket(fileno=0)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_die_with_guardian)  # noqa: PLW1509 - no other thread runs yet
    owner.sendall(f"{child.pid}\n".encode())
    threading.Thread(target=_end_without, args=(owner, child, int(stop_signal), float(patience)), daemon=True).start()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    _signal_group(child, signal.SIGKILL)  # what the program itself left behind
    status = child.wait()
    return status if status >= 0 else 128 - status


def _die_with_guardian() -> None:
    """Second line: should the guardian itself be killed, Linux kills the program."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_without(owner: socket.socket, child: subprocess.Popen[bytes], stop_signal: int, patience: float) -> None:
    with contextlib.suppress(ConnectionError):
        while owner.recv(64):
            pass
    child.send_signal(stop_signal)
    child.send_signal(signal.SIGCONT)
    threading.Timer(patience, _signal_group, (child, signal.SIGKILL)).start()


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    sys.exit(main())
