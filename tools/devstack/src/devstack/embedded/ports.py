"""Free ports of 127.0.0.1 that an embedded server can keep across restarts."""

import random
import socket

LOOPBACK = "127.0.0.1"

# Below the kernel's range of ephemeral ports: after a kill the port is still free for the server, and a client that
# reconnects to it cannot connect to itself.
_CANDIDATES = range(15_000, 30_000)
_returned: set[int] = set()


def find_free_port() -> int:
    """Returns a port of 127.0.0.1 that no process listens on, and that this process has not returned before.

    A server binds its port some time after the port was chosen; no second server must get it meanwhile. Raises OSError
    if no port is left.
    """
    for port in random.SystemRandom().sample(_CANDIDATES, k=len(_CANDIDATES)):
        if port not in _returned and _is_free(port):
            _returned.add(port)
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
