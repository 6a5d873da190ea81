"""Runs a compared system: a process for requests and one for work, with a database and topics of their own."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import asyncpg
from sqlalchemy import make_url

from bench.costs import sum_processor_time
from bench.databases import connect
from bench.figures import NotMeasured
from bench.peers.peer_load import PeerLoad, create_order_trigger, get_webhooks_url
from devstack.embedded.ports import LOOPBACK, find_free_port
from devstack.embedded.processes import read_last_lines
from devstack.issuer.server import serve_app
from devstack.processes import Program, run_in_thread
from service_runtime.kafka.topic_admin import create_topics
from simulator.stack import ServiceStack

_READY_TIMEOUT: Final = 30.0
_POLL_INTERVAL: Final = 0.1
_ROLES: Final = ("web", "worker")


@dataclass(frozen=True)
class Peer:
    """A library and the module in this folder that writes the chain with it."""

    package: str
    module: str
    topics: tuple[str, ...] = ()

    @property
    def database(self) -> str:
        return f"peer_{self.package}"


PEERS: Final = (
    Peer("procrastinate", "procrastinate_chain.py"),
    Peer(
        "faststream",
        "faststream_chain.py",
        ("peer.package-requested", "peer.offer-made", "peer.offer-declined", "peer.package-placed"),
    ),
)


@dataclass(frozen=True)
class RunningPeer:
    load: PeerLoad
    stack: ServiceStack
    programs: Mapping[str, Program]

    def measure_processor_time(self) -> float:
        """Return the seconds of processor time of the system's processes, PostgreSQL and Kafka since their start."""
        servers = (self.stack.config.postgres.pid, self.stack.config.kafka.pid)
        pids = (*(each.pid for each in self.programs.values()), *servers)
        return sum(sum_processor_time(pid) for pid in pids if pid is not None)


async def prepare_peer(peer: Peer, stack: ServiceStack, python: Path) -> None:
    """Create the database, the tables and the topics. Raises NotMeasured if the system cannot create its tables."""
    async with connect(stack.config.postgres) as connection:
        await connection.execute(f'CREATE DATABASE "{peer.database}"')
    await create_topics(stack.kafka, peer.topics)
    environment = _build_environment(peer, stack, port=0, webhooks="")
    schema = await asyncio.create_subprocess_exec(
        python, _get_path(peer), "schema", env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, error = await schema.communicate()
    if schema.returncode != 0:
        message = f"{peer.package} cannot create its tables: {error.decode()[-500:]}"
        raise NotMeasured(message)
    async with connect(stack.config.postgres, peer.database) as connection:
        await create_order_trigger(connection)


@asynccontextmanager
async def run_peer(peer: Peer, stack: ServiceStack, python: Path) -> AsyncGenerator[RunningPeer]:
    """Run the system for the duration of the context. Raises NotMeasured if it does not start."""
    port, receivers = find_free_port(), find_free_port()
    environment = _build_environment(peer, stack, port=port, webhooks=get_webhooks_url(receivers))
    async with AsyncExitStack() as cleanup:
        session = await cleanup.enter_async_context(aiohttp.ClientSession())
        load = PeerLoad(session, f"http://{LOOPBACK}:{port}")
        await cleanup.enter_async_context(serve_app(load.create_app(), receivers))
        connection: asyncpg.Connection = await cleanup.enter_async_context(
            connect(stack.config.postgres, peer.database)
        )
        await cleanup.enter_async_context(load.follow_orders(connection))
        programs: dict[str, Program] = {}
        for role in _ROLES:
            log = stack.config.home.logs / f"{peer.package}-{role}.log"
            programs[role] = Program(role, [python, _get_path(peer), role], environment, log)
            cleanup.push_async_callback(run_in_thread, programs[role].stop)
            await run_in_thread(programs[role].start)
        await _wait_until_ready(load, programs["web"])
        yield RunningPeer(load, stack, programs)


def _get_path(peer: Peer) -> Path:
    return Path(__file__).with_name(peer.module)


def _build_environment(peer: Peer, stack: ServiceStack, *, port: int, webhooks: str) -> dict[str, str]:
    url = make_url(stack.config.postgres.get_url(peer.database)).set(drivername="postgresql")
    return os.environ | {
        "PEER_DATABASE": url.render_as_string(hide_password=False),
        "PEER_KAFKA": stack.kafka,
        "PEER_PORT": str(port),
        "PEER_WEBHOOKS": webhooks,
    }


async def _wait_until_ready(load: PeerLoad, web: Program) -> None:
    give_up = time.monotonic() + _READY_TIMEOUT
    while not await load.is_ready():
        if not web.is_running or time.monotonic() > give_up:
            raise NotMeasured(f"the compared system did not start:\n{read_last_lines(web.log)}")
        await asyncio.sleep(_POLL_INTERVAL)
