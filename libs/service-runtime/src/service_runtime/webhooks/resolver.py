"""DNS resolver of webhooks: looks names up in threads of its own, within a time limit.

aiohttp's resolver uses the event loop's thread pool, where names whose name server hangs delay everything else.
"""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

from service_runtime.webhooks.bounded_threads import BoundedThreads

MAX_LOOKUPS: Final = 32
"""Names that are looked up at a time. A name whose name server hangs occupies one thread, however often it is asked."""
MAX_WAIT: Final = 3.0
"""Seconds that a lookup waits for a thread."""
LOOKUP_TIMEOUT: Final = 6.0
"""Seconds for a lookup with its wait; less than the timeout of a request."""
_FLAGS: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV

Addresses = list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str | int | bytes, ...]]]
LookUp = Callable[[str, int, int], Addresses]


def look_up(host: str, port: int, family: int) -> Addresses:
    """Asks the system's resolver for the addresses of `host`. Raises OSError, or ValueError for what is no name."""
    return list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG))


class BoundedResolver(AbstractResolver):
    """Resolves host names by `look_up`, in at most `threads` threads."""

    def __init__(
        self, look_up: LookUp = look_up, *, threads: int = MAX_LOOKUPS, timeout_seconds: float = LOOKUP_TIMEOUT
    ) -> None:
        self._look_up = look_up
        self._timeout = timeout_seconds
        self._threads = BoundedThreads("webhook-dns", limit=threads, max_wait=min(MAX_WAIT, timeout_seconds))
        self._running: dict[tuple[str, int, int], asyncio.Task[Addresses]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Returns the addresses of `host`. Raises OSError; ThreadsBusy and TimeoutError are such errors too."""
        key = (host, port, int(family))
        lookup = self._running.get(key) or self._start(key)
        async with asyncio.timeout(self._timeout):
            found = await asyncio.shield(lookup)
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=int(address[1]), family=kind, proto=protocol, flags=_FLAGS
            )
            for kind, _, protocol, _, address in found
        ]

    def _start(self, key: tuple[str, int, int]) -> asyncio.Task[Addresses]:
        lookup = asyncio.create_task(self._threads.run(partial(self._look_up, *key)))
        self._running[key] = lookup
        lookup.add_done_callback(partial(self._finish, key))
        return lookup

    def _finish(self, key: tuple[str, int, int], lookup: asyncio.Task[Addresses]) -> None:
        del self._running[key]
        if not lookup.cancelled():
            lookup.exception()  # whoever still waits gets it; if nobody does, it is not reported as lost

    async def close(self) -> None:
        """Waits for nothing: a thread that hangs ends with its lookup or with the process."""
        for lookup in list(self._running.values()):
            lookup.cancel()
