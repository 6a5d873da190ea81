"""HTTP server: Uvicorn, stopped by the service runner instead of signals."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

KEEP_ALIVE: Final = 75
"""Seconds. Longer than clients and proxies keep idle connections, so that no request arrives on a closing one."""


class HttpServer(uvicorn.Server):
    """Serves one application; `should_exit` ends it after the requests in progress."""

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

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Installs no signal handlers; the process handles signals."""
        yield
