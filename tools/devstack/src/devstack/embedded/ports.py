"""Ports on this machine that the embedded servers can keep, also over a restart."""

import random
import socket

LOOPBACK = "127.0.0.1"

# Below the range from which the kernel takes ports for outgoing connections. A server that was killed finds its port
# free again, and no client that keeps reconnecting to it can end up connected to itself.
_CANDIDATES = range(15_000, 30_000)


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    for port in random.SystemRandom().sample(_CANDIDATES, k=len(_CANDIDATES)):
        if _is_free(port):
            return port
    raise OSError(f"every port of {LOOPBACK} from {_CANDIDATES.start} to {_CANDIDATES.stop - 1} is taken")


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
