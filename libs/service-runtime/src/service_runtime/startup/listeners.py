"""Check of the addresses that a process listens on: one that is taken ends the process before anything starts."""

import os
import socket

from service_runtime.settings import RuntimeSettings
from service_runtime.startup.errors import StartRefused


def check_listeners(settings: RuntimeSettings) -> None:
    """Raises StartRefused if the process cannot listen on its port or on that of the probes."""
    faults = [
        f"{variable} and CALLOFF_HOST must be an address that this process can listen on ({fault})"
        for variable, port in (("CALLOFF_PORT", settings.port), ("CALLOFF_HEALTH_PORT", settings.health_port))
        if port and (fault := _find_fault(settings.host, port))
    ]
    if faults:
        raise StartRefused(*faults)


def _find_fault(host: str, port: int) -> str | None:
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind(address)
    except socket.gaierror:
        return "there is no such host"
    except OSError as error:
        return os.strerror(error.errno) if error.errno else type(error).__name__
    return None
