"""Slow clients: each is ended in time with a reason, and none keeps another client or a probe waiting."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import pytest
import pytest_asyncio
from fastapi import APIRouter, Body, FastAPI, Request, Response

from service_runtime.http.app import create_app, create_probe_app
from service_runtime.http.connections import LARGEST_HEAD, ConnectionLimits
from service_runtime.http.problems import MEDIA_TYPE
from service_runtime.http.server import HttpServer
from testkit.captured_logs import CapturedLogs

SHORT = ConnectionLimits(
    max_connections=40, head_timeout=1.0, body_idle_timeout=1.0, body_timeout=3.0, write_timeout=1.0
)
PATIENT = ConnectionLimits(max_connections=40)
LARGE = 30_000_000
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
router = APIRouter()


@router.post("/echo")
async def echo(text: Annotated[str, Body(embed=True)]) -> str:
    return text


@router.post("/ignored")
async def ignore_body() -> str:
    return "answered"


@router.get("/large")
async def get_large() -> Response:
    return Response(b"x" * LARGE)


@router.get("/held")
async def hold(request: Request) -> str:
    request.app.state.held += 1
    await request.app.state.released.wait()
    return "released"


@dataclass(frozen=True)
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_answer(self) -> tuple[int, bytes, bytes]:
        """Reads one response with its status, head and body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), b":0")
        return int(head.split()[1]), head, await self.reader.readexactly(int(length.partition(b":")[2]))

    async def read_to_end(self) -> bytes:
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""


class Client:
    """Opens connections to a server and closes them at the end."""

    def __init__(self, server: HttpServer, app: FastAPI) -> None:
        self.server, self.app = server, app
        self.opened: list[Connection] = []

    async def connect(self, data: bytes = b"") -> Connection:
        host, port = self.server.servers[0].sockets[0].getsockname()
        connection = Connection(*await asyncio.open_connection(host, port))
        self.opened.append(connection)
        await connection.send(data)
        return connection

    async def ask(self, data: bytes) -> tuple[int, bytes, bytes]:
        connection = await self.connect(data)
        async with asyncio.timeout(60):
            return await connection.read_answer()


@asynccontextmanager
async def serve(limits: ConnectionLimits, *, probes_only: bool = False) -> AsyncGenerator[Client]:
    log = CapturedLogs()
    app = create_app(name="sample", description="a test", routes=(router,), ports={}, log=log)
    app.state.held, app.state.released = 0, asyncio.Event()
    served = create_probe_app(app, log=log) if probes_only else app
    server = HttpServer(served, host="127.0.0.1", port=0, drain_within=5, limits=limits)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    client = Client(server, app)
    try:
        yield client
    finally:
        app.state.released.set()
        for connection in client.opened:
            connection.writer.close()
        server.stop()
        await serving


@pytest_asyncio.fixture
async def short() -> AsyncGenerator[Client]:
    async with serve(SHORT) as client:
        yield client


@pytest_asyncio.fixture
async def patient() -> AsyncGenerator[Client]:
    async with serve(PATIENT) as client:
        yield client


def a_post(length: int, body: bytes = b"") -> bytes:
    head = f"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET", b"GET /healthz HTTP/1.1\r\n", HEALTH[:-1], a_post(100), a_post(100, b'{"text'), HEALTH + HEALTH[:-1]],
)
async def test_a_request_that_does_not_arrive_in_time_gets_408_and_is_closed(short: Client, begun: bytes) -> None:
    connection = await short.connect(begun)
    async with asyncio.timeout(60):
        answer = await connection.read_to_end()
    last = answer[answer.rindex(b"HTTP/1.1") :]
    assert last.startswith(b"HTTP/1.1 408 ")
    assert MEDIA_TYPE.encode() in last
    assert b"send the request again" in last


