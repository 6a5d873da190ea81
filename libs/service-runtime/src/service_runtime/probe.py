"""Asks a probe of the service in this container: `python -m service_runtime.probe [live | ready]`, ready by default.

Ends with 0 where the service answers 2xx within two seconds, else with 1 and the reason. It asks the address in
CALLOFF_HOST, and the machine itself where that stands for all addresses or is not set. It speaks HTTP over a bare
socket, because importing an HTTP client takes longer than everything else that it does.
"""

import os
import socket
import sys
from typing import Final

PATHS: Final = {"live": "/healthz", "ready": "/readyz"}
TIMEOUT: Final = 2.0
"""Seconds."""
LOOPBACK: Final = "127.0.0.1"
ALL_ADDRESSES: Final = {"": LOOPBACK, "0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104  what a service is told
"""The address to ask where a service listens on all of a machine."""
LARGEST_PORT: Final = 65_535
LONGEST_ANSWER: Final = 4_000
USAGE_STATUS: Final = 64
"""EX_USAGE of sysexits.h."""


def ask(host: str, port: int, path: str) -> str | None:
    """None if the service at this address answers 2xx, else what is wrong."""
    request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT) as connection:
            connection.sendall(request.encode())
            with connection.makefile("rb") as response:
                answer = response.read(LONGEST_ANSWER).decode(errors="replace")
    except OSError as error:
        return f"port {port} does not answer {path}: {error}"
    head, _, body = answer.partition("\r\n\r\n")
    status = head.partition("\r\n")[0].split(" ")[1:2]
    if status and status[0].startswith("2"):
        return None
    return f"{path} answers {' '.join(status) or 'with something else than HTTP'}: {body.strip()}"


def read_host() -> str:
    host = os.environ.get("CALLOFF_HOST", "").strip()
    return ALL_ADDRESSES.get(host, host)


def read_port() -> int | None:
    """The port of the probes, else that of the service; None where the environment names neither."""
    for name in ("CALLOFF_HEALTH_PORT", "CALLOFF_PORT"):
        text = os.environ.get(name, "").strip()
        if text.isdecimal() and 0 < int(text) <= LARGEST_PORT:
            return int(text)
    return None


def main() -> None:
    name, port = (sys.argv[1:] or ["ready"])[0], read_port()
    if name not in PATHS or port is None:
        sys.stderr.write(
            "calloff-service probe: write `probe live` or `probe ready`, and set CALLOFF_HEALTH_PORT or CALLOFF_PORT"
            " to the port of the service\n"
        )
        sys.exit(USAGE_STATUS)
    problem = ask(read_host(), port, PATHS[name])
    if problem is not None:
        sys.stdout.write(f"{problem}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
