"""Replicas and the balancer before them: connections go to ready replicas only, and frozen ones are cut off."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from devstack.balancer import serve_balancers
from devstack.embedded.ports import LOOPBACK, find_free_port
from devstack.issuer.server import serve_app
from devstack.replicas import MAX_REPLICAS, compute_pool_size, create_replicas
from testkit.waiting import wait_until

LONG = 60.0
"""Seconds; what is waited for takes about one on a machine at rest."""


@dataclass
class SampleReplica:
    """A process of a service: answers with its name, until it is frozen."""

    name: str
    is_ready: bool = True
    running: asyncio.Event = field(default_factory=asyncio.Event)

    def build_app(self) -> web.Application:
        self.running.set()

        async def answer(_: web.Request) -> web.Response:
            await self.running.wait()
            return web.Response(text=self.name)

        async def check(_: web.Request) -> web.Response:
            await self.running.wait()
            return web.Response(status=200 if self.is_ready else 503)

        app = web.Application()
        app.add_routes([web.post("/", answer), web.get("/readyz", check)])
        return app


@asynccontextmanager
async def serve_two() -> AsyncGenerator[tuple[list[SampleReplica], str]]:
    """Serves two replicas behind one address."""
    replicas, port = create_replicas(["sourcing"], 2), find_free_port()
    samples = [SampleReplica(replica.name) for replica in replicas]
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        for sample, replica in zip(samples, replicas, strict=True):
            for listener in (replica.port, replica.health_port):
                await stack.enter_async_context(serve_app(sample.build_app(), listener))
        await stack.enter_async_context(serve_balancers(replicas, {"sourcing": port}, session))
        yield samples, f"http://{LOOPBACK}:{port}/"


async def fetch_name(url: str) -> str:
    """Posts, which is not repeated, on a connection of its own; returns an empty string if that is cut."""
    try:
        async with aiohttp.ClientSession() as session, session.post(url) as response:
            return await response.text()
    except aiohttp.ClientError:
        return ""


async def fetch_names(url: str) -> set[str]:
    return {await fetch_name(url) for _ in range(4)}


async def test_connections_go_to_both_replicas_in_turn() -> None:
    async with serve_two() as (_, url):

        async def are_both_used() -> bool:
            return await fetch_names(url) == {"sourcing 1/2", "sourcing 2/2"}

        await wait_until(are_both_used, within=LONG)


async def test_a_replica_that_is_not_ready_gets_no_connection_until_it_is_ready_again() -> None:
    async with serve_two() as (samples, url):

        async def is_only_used(*names: str) -> bool:
            return await fetch_names(url) == set(names)

        samples[0].is_ready = False
        await wait_until(lambda: is_only_used("sourcing 2/2"), within=LONG)
        samples[0].is_ready = True
        await wait_until(lambda: is_only_used("sourcing 1/2", "sourcing 2/2"), within=LONG)


async def test_connections_to_a_frozen_replica_are_cut() -> None:
    async with serve_two() as (samples, url):

        async def are_both_used() -> bool:
            return len(await fetch_names(url)) == 2

        await wait_until(are_both_used, within=LONG)
        samples[0].running.clear()
        names = [await asyncio.wait_for(fetch_name(url), LONG) for _ in range(2)]
        assert sorted(names) == ["", "sourcing 2/2"]
        assert await fetch_names(url) == {"sourcing 2/2"}
        samples[0].running.set()


async def test_a_client_that_ends_its_side_gets_the_answer_to_all_that_it_sent() -> None:
    (replica,), port = create_replicas(["sourcing"], 2)[:1], find_free_port()
    body = b"b" * 1_000_000

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(str(len(await reader.read())).encode())
        await writer.drain()
        writer.close()

    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        await stack.enter_async_context(serve_app(SampleReplica(replica.name).build_app(), replica.health_port))
        await stack.enter_async_context(await asyncio.start_server(count, LOOPBACK, replica.port))
        await stack.enter_async_context(serve_balancers([replica], {"sourcing": port}, session))

        async def send() -> bytes:
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(body)
                writer.write_eof()
                return await reader.read()
            except OSError:  # the balancer has no replica yet
                return b""
            finally:
                writer.close()

        assert await wait_until(send, within=LONG) == b"1000000"


@pytest.mark.parametrize("replicas", [1, 2, 3, 6, MAX_REPLICAS])
def test_all_pools_together_leave_connections_to_others(replicas: int) -> None:
    size = compute_pool_size(processes=5 * replicas, max_connections=300)
    assert 2 <= size <= 20
    assert 5 * replicas * (size + 2) <= 260


def test_one_process_of_each_service_needs_no_balancer() -> None:
    assert create_replicas(["sourcing", "audit"], 1) == ()
    ports = [port for each in create_replicas(["sourcing", "audit"], 3) for port in (each.port, each.health_port)]
    assert len(set(ports)) == 12
