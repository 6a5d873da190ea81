"""Real PostgreSQL and Kafka for tests: started at most once a run, only if a test needs them, gone when it ends.

Which ones, in this order: the address in `CALLOFF_TEST_POSTGRES_URL` or `CALLOFF_TEST_KAFKA_BOOTSTRAP`; the embedded
servers; containers. Under pytest-xdist the controller owns them and its workers ask it for their addresses, so they
are shared, and they end with the controller, even if that is killed.
"""

import json
import os
import secrets
import shutil
import socketserver
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_connection
from typing import Protocol

import psutil
import pytest
import pytest_asyncio
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from devstack.embedded import EmbeddedKafka, EmbeddedPostgres, MissingPrerequisite, fetch_kafka_jars
from devstack.embedded.containers import run_kafka_container, run_postgres_container

POSTGRES, KAFKA = "postgres", "kafka"
_FIXTURES = {
    "postgres": (POSTGRES,),
    "kafka": (KAFKA,),
    "own_postgres": (),
    "own_kafka": (),
}
_EXTERNAL = {POSTGRES: "CALLOFF_TEST_POSTGRES_URL", KAFKA: "CALLOFF_TEST_KAFKA_BOOTSTRAP"}


@dataclass
class TestPostgres:
    """A PostgreSQL for tests. `url` is the superuser's; `server` is there if the test may kill it."""

    __test__ = False

    url: str
    server: EmbeddedPostgres | None = None
    _created: list[str] = field(default_factory=list[str])

    async def create_database(self, name: str, *, template: str | None = None) -> str:
        """A new database and its address (`postgresql+asyncpg://…`).

        `name` is a stem: other workers may use the same. `template` is the address of a database to copy, on which
        nobody is connected.
        """
        database = f"{name}_{secrets.token_hex(4)}"
        source = f' TEMPLATE "{make_url(template).database}"' if template else ""
        await self._execute(f'CREATE DATABASE "{database}"{source}')
        self._created.append(database)
        return make_url(self.url).set(database=database).render_as_string(hide_password=False)

    async def drop_databases(self) -> None:
        """Drop every database that was created here, whoever is connected."""
        while self._created:
            await self._execute(f'DROP DATABASE IF EXISTS "{self._created.pop()}" WITH (FORCE)')

    async def _execute(self, statement: str) -> None:
        engine = create_async_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                await connection.execute(text(statement))
        finally:
            await engine.dispose()


@dataclass(frozen=True)
class TestKafka:
    """A Kafka for tests. `server` is there if the test may kill or pause it."""

    __test__ = False

    bootstrap: str
    server: EmbeddedKafka | None = None


class Servers(Protocol):
    """Where a test session gets its shared servers from."""

    def begin(self, name: str) -> None:
        """Let it start, without waiting."""
        ...

    def address(self, name: str) -> str:
        """Wait until it answers; where it is."""
        ...


