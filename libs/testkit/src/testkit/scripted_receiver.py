"""A receiver of webhooks that answers every connection with bytes that a test wrote, however wrong they are."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass


@dataclass
class ScriptedReceiver:
    """Reads the head of each request, sends `answer` `times` times and closes the connection."""

    answer: bytes
    times: int = 1
    requests: int = 0
    address: str = ""

    @asynccontextmanager
    async def run(self) -> AsyncGenerator["ScriptedReceiver"]:
        server = await asyncio.start_server(self._handle_connection, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _handle_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            for _ in range(self.times):
                writer.write(self.answer)
                await writer.drain()
        writer.close()
