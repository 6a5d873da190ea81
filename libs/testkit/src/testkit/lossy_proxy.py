"""A TCP proxy that loses an answer: the server has done what was asked, and its client learns nothing of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from testkit.sample_service import cancel_tasks

CHUNK = 65_536
"""Bytes."""


class LossyProxy:
    """Forwards connections to a server. After `lose_answer_to(b"COMMIT")`, cuts the one whose request contains it."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._mark: bytes | None = None
        self._pumps: set[asyncio.Task[None]] = set()
        self.port = 0
        self.lost = 0
        """Answers that were lost."""

    def lose_answer_to(self, mark: bytes) -> None:
        """Cuts the connection of the next request that contains `mark`, as soon as the server has answered it."""
        self._mark = mark

    @asynccontextmanager
    async def serve(self) -> AsyncGenerator[None]:
        async with await asyncio.start_server(self._forward, "127.0.0.1", 0) as listener:
            self.port = listener.sockets[0].getsockname()[1]
            try:
                yield
            finally:
                listener.close()
                await cancel_tasks(self._pumps)

    async def _forward(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(*self._server)
        is_cut = asyncio.Event()
        pumps = [
            asyncio.ensure_future(self._pump_requests(from_client, to_server, is_cut)),
            asyncio.ensure_future(self._pump_answers(from_server, to_client, is_cut)),
        ]
        self._pumps.update(pumps)
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for writer in (to_client, to_server):
            writer.transport.abort()
        await cancel_tasks(pumps)
        self._pumps.difference_update(pumps)

    async def _pump_requests(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, is_cut: asyncio.Event
    ) -> None:
        while data := await source.read(CHUNK):
            if self._mark is not None and self._mark in data:
                self._mark = None
                is_cut.set()
            target.write(data)

    async def _pump_answers(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, is_cut: asyncio.Event
    ) -> None:
        while data := await source.read(CHUNK):
            if is_cut.is_set():
                self.lost += 1
                return
            target.write(data)
