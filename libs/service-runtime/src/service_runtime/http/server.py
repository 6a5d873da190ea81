"""HTTP server: Uvicorn, stopped by the service runner instead of signals."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from service_runtime.unit_of_work.wakeups import Wakeup

KEEP_ALIVE: Final = 75
"""Seconds. Longer than clients and proxies keep idle connections, so that no request arrives on a closing one."""
TICK: Final = 1.0
"""Seconds between two updates of the header `Date`."""


class HttpServer(uvicorn.Server):
    """Serves one application until `stop`."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, drain_within: float) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
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
            await self._stopping.wait(TICK)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Installs no signal handlers; the process handles signals."""
        yield
