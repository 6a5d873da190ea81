"""HTTP server: Uvicorn with limits on connections, stopped by the service runner instead of signals."""

import asyncio
import resource
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final, Self

import uvicorn
from starlette.types import ASGIApp

from service_runtime.http.connections import ConnectionLimits, LimitedConnection
from service_runtime.settings import RuntimeSettings
from service_runtime.unit_of_work.wakeups import Wakeup

KEEP_ALIVE: Final = 75
"""Seconds. Longer than clients and proxies keep idle connections, so that no request arrives on a closing one."""
TICK: Final = 1.0
"""Seconds between two updates of the header `Date`, and between two looks for overdue connections."""
RESERVED_DESCRIPTORS: Final = 256
"""File descriptors that clients' connections leave for the database, Kafka and webhooks."""
PROBE_LIMITS: Final = ConnectionLimits(max_connections=64)


class HttpServer(uvicorn.Server):
    """Serves one application until `stop`."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        drain_within: float,
        limits: ConnectionLimits,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                # Uvicorn constructs the class, so its limits are an attribute of a subclass.
                http=type("Connection", (LimitedConnection,), {"limits": limits}),
                ws="none",
                access_log=False,
                log_config=None,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=int(drain_within),
            )
        )
        self._stopping = Wakeup()

    def stop(self) -> None:
        """Accepts no further requests, and ends after those in progress."""
        self.should_exit = True
        self._stopping.notify()

    async def main_loop(self) -> None:
        """Ticks until `stop`. Uvicorn's own loop wakes an idle process ten times a second."""
        while not await self.on_tick(0):
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, LimitedConnection):
                    connection.close_if_overdue(now)
            await self._stopping.wait(TICK)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Installs no signal handlers; the process handles signals."""
        yield


class HttpServers:
    """The server of the application and, if `health_port` is set, the one of the probes."""

    def __init__(self, servers: Sequence[HttpServer]) -> None:
        self._servers = servers

    @classmethod
    def from_settings(cls, settings: RuntimeSettings, app: ASGIApp, *, probes: ASGIApp) -> Self:
        limits = ConnectionLimits(max_connections=_count_connections(settings.max_connections))
        server = HttpServer(
            app, host=settings.host, port=settings.port, drain_within=settings.drain_within, limits=limits
        )
        return cls([server, *_build_probe_servers(settings, probes)])

    @classmethod
    def for_probes(cls, settings: RuntimeSettings, probes: ASGIApp) -> Self:
        """Builds only the server of the probes; none if `health_port` is not set."""
        return cls(_build_probe_servers(settings, probes))

    async def serve(self) -> None:
        """Serves until `stop`, or until one of the servers fails."""
        async with asyncio.TaskGroup() as group:
            for server in self._servers:
                group.create_task(server.serve())

    def stop(self) -> None:
        for server in self._servers:
            server.stop()


def _build_probe_servers(settings: RuntimeSettings, probes: ASGIApp) -> list[HttpServer]:
    if not settings.health_port:
        return []
    drain_within = settings.drain_within
    server = HttpServer(
        probes, host=settings.host, port=settings.health_port, drain_within=drain_within, limits=PROBE_LIMITS
    )
    return [server]


def raise_descriptor_limit() -> None:
    """Raises the process's limit of open files to the most that it may have; many systems start with 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _count_connections(wanted: int) -> int:
    """Returns how many connections are allowed: `wanted`, or what the limit of open files leaves."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if limit == resource.RLIM_INFINITY else max(1, min(wanted, limit - RESERVED_DESCRIPTORS))
