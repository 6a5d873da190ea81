"""OTLP/HTTP as far as our own services speak it: protobuf to `/v1/traces` and `/v1/metrics`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from devstack.telemetry.archive import Archive
from devstack.telemetry.otlp import Malformed, numbers_in, spans_in

LARGEST_BODY: Final = 4 * 1024 * 1024
"""Bytes, unpacked; more is answered with 413."""
PROTOBUF: Final = "application/x-protobuf"
READY: Final = "/healthz"


def receiver_app(archive: Archive) -> web.Application:
    """Reading and keeping happen in threads, so that nobody waits for a disk."""

    def keep_spans(body: bytes) -> None:
        archive.keep(spans_in(body))

    def note_numbers(body: bytes) -> None:
        archive.note(numbers_in(body))

    async def ready(_: web.Request) -> web.Response:
        return web.Response(text="ready")

    app = web.Application(client_max_size=LARGEST_BODY)
    routes = [web.post("/v1/traces", _taking(keep_spans)), web.post("/v1/metrics", _taking(note_numbers))]
    app.add_routes([*routes, web.get(READY, ready)])
    return app


def _taking(take: Callable[[bytes], None]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        if request.content_type != PROTOBUF:
            raise web.HTTPUnsupportedMediaType(text=f"send {PROTOBUF}")
        try:
            await asyncio.to_thread(take, await request.read())
        except (Malformed, web.RequestPayloadError) as error:
            raise web.HTTPBadRequest(text="this is no message of OTLP's") from error
        # An empty message says that all of it was taken.
        return web.Response(body=b"", content_type=PROTOBUF)

    return answer
