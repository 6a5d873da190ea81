"""Balancer: one address for the replicas of a service, as a Service of Kubernetes is one for its Pods.

Each connection goes to the next replica that is ready. A replica that fails its readiness check twice gets no new
connections, and those that it has are cut, because a frozen process answers nothing and closes nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from devstack.embedded.ports import LOOPBACK
from devstack.replicas import Replica

CHECK_EVERY: Final = 0.5
"""Seconds between two readiness checks of a replica."""
CHECK_TIMEOUT: Final = 3.0
MAX_FAILURES: Final = 2
_CONNECT_TIMEOUT: Final = 1.0
_CHUNK: Final = 65_536


@dataclass(eq=False)
class _Backend:
    replica: Replica
    failures: int = MAX_FAILURES
    connections: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    @property
    def is_ready(self) -> bool:
        return self.failures < MAX_FAILURES

    def note_check(self, *, passed: bool) -> None:
        self.failures = 0 if passed else self.failures + 1
        if not self.is_ready:
            for writer in self.connections:
                writer.transport.abort()


class Balancer:
    """Passes connections to the replicas of one service, in turn."""

    def __init__(self, replicas: Sequence[Replica]) -> None:
        self._backends = [_Backend(replica) for replica in replicas]
        self._turn = 0

    async def check(self, session: aiohttp.ClientSession) -> None:
        """Checks the replicas' readiness until it is cancelled."""
        async with asyncio.TaskGroup() as checks:
            for backend in self._backends:
                checks.create_task(_check_repeatedly(backend, session))

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handles one connection of a client until either side ends it."""
        try:
            for backend in self._order_backends():
                if (upstream := await _connect(backend.replica)) is not None:
                    await _exchange(backend, (reader, writer), upstream)
                    return
        finally:
            writer.transport.abort()

    def _order_backends(self) -> list[_Backend]:
        self._turn += 1
        start = self._turn % len(self._backends)
        return [each for each in (*self._backends[start:], *self._backends[:start]) if each.is_ready]


async def _check_repeatedly(backend: _Backend, session: aiohttp.ClientSession) -> None:
    timeout = aiohttp.ClientTimeout(total=CHECK_TIMEOUT)
    while True:
        try:
            async with session.get(backend.replica.readiness_url, timeout=timeout) as response:
                passed = response.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            passed = False
        backend.note_check(passed=passed)
        await asyncio.sleep(CHECK_EVERY)


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connect(replica: Replica) -> Connection | None:
    """None where the replica takes no connection: the next one is tried, because nothing was sent yet."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_CONNECT_TIMEOUT):
            return await asyncio.open_connection(LOOPBACK, replica.port)
    return None


async def _exchange(backend: _Backend, client: Connection, upstream: Connection) -> None:
    """Copies both directions until the replica ends its own or either fails; then both connections are closed."""
    backend.connections.add(upstream[1])
    sending = asyncio.create_task(_copy(client[0], upstream[1]))
    answering = asyncio.create_task(_copy(upstream[0], client[1]))
    try:
        await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and sending.result():  # a client that sends nothing more may wait for its answer
            with suppress(OSError):
                upstream[1].write_eof()
            await answering
    finally:
        for task in (sending, answering):
            task.cancel()
        await asyncio.gather(sending, answering, return_exceptions=True)
        backend.connections.discard(upstream[1])
        upstream[1].close()
        client[1].close()
        with suppress(OSError):
            await client[1].wait_closed()  # sends what is buffered


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """True at the end of the stream, False where a connection failed."""
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        return False
    return True


@asynccontextmanager
async def serve_balancers(
    replicas: Sequence[Replica], ports: Mapping[str, int], session: aiohttp.ClientSession
) -> AsyncGenerator[None]:
    """Serves the public address of each service that has replicas, within the context."""
    async with AsyncExitStack() as stack:
        checks: list[asyncio.Task[None]] = []
        for service in dict.fromkeys(replica.service for replica in replicas):
            balancer = Balancer([replica for replica in replicas if replica.service == service])
            server = await asyncio.start_server(balancer.connect, LOOPBACK, ports[service])
            stack.callback(server.close)
            checks.append(asyncio.create_task(balancer.check(session)))
        try:
            yield
        finally:
            for task in checks:
                task.cancel()
            await asyncio.gather(*checks, return_exceptions=True)