class OwnedServers:
    """The shared servers, in the process that owns them: pytest itself, or the controller of its workers."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._starters: dict[str, Callable[[], str]] = {POSTGRES: self._start_postgres, KAFKA: self._start_kafka}
        self._starts: dict[str, Future[str]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=len(self._starters))
        self._held = ExitStack()

    def begin(self, name: str) -> None:
        self._started(name)

    def address(self, name: str) -> str:
        return self._started(name).result()

    def close(self) -> None:
        self._pool.shutdown()
        self._held.close()

    def answer_workers(self) -> str:
        """Answer the workers' questions from now on; gives the address to ask at."""
        desk = _Desk(self)
        thread = threading.Thread(target=desk.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        self._held.callback(thread.join)
        self._held.callback(desk.server_close)
        self._held.callback(desk.shutdown)
        return desk.address

    def _started(self, name: str) -> Future[str]:
        with self._lock:
            if name not in self._starts:
                self._starts[name] = self._pool.submit(self._starters[name])
            return self._starts[name]

    def _start_postgres(self) -> str:
        if external := os.environ.get(_EXTERNAL[POSTGRES]):
            return external
        try:
            server = new_postgres(self._root)
        except MissingPrerequisite as missing:
            return self._held.enter_context(run_postgres_container(cause=missing))
        self._held.callback(server.discard)
        return server.get_url()

    def _start_kafka(self) -> str:
        if external := os.environ.get(_EXTERNAL[KAFKA]):
            return external
        try:
            server = new_kafka(self._root)
        except MissingPrerequisite as missing:
            return self._held.enter_context(run_kafka_container(cause=missing))
        self._held.callback(_discard_kafka, server)
        return server.bootstrap


class _Desk(socketserver.ThreadingTCPServer):
    """Where workers ask for servers: a line of JSON in, one out. Who does not know the word is not answered."""

    daemon_threads = True

    def __init__(self, servers: OwnedServers) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self.servers = servers
        self.word = secrets.token_hex(16)

    @property
    def address(self) -> str:
        return f"{self.server_address[1]}/{self.word}"


class _Question(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Desk)
        word, verb, name = json.loads(self.rfile.readline())
        if word == self.server.word:
            self.wfile.write(json.dumps(self._answer(self.server.servers, verb, name)).encode())

    def _answer(self, servers: OwnedServers, verb: str, name: str) -> dict[str, str]:
        if verb == "begin":
            servers.begin(name)
            return {}
        try:
            return {"address": servers.address(name)}
        except Exception as error:  # noqa: BLE001 - told to the worker, whose test fails with it
            return {"error": str(error)}


class ControllersServers:
    """The shared servers, as a worker sees them."""

    def __init__(self, desk: str) -> None:
        port, self._word = desk.split("/")
        self._port = int(port)

    def begin(self, name: str) -> None:
        self._ask("begin", name)

    def address(self, name: str) -> str:
        answer = self._ask("address", name)
        if "address" not in answer:
            pytest.fail(f"{name} is not available: {answer.get('error')}", pytrace=False)
        return answer["address"]

    def _ask(self, verb: str, name: str) -> dict[str, str]:
        with closing(create_connection(("127.0.0.1", self._port))) as desk, desk.makefile("rw") as lines:
            lines.write(json.dumps([self._word, verb, name]) + "\n")
            lines.flush()
            return json.loads(lines.read())


def new_postgres(root: Path) -> EmbeddedPostgres:
    """A PostgreSQL that runs, without fsync, in a directory of its own under `root`; the caller discards it."""
    server = EmbeddedPostgres(_fresh_directory(root, POSTGRES), durable=False)
    server.start()
    return server


def new_kafka(root: Path) -> EmbeddedKafka:
    """A Kafka that runs in a directory of its own under `root`; the caller stops it and deletes the directory."""
    jars = fetch_kafka_jars(root / "deploy" / "kafka" / "pom.xml", root / ".calloff" / "kafka-jars")
    server = EmbeddedKafka(_fresh_directory(root, KAFKA), jars)
    server.start()
    return server


def _discard_kafka(server: EmbeddedKafka) -> None:
    if server.is_running:
        server.kill()  # nothing of it is kept, so it need not close its files
    shutil.rmtree(server.directory, ignore_errors=True)


def _fresh_directory(root: Path, name: str) -> Path:
    return root / ".calloff" / "tests" / f"{os.getpid()}-{name}-{secrets.token_hex(4)}"


def _sweep(root: Path) -> None:
    """Delete what runs that were killed have left behind."""
    for left in (root / ".calloff" / "tests").glob("*-*"):
        owner = left.name.split("-")[0]
        if not (owner.isdigit() and psutil.pid_exists(int(owner))):
            shutil.rmtree(left, ignore_errors=True)


_SERVERS = pytest.StashKey[Servers]()
_OWNED = pytest.StashKey[OwnedServers]()


def pytest_configure(config: pytest.Config) -> None:
    if desk := _desk_of_controller(config):
        config.stash[_SERVERS] = ControllersServers(desk)
        return
    _sweep(config.rootpath)
    config.stash[_SERVERS] = config.stash[_OWNED] = OwnedServers(config.rootpath)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _OWNED in config.stash:
        config.stash[_OWNED].close()


class Node(Protocol):
    """What pytest-xdist calls a node: one worker, as its controller sees it."""

    config: pytest.Config
    workerinput: dict[str, object]


_DESK = pytest.StashKey[str]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Node) -> None:
    stash = node.config.stash
    node.workerinput["calloff_desk"] = stash.setdefault(_DESK, "") or _open_desk(node.config)


