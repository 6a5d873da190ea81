"""Fake services for the commands: one HTTP server that answers for all of them, and a `.calloff` that points to it."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from calloff.commands.__main__ import app
from calloff.commands.output import out
from devstack.config import SERVICES
from devstack.home import HOME_VARIABLE, Home
from devstack.keys import StackKeys
from devstack.record import StackRecord


@dataclass
class FakeServices:
    """Answers what the test sets, and records each request.

    A service is called under its name. An answer for `/v1/parked` is that of all services, one for
    `sourcing/v1/parked` that of sourcing. Bytes are answered as they are, everything else as JSON.
    """

    answers: dict[str, tuple[int, object]] = field(default_factory=dict[str, tuple[int, object]])
    requests: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    bodies: list[str] = field(default_factory=list[str])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    url: str = ""
    fallback: tuple[int, object] = (404, {"title": "Not found", "detail": "nothing is here"})
    """What is answered where the test sets nothing."""

    def add_provider(self, provider_id: str, name: str) -> None:
        self.answers[f"/v1/providers/{provider_id}"] = (200, {"provider_id": provider_id, "name": name})

    def answer(self, method: str, target: str, body: str) -> tuple[int, bytes]:
        service, _, path = target.removeprefix("/").partition("/")
        self.requests.append((method, f"/{path}"))
        self.bodies.append(body)
        path = f"/{path.partition('?')[0]}"
        status, answer = self.answers.get(f"{service}{path}") or self.answers.get(path, self.fallback)
        return status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServices]:
    fake = FakeServices()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fake.headers.append(dict(self.headers))
            status, body = fake.answer(
                self.command, self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            )
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_GET  # noqa: N815 - the base class looks for these names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Writes nothing to standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    fake.url = f"http://127.0.0.1:{server.server_port}"
    _build_record(fake.url, tmp_path).write(Home(tmp_path))
    StackKeys.load(Home(tmp_path))
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


def _build_record(url: str, folder: Path) -> StackRecord:
    return StackRecord(
        pid=os.getpid(),
        issuer=url,
        urls={service.name: f"{url}/{service.name}" for service in SERVICES},
        docs={},
        kafka_bootstrap="127.0.0.1:1",
        postgres_port=1,
        receivers=url,
        pids={"sourcing": 17},
        logs=folder,
        secrets=folder / "secrets.json",
    )


@pytest.fixture
def run() -> Callable[..., Result]:
    """Runs a command line."""

    def run_command_line(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    return run_command_line


@pytest.fixture
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The width of the terminal, by indirect parametrization."""
    columns: int = request.param
    monkeypatch.setattr(out, "width", columns)
    return columns