@pytest.mark.parametrize("request_head", [a_post(500_000), a_post(500_000).replace(b"/echo", b"/ignored")])
async def test_a_body_that_arrives_byte_by_byte_is_ended_after_its_whole_time(
    short: Client, request_head: bytes
) -> None:
    connection = await short.connect(request_head)
    ended = asyncio.create_task(connection.read_to_end())
    async with asyncio.timeout(60):
        while not ended.done():
            connection.writer.write(b" ")
            await asyncio.wait([ended], timeout=0.05)
    answer = ended.result()
    assert b"/echo" not in request_head or b"408" in answer


async def test_a_client_that_does_not_read_its_response_is_ended(short: Client) -> None:
    connection = await short.connect(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    transport = connection.writer.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    async with asyncio.timeout(60):
        while not short.server.server_state.connections:
            await asyncio.sleep(0.01)
        while short.server.server_state.connections:
            await asyncio.sleep(0.01)
    transport.resume_reading()
    assert len(await connection.read_to_end()) < LARGE


async def test_a_connection_that_is_kept_alive_or_answered_is_not_ended(short: Client) -> None:
    kept = await short.connect(HEALTH)
    assert (await kept.read_answer())[0] == 200
    held = await short.connect(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
    slow = await short.connect(b"GET")
    async with asyncio.timeout(60):
        await slow.read_to_end()  # several sweeps later
    await kept.send(HEALTH)
    assert (await kept.read_answer())[0] == 200
    short.app.state.released.set()
    assert (await held.read_answer())[2] == b'"released"'


async def test_health_and_requests_are_answered_while_many_connections_send_nothing(patient: Client) -> None:
    slow = [await patient.connect(b"GET / HTTP/1.1\r\nX: ") for _ in range(PATIENT.max_connections * 3)]
    for _ in range(20):
        assert (await patient.ask(HEALTH))[0] == 200
        assert (await patient.ask(a_post(13, b'{"text": "a"}')))[2] == b'"a"'
        slow.append(await patient.connect(b"GET / HTTP/1.1\r\nX: "))
    assert len(patient.server.server_state.connections) <= PATIENT.max_connections
    assert (await slow[0].read_to_end()).startswith(b"HTTP/1.1 408 "), "the one that waited longest made room"


async def test_a_connection_that_was_kept_alive_makes_room_without_a_response(patient: Client) -> None:
    kept = await patient.connect(HEALTH)
    await kept.read_answer()
    for _ in range(PATIENT.max_connections):
        await patient.ask(HEALTH)
    assert await kept.read_to_end() == b""


async def test_when_all_connections_are_answered_the_next_is_told_to_come_back() -> None:
    async with serve(ConnectionLimits(max_connections=2)) as client:
        held = [await client.connect(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(2)]
        while client.app.state.held < 2:
            await asyncio.sleep(0.01)
        refused = await client.connect()
        status, head, _ = await refused.read_answer()
        assert (status, b"retry-after: 2" in head.lower()) == (503, True)
        client.app.state.released.set()
        assert [(await connection.read_answer())[0] for connection in held] == [200, 200]
        assert (await client.ask(HEALTH))[0] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * LARGEST_HEAD, 431),
        (b"GET /" + b"x" * LARGEST_HEAD, 431),
        (a_post(2, b'{"text": "longer than declared"}'), 400),
    ],
)
async def test_what_is_not_http_gets_a_problem(patient: Client, sent: bytes, status: int) -> None:
    answered, head, body = await patient.ask(sent)
    assert (answered, MEDIA_TYPE.encode() in head.lower()) == (status, True)
    assert b"x" * 20 not in body


async def test_an_upgrade_is_ignored_and_the_request_is_answered(patient: Client) -> None:
    upgrade = HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert (await patient.ask(upgrade))[0] == 200


async def test_a_client_may_wait_for_100_before_it_sends_the_body(patient: Client) -> None:
    body = b'{"text": "a"}'
    connection = await patient.connect(a_post(len(body)).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    assert await connection.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await connection.send(body)
    assert (await connection.read_answer())[2] == b'"a"'


async def test_the_listener_of_the_probes_answers_nothing_else() -> None:
    async with serve(PATIENT, probes_only=True) as client:
        assert (await client.ask(HEALTH))[0] == 200
        assert (await client.ask(HEALTH.replace(b"/healthz", b"/large")))[0] == 404