def _open_desk(config: pytest.Config) -> str:
    config.stash[_DESK] = config.stash[_OWNED].answer_workers()
    return config.stash[_DESK]


def _desk_of_controller(config: pytest.Config) -> str | None:
    """None in a process that is no worker of pytest-xdist."""
    given: dict[str, str] = getattr(config, "workerinput", {})
    return given.get("calloff_desk")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark here, not when all are collected: pytest-xdist has read the groups by then."""
    used = _FIXTURES.keys() & _fixtures_of(item)
    if used:
        item.add_marker("servers")
    if any(name.startswith("own_") for name in used):
        item.add_marker(pytest.mark.xdist_group("own-servers"))  # on one worker, so that one of each is enough
    elif used and item.get_closest_marker("xdist_group") is None:
        item.add_marker(pytest.mark.xdist_group(item.path.parent.as_posix()))  # so that a module's service runs once


def pytest_collection_finish(session: pytest.Session) -> None:
    """Servers come up beside the first tests, and side by side."""
    if session.config.option.collectonly:
        return
    _refuse_lost_groups(session)
    wanted = {name for item in session.items for fixture in _fixtures_of(item) for name in _FIXTURES.get(fixture, ())}
    for name in sorted(wanted):
        session.config.stash[_SERVERS].begin(name)


def _refuse_lost_groups(session: pytest.Session) -> None:
    """A version of pytest that pytest-xdist does not know would spread each group over all workers, and say nothing."""
    grouping: bool = getattr(session.config.option, "loadgroup", False)
    lost = [item for item in session.items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid]
    if grouping and lost:
        raise pytest.UsageError(f"pytest-xdist groups nothing here: {lost[0].nodeid} has lost its group")


def _fixtures_of(item: pytest.Item) -> set[str]:
    return set(item.fixturenames) if isinstance(item, pytest.Function) else set()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres(pytestconfig: pytest.Config) -> AsyncIterator[TestPostgres]:
    """The run's PostgreSQL, shared with all tests: make a database in it; never stop it."""
    shared = TestPostgres(pytestconfig.stash[_SERVERS].address(POSTGRES))
    yield shared
    if _EXTERNAL[POSTGRES] in os.environ:
        await shared.drop_databases()


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> TestKafka:
    """The run's Kafka, shared with all tests: use topics of your own; never stop it."""
    return TestKafka(pytestconfig.stash[_SERVERS].address(KAFKA))


@pytest.fixture(scope="session")
def own_postgres(pytestconfig: pytest.Config) -> Iterator[TestPostgres]:
    """A PostgreSQL that only this worker uses: kill it, pause it, but leave it running for the next test."""
    server = new_postgres(pytestconfig.rootpath)
    yield TestPostgres(server.get_url(), server)
    server.discard()


@pytest.fixture(scope="session")
def own_kafka(pytestconfig: pytest.Config) -> Iterator[TestKafka]:
    """A Kafka that only this worker uses: kill it, pause it, but leave it running for the next test."""
    server = new_kafka(pytestconfig.rootpath)
    yield TestKafka(server.bootstrap, server)
    _discard_kafka(server)
