"""A pytest plugin with fixtures whose names end in `postgres` or `kafka`: real servers for tests.

A server starts only if a collected test uses it, once per session (`own_empty_kafka`: per module), and stops after it.
"""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

import pytest
import pytest_asyncio
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from service_runtime.kafka.connection import KafkaConnection
from testkit.databases import ROLE_SUFFIXES
from testkit.shared_servers import (
    EXTERNAL,
    KAFKA,
    POSTGRES,
    ControllerServers,
    OwnedServers,
    Servers,
    delete_leftovers,
    discard_kafka,
    start_kafka,
    start_postgres,
)

_FIXTURES: Final = {
    "postgres": (POSTGRES,),
    "kafka": (KAFKA,),
    "own_postgres": (),
    "own_kafka": (),
    "own_empty_kafka": (),
}
"""The fixtures of this plugin with the shared servers that each needs."""

_SERVERS: Final = pytest.StashKey[Servers]()
_OWNED: Final = pytest.StashKey[OwnedServers]()
_WORKER_ADDRESS: Final = pytest.StashKey[str]()
_WORKER_INPUT: Final = "calloff_servers_address"


@dataclass
class TestPostgres:
    """A PostgreSQL for tests. `url` is the superuser's; `server` is None where the test may not stop it."""

    __test__ = False

    url: str
    server: EmbeddedPostgres | None = None
    _created: list[str] = field(default_factory=list[str])

    async def create_database(self, name: str, *, template: str | None = None) -> str:
        """Creates a database and returns its address (`postgresql+asyncpg://…`).

        `name` is a stem, to which a random suffix is added, so that several workers may use the same. `template` is the
        address of a database to copy; it must have no open connection.
        """
        database = f"{name}_{secrets.token_hex(4)}"
        source = f' TEMPLATE "{make_url(template).database}"' if template else ""
        await self._execute(f'CREATE DATABASE "{database}"{source}')
        self._created.append(database)
        return make_url(self.url).set(database=database).render_as_string(hide_password=False)

    async def drop_databases(self) -> None:
        """Drops every database that this object created, and ends the connections to it."""
        while self._created:
            database = self._created.pop()
            await self._execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            for suffix in ROLE_SUFFIXES.values():
                await self._execute(f'DROP ROLE IF EXISTS "{database}{suffix}"')

    async def _execute(self, statement: str) -> None:
        engine = create_async_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                await connection.execute(text(statement))
        finally:
            await engine.dispose()


@dataclass(frozen=True)
class TestKafka:
    """A Kafka for tests. `server` is None where the test may not stop or pause it."""

    __test__ = False

    bootstrap: str
    server: EmbeddedKafka | None = None

    @property
    def connection(self) -> KafkaConnection:
        return KafkaConnection(self.bootstrap)


def pytest_configure(config: pytest.Config) -> None:
    if address := _get_controller_address(config):
        worker: str = getattr(config, "workerinput", {})["workerid"]
        config.stash[_SERVERS] = ControllerServers(address, worker=worker)
        return
    delete_leftovers(config.rootpath)
    config.stash[_SERVERS] = config.stash[_OWNED] = OwnedServers(config.rootpath)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _OWNED in config.stash:
        config.stash[_OWNED].close()


class Node(Protocol):
    """A worker of pytest-xdist, as its controller sees it."""

    config: pytest.Config
    workerinput: dict[str, object]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Node) -> None:
    stash = node.config.stash
    node.workerinput[_WORKER_INPUT] = stash.setdefault(_WORKER_ADDRESS, "") or _serve_workers(node.config)


def _serve_workers(config: pytest.Config) -> str:
    config.stash[_WORKER_ADDRESS] = config.stash[_OWNED].serve_workers()
    return config.stash[_WORKER_ADDRESS]


def _get_controller_address(config: pytest.Config) -> str | None:
    """Returns None in a process that is not a worker of pytest-xdist."""
    worker_input: dict[str, str] = getattr(config, "workerinput", {})
    return worker_input.get(_WORKER_INPUT)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Adds the marker `servers` and the xdist group; pytest-xdist reads the groups before the collection finishes."""
    used = _FIXTURES.keys() & _list_fixtures(item)
    if used:
        item.add_marker("servers")
    if any(name.startswith("own_") for name in used):
        item.add_marker(pytest.mark.xdist_group("own-servers"))  # one worker runs them, so one server of each is enough
    elif used and item.get_closest_marker("xdist_group") is None:
        item.add_marker(pytest.mark.xdist_group(item.path.parent.as_posix()))  # a module's service starts only once


def pytest_collection_finish(session: pytest.Session) -> None:
    """Starts the servers that the collected tests need while the first tests run."""
    if session.config.option.collectonly:
        return
    _check_groups(session)
    names = {name for item in session.items for fixture in _list_fixtures(item) for name in _FIXTURES.get(fixture, ())}
    for name in sorted(names):
        session.config.stash[_SERVERS].start(name)


def _check_groups(session: pytest.Session) -> None:
    """Raises UsageError if pytest-xdist ignores the groups, as it does silently with some versions of pytest."""
    grouping: bool = getattr(session.config.option, "loadgroup", False)
    lost = [item for item in session.items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid]
    if grouping and lost:
        message = f"pytest-xdist ignores groups: {lost[0].nodeid} has none; use a version of pytest that it supports"
        raise pytest.UsageError(message)


def _list_fixtures(item: pytest.Item) -> set[str]:
    return set(item.fixturenames) if isinstance(item, pytest.Function) else set()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres(pytestconfig: pytest.Config) -> AsyncIterator[TestPostgres]:
    """The session's PostgreSQL, shared by all tests: create a database in it, and never stop it."""
    shared = TestPostgres(pytestconfig.stash[_SERVERS].get_address(POSTGRES))
    yield shared
    if EXTERNAL[POSTGRES] in os.environ:
        await shared.drop_databases()


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> TestKafka:
    """The Kafka of this process, shared by all its tests: use topics that no other test uses, and never stop it."""
    return TestKafka(pytestconfig.stash[_SERVERS].get_address(KAFKA))


@pytest.fixture(scope="session")
def own_postgres(pytestconfig: pytest.Config) -> Iterator[TestPostgres]:
    """A PostgreSQL that only this worker uses: a test may kill or pause it, and leaves it running for the next."""
    server = start_postgres(pytestconfig.rootpath)
    yield TestPostgres(server.get_url(), server)
    server.discard()


@pytest.fixture(scope="session")
def own_kafka(pytestconfig: pytest.Config) -> Iterator[TestKafka]:
    """A Kafka that only this worker uses: a test may kill or pause it, and leaves it running for the next."""
    server = start_kafka(pytestconfig.rootpath)
    yield TestKafka(server.bootstrap, server)
    discard_kafka(server)


@pytest.fixture(scope="module")
def own_empty_kafka(pytestconfig: pytest.Config) -> Iterator[TestKafka]:
    """A Kafka without a record of another module, for tests that compare topics with one database."""
    server = start_kafka(pytestconfig.rootpath)
    yield TestKafka(server.bootstrap, server)
    discard_kafka(server)
