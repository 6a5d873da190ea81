"""OTLP over HTTP: protobuf bodies to `/v1/traces` and `/v1/metrics`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from devstack.telemetry.archive import TelemetryArchive
from devstack.telemetry.otlp import InvalidOtlpMessage, parse_samples, parse_spans

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""Bytes after decompression; a larger body is refused with 413."""
PROTOBUF_CONTENT_TYPE: Final = "application/x-protobuf"
READY_PATH: Final = "/healthz"


def build_receiver_app(archive: TelemetryArchive) -> web.Application:
    """Parses and stores in threads, so that the event loop does not wait for the disk."""

    def store_spans(body: bytes) -> None:
        archive.store_spans(parse_spans(body))

    def store_samples(body: bytes) -> None:
        archive.store_samples(parse_samples(body))

    async def report_ready(_: web.Request) -> web.Response:
        return web.Response(text="ready")

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    routes = [
        web.post("/v1/traces", _build_handler(store_spans)),
        web.post("/v1/metrics", _build_handler(store_samples)),
    ]
    app.add_routes([*routes, web.get(READY_PATH, report_ready)])
    return app


def _build_handler(store: Callable[[bytes], None]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        if request.content_type != PROTOBUF_CONTENT_TYPE:
            raise web.HTTPUnsupportedMediaType(text=f"send {PROTOBUF_CONTENT_TYPE}")
        try:
            await asyncio.to_thread(store, await request.read())
        except (InvalidOtlpMessage, web.RequestPayloadError) as error:
            raise web.HTTPBadRequest(text="the body is not a valid OTLP message") from error
        # An empty response message means full success.
        return web.Response(body=b"", content_type=PROTOBUF_CONTENT_TYPE)

    return answer
