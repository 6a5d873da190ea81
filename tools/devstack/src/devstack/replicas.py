"""Replicas: several processes of each service, with one address for clients and ports of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from devstack.embedded.ports import LOOPBACK, find_free_port

MAX_REPLICAS: Final = 12
"""As many as a topic has partitions; a further process would read none."""
MAX_POOL_SIZE: Final = 20
_UNPOOLED: Final = 2
"""Connections of a process outside its pool: the relay's lock, and the notifications of other processes."""
_RESERVED: Final = 40
"""Connections of the server that are left for migrations, tools and people."""


@dataclass(frozen=True)
class Replica:
    """One of `count` processes of a service, numbered from 1."""

    service: str
    number: int
    count: int
    port: int
    health_port: int

    @property
    def name(self) -> str:
        return f"{self.service} {self.number}/{self.count}"

    @property
    def log_name(self) -> str:
        return f"{self.service}-{self.number}.log"

    @property
    def readiness_url(self) -> str:
        return f"http://{LOOPBACK}:{self.health_port}/readyz"


def create_replicas(services: Sequence[str], count: int) -> tuple[Replica, ...]:
    """Creates the replicas of all services, with free ports; none if `count` is 1."""
    if count == 1:
        return ()
    return tuple(
        Replica(service, number, count, find_free_port(), find_free_port())
        for service in services
        for number in range(1, count + 1)
    )


def compute_pool_size(*, processes: int, max_connections: int) -> int:
    """Returns the connections of one process's pool, so that all processes together leave some to others."""
    return max(2, min(MAX_POOL_SIZE, (max_connections - _RESERVED) // processes - _UNPOOLED))
