"""The PostgreSQL and the Kafkas of a test session: who starts them, and how xdist's workers find them.

Each server is the first of these that is available: the one whose address is in `CALLOFF_TEST_POSTGRES_URL` or
`CALLOFF_TEST_KAFKA_BOOTSTRAP`; an embedded one; a container. Under pytest-xdist the controller owns the servers and its
workers ask it for their addresses over TCP, so the servers end with the controller, even if it is killed. All workers
share the PostgreSQL, where each test has its own database. Each worker has its own Kafka: the topics have fixed names,
so a service that runs in one worker would answer the events of a test in another one. A Kafka that runs already is
shared, so use it with one worker only.
"""

import json
import os
import secrets
import shutil
import socketserver
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from socket import create_connection
from typing import Final, Protocol

import psutil
import pytest

from devstack.embedded import EmbeddedKafka, EmbeddedPostgres, MissingPrerequisite, fetch_kafka_jars
from devstack.embedded.containers import run_kafka_container, run_postgres_container

POSTGRES, KAFKA = "postgres", "kafka"
EXTERNAL: Final = {POSTGRES: "CALLOFF_TEST_POSTGRES_URL", KAFKA: "CALLOFF_TEST_KAFKA_BOOTSTRAP"}
"""The environment variables with the addresses of servers that run already."""


class Servers(Protocol):
    """The source of the servers that the tests of one process use."""

    def start(self, name: str) -> None:
        """Starts the server `name` (POSTGRES or KAFKA) unless it runs already; does not wait until it is up."""
        ...

    def get_address(self, name: str) -> str:
        """Starts the server `name` if necessary, waits until it is up and returns its address."""
        ...


class OwnedServers:
    """The servers in the process that owns them: pytest itself, or the controller of pytest-xdist.

    A name is POSTGRES or KAFKA, or one of them with a slash and a worker's id for the server of that worker.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._starters: dict[str, Callable[[], str]] = {POSTGRES: self._start_postgres, KAFKA: self._start_kafka}
        self._starts: dict[str, Future[str]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor()
        self._resources = ExitStack()

    def start(self, name: str) -> None:
        self._start_once(name)

    def get_address(self, name: str) -> str:
        return self._start_once(name).result()

    def close(self) -> None:
        """Stops every server that this object started."""
        self._pool.shutdown()
        self._resources.close()

    def serve_workers(self) -> str:
        """Serves the requests of workers in a thread; returns the address for `ControllerServers`."""
        server = _AddressServer(self)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        self._resources.callback(thread.join)
        self._resources.callback(server.server_close)
        self._resources.callback(server.shutdown)
        return server.worker_address

    def _start_once(self, name: str) -> Future[str]:
        with self._lock:
            if name not in self._starts:
                self._starts[name] = self._pool.submit(self._starters[name.partition("/")[0]])
            return self._starts[name]

    def _start_postgres(self) -> str:
        if external := os.environ.get(EXTERNAL[POSTGRES]):
            return external
        try:
            server = start_postgres(self._root)
        except MissingPrerequisite as missing:
            return self._resources.enter_context(run_postgres_container(cause=missing))
        self._resources.callback(server.discard)
        return server.get_url()

    def _start_kafka(self) -> str:
        if external := os.environ.get(EXTERNAL[KAFKA]):
            return external
        try:
            server = start_kafka(self._root)
        except MissingPrerequisite as missing:
            return self._resources.enter_context(run_kafka_container(cause=missing))
        self._resources.callback(discard_kafka, server)
        return server.bootstrap


class _AddressServer(socketserver.ThreadingTCPServer):
    """Serves the addresses of `OwnedServers` to workers: one line of JSON with the token in, one object out."""

    daemon_threads = True

    def __init__(self, servers: OwnedServers) -> None:
        super().__init__(("127.0.0.1", 0), _AddressRequestHandler)
        self.servers = servers
        self.token = secrets.token_hex(16)

    @property
    def worker_address(self) -> str:
        """The port and the token, as `ControllerServers` expects them."""
        return f"{self.server_address[1]}/{self.token}"


class _AddressRequestHandler(socketserver.StreamRequestHandler):
    """Handles one request of a worker. A request with a wrong token gets no reply."""

    def handle(self) -> None:
        assert isinstance(self.server, _AddressServer)
        token, verb, name = json.loads(self.rfile.readline())
        if token == self.server.token:
            self.wfile.write(json.dumps(self._build_reply(self.server.servers, verb, name)).encode())

    def _build_reply(self, servers: OwnedServers, verb: str, name: str) -> dict[str, str]:
        if verb == "start":
            servers.start(name)
            return {}
        try:
            return {"address": servers.get_address(name)}
        except Exception as error:  # noqa: BLE001 - returned to the worker, whose test fails with it
            return {"error": str(error)}


class ControllerServers:
    """The servers as a worker of pytest-xdist uses them: it asks the controller for their addresses."""

    def __init__(self, address: str, *, worker: str) -> None:
        port, self._token = address.split("/")
        self._port = int(port)
        self._worker = worker

    def start(self, name: str) -> None:
        self._send_request("start", name)

    def get_address(self, name: str) -> str:
        reply = self._send_request("address", name)
        if "address" not in reply:
            pytest.fail(f"{name} is not available: {reply.get('error')}", pytrace=False)
        return reply["address"]

    def _send_request(self, verb: str, kind: str) -> dict[str, str]:
        name = f"{KAFKA}/{self._worker}" if kind == KAFKA else kind
        with closing(create_connection(("127.0.0.1", self._port))) as connection, connection.makefile("rw") as lines:
            lines.write(json.dumps([self._token, verb, name]) + "\n")
            lines.flush()
            return json.loads(lines.read())


def start_postgres(root: Path) -> EmbeddedPostgres:
    """Starts a PostgreSQL without fsync in its own directory under `root`. The caller discards it."""
    server = EmbeddedPostgres(_build_directory_path(root, POSTGRES), durable=False)
    server.start()
    return server


def start_kafka(root: Path) -> EmbeddedKafka:
    """Starts a Kafka in its own directory under `root`. The caller passes it to `discard_kafka`."""
    jars = fetch_kafka_jars(root / "deploy" / "kafka" / "pom.xml", root / ".calloff" / "kafka-jars")
    server = EmbeddedKafka(_build_directory_path(root, KAFKA), jars)
    server.start()
    return server


def discard_kafka(server: EmbeddedKafka) -> None:
    """Kills the server and deletes its directory."""
    if server.is_running:
        server.kill()  # its files are deleted next, so it need not close them
    shutil.rmtree(server.directory, ignore_errors=True)


def delete_leftovers(root: Path) -> None:
    """Deletes the server directories of test sessions whose process no longer exists."""
    for directory in (root / ".calloff" / "tests").glob("*-*"):
        owner = directory.name.split("-")[0]
        if not (owner.isdigit() and psutil.pid_exists(int(owner))):
            shutil.rmtree(directory, ignore_errors=True)


def _build_directory_path(root: Path, name: str) -> Path:
    return root / ".calloff" / "tests" / f"{os.getpid()}-{name}-{secrets.token_hex(4)}"
