"""`calloff-service` and its probe, each as a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web

from service_runtime.installed_services import find_services
from testkit.running_services import find_free_port

COMMAND: Final = Path(sys.executable).with_name("calloff-service")
SERVICES: Final = {
    "audit": "audit",
    "pricing": "pricing",
    "provider-registry": "provider_registry",
    "referral": "referral",
    "sourcing": "sourcing",
}


def run_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("CALLOFF_")}
    return subprocess.run(
        [COMMAND, *arguments], env={**own, **environment}, capture_output=True, text=True, check=False
    )


@asynccontextmanager
async def serve(path: str, *, status: int, text: str, host: str = "127.0.0.1") -> AsyncGenerator[int]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    app, port = web.Application(), find_free_port()
    app.router.add_get(path, answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield port
    finally:
        await runner.cleanup()


async def run_probe(*arguments: str, **environment: str) -> tuple[int, str]:
    done = await asyncio.to_thread(run_command, "probe", *arguments, **environment)
    return done.returncode, done.stdout + done.stderr


def test_every_service_of_the_repository_is_found_by_its_name() -> None:
    assert find_services() == SERVICES


@pytest.mark.parametrize(
    ("arguments", "reason"), [(["sorcing"], "there is no service 'sorcing'"), ([], "a service is")]
)
def test_an_unknown_service_is_refused_with_the_installed_ones(arguments: list[str], reason: str) -> None:
    done = run_command(*arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith(f"calloff-service: {reason}")
    assert done.stderr.endswith(f"choose {', '.join(SERVICES)}, topics or probe\n")


def test_the_arguments_after_the_service_are_the_services_own() -> None:
    done = run_command("audit", "migrate")
    assert done.returncode != 0
    assert "database_url" in done.stderr.lower()


async def test_a_probe_of_a_ready_service_succeeds_silently() -> None:
    async with serve("/readyz", status=200, text="ready") as port:
        assert await run_probe(CALLOFF_HEALTH_PORT=str(port)) == (0, "")


async def test_a_probe_prints_why_a_service_is_not_ready() -> None:
    async with serve("/readyz", status=503, text="the database is away") as port:
        assert await run_probe("ready", CALLOFF_HEALTH_PORT=str(port)) == (
            1,
            "/readyz answers 503: the database is away\n",
        )


async def test_the_probe_of_life_asks_for_life() -> None:
    async with serve("/healthz", status=200, text="") as port:
        assert await run_probe("live", CALLOFF_HEALTH_PORT="0", CALLOFF_PORT=str(port)) == (0, "")


@pytest.mark.parametrize("host", ["::", "::1", "127.0.0.2"])
async def test_the_probe_asks_where_the_service_listens(host: str) -> None:
    async with serve("/readyz", status=200, text="ready", host="::1" if host == "::" else host) as port:
        assert await run_probe(CALLOFF_HOST=host, CALLOFF_PORT=str(port)) == (0, "")


async def test_a_probe_of_what_does_not_listen_names_the_port() -> None:
    port = find_free_port()
    assert await run_probe(CALLOFF_PORT=str(port)) == (
        1,
        f"port {port} does not answer /readyz: [Errno 111] Connection refused\n",
    )


@pytest.mark.parametrize(
    ("arguments", "port"), [(["steady"], "8081"), (["ready"], "0"), (["ready"], "http"), (["ready"], "70000")]
)
async def test_a_probe_that_cannot_be_asked_says_what_to_write(arguments: list[str], port: str) -> None:
    status, text = await run_probe(*arguments, CALLOFF_HEALTH_PORT=port)
    assert status == 64
    assert "set CALLOFF_HEALTH_PORT or CALLOFF_PORT" in text
