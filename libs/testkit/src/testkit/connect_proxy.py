"""An HTTP proxy for tests that accepts CONNECT and leads every tunnel to one address of this machine."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class ConnectProxy:
    """Stores the targets of CONNECT and the lines of each request; `status` is its answer."""

    host: str
    port: int
    """Where tunnels lead, whatever their target."""
    status: str = "200 Connection established"
    targets: list[str] = field(default_factory=list[str])
    requests: list[list[str]] = field(default_factory=list[list[str]])
    address: str = ""

    @asynccontextmanager
    async def run(self) -> AsyncGenerator["ConnectProxy"]:
        async with await asyncio.start_server(self._handle, "127.0.0.1", 0) as server:
            self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        self.requests.append(lines)
        self.targets.append(lines[0].split()[1])
        writer.write(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
        if self.status.startswith("200"):
            target_reader, target_writer = await asyncio.open_connection(self.host, self.port)
            await asyncio.gather(_copy(reader, target_writer), _copy(target_reader, writer))
        writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    target.close()
