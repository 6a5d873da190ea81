"""What the long-running programs of the compose stack share: they end at SIGTERM and answer a probe."""

import asyncio
import signal

from aiohttp import web


async def wait_for_end() -> None:
    """Waits for SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


async def answer_ready(_: web.Request) -> web.Response:
    return web.Response(text="ready")
