"""Connections of the HTTP server: limits of time and number, so that slow clients do not keep others out.

A connection that has not sent its whole request in time gets 408, one that does not read its response is aborted. When
`max_connections` are open, the one that has waited longest for a client makes room for the next.
"""

from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Final

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service_runtime.http.problems import build_problem_response

LARGEST_HEAD: Final = 64 * 1024
"""Bytes of the request line and headers."""


@dataclass(frozen=True)
class ConnectionLimits:
    """Times are in seconds."""

    max_connections: int = 1_000
    head_timeout: float = 10.0
    """For the request line and headers, from the connection or from their first byte."""
    body_idle_timeout: float = 20.0
    """Without a byte of the body."""
    body_timeout: float = 120.0
    """For the whole body."""
    write_timeout: float = 30.0
    """Without room for more of the response, and for the rest of it after the server has closed the connection."""


class LimitedConnection(HttpToolsProtocol):
    """A connection with limits. A sweep of the server asks each one every second; there is no timer per request."""

    limits = ConnectionLimits()

    def __init__(self, *args: Any, **options: Any) -> None:  # as Uvicorn creates its protocols
        super().__init__(*args, **options)
        self._head_since: float | None = None
        """None while no request line or headers are awaited."""
        self._head_size = 0
        self._body_since: float | None = None
        self._last_byte = 0.0
        self._write_paused_since: float | None = None
        self._closing_since: float | None = None

    # Uvicorn names the type of its own transports.
    def connection_made(self, transport: Any) -> None:
        self._head_since = self._last_byte = self.loop.time()
        if len(self.connections) >= self.limits.max_connections and not self._make_room():
            super().connection_made(transport)
            self._refuse(503, "the server has too many connections; try again shortly", {"Retry-After": "2"})
            return
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._last_byte = self.loop.time()
        if self._head_since is not None:
            self._head_size += len(data)
        if not self.transport.is_closing():
            super().data_received(data)
        if self._head_since is not None and self._head_size > LARGEST_HEAD:
            self._refuse(431, f"the request line and headers are larger than {LARGEST_HEAD:,} bytes; send less")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_since is None:
            self._head_since = self._last_byte

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head_since, self._head_size = None, 0
        self._body_since = self._last_byte

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._body_since = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_paused_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._write_paused_since = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  Uvicorn's text has no reason
        self._refuse(400, "the request is not HTTP/1.1; check the request line, the headers and Content-Length")

    def get_waiting_since(self) -> float | None:
        """Returns since when this connection waits for its client; None while a request is answered."""
        if self.transport.is_closing() or (self._is_answering() and self._body_since is None):
            return None
        return next(since for since in (self._body_since, self._head_since, self._last_byte) if since is not None)

    def close_if_overdue(self, now: float) -> None:
        """Ends the connection if its client has exceeded a limit."""
        limits = self.limits
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > limits.write_timeout:
                self.transport.abort()
        elif _is_over(self._write_paused_since, now, limits.write_timeout):
            self.transport.abort()
        elif self._is_body_overdue(now):
            self._refuse(408, "the body did not arrive in time; send the request again")
        elif _is_over(self._head_since, now, limits.head_timeout) and not self._is_answering():
            self._refuse(408, "the request line and headers did not arrive in time; send the request again")

    def _is_body_overdue(self, now: float) -> bool:
        if self._body_since is None or self.flow.read_paused:
            return False
        return _is_over(self._last_byte, now, self.limits.body_idle_timeout) or _is_over(
            self._body_since, now, self.limits.body_timeout
        )

    def _is_answering(self) -> bool:
        # Uvicorn declares the cycle as present, and it is None before the first request.
        return bool(self.cycle) and not self.cycle.response_complete

    def _make_room(self) -> bool:
        """Ends the connections that have waited longest for their clients; False if all are being answered."""
        waiting = [
            (since, id(connection), connection)
            for connection in self.connections
            if isinstance(connection, LimitedConnection) and (since := connection.get_waiting_since()) is not None
        ]
        # Several at once, because finding them takes a millisecond.
        for _, _, connection in nsmallest(max(1, self.limits.max_connections // 50), waiting):
            connection.end()
        return bool(waiting)

    def end(self) -> None:
        """Ends the connection at once, with a 408 if a request was expected on it."""
        if self._head_since is None and self._body_since is None:
            self.transport.close()
        else:
            self._refuse(408, "the request did not arrive before the server needed its connection; send it again")

    def _refuse(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        """Sends a problem unless a response has begun, and closes the connection."""
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        has_begun = self._is_answering() and self.cycle.response_started
        if not has_begun:
            self.transport.write(_render(status, detail, headers, self.server_state.default_headers))
        self.transport.close()


def _is_over(since: float | None, now: float, limit: float) -> bool:
    return since is not None and now - since > limit


def _render(
    status: int, detail: str, headers: dict[str, str] | None, default_headers: list[tuple[bytes, bytes]]
) -> bytes:
    title = STATUS_LINE[status].split(b" ", 2)[2].strip().decode()
    code = title.lower().replace(" ", "-")
    problem: Response = build_problem_response(status, code, title, detail, headers=headers)
    lines = [name + b": " + value + b"\r\n" for name, value in (*default_headers, *problem.raw_headers)]
    return b"".join([STATUS_LINE[status], *lines, b"connection: close\r\n\r\n", bytes(problem.body)])
