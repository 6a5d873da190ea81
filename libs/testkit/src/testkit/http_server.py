"""Serves a FastAPI application on a real port during a test."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI


@asynccontextmanager
async def serve_app(app: FastAPI) -> AsyncGenerator[str]:
    """Serves `app` on a free port of the loopback address until the context ends; yields its base URL."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off", ws="none")
    )
    config = server.config
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    address = server.servers[0].sockets[0].getsockname()
    main_loop = asyncio.create_task(server.main_loop())
    try:
        yield f"http://127.0.0.1:{address[1]}"
    finally:
        server.should_exit = True
        await main_loop
        await server.shutdown()
