"""PostgreSQL and Kafka run as child processes, each with its state in one directory; no containers."""

from concurrent.futures import ThreadPoolExecutor

from devstack.embedded.errors import EmbeddedServerError, MissingPrerequisite, ServerDidNotStart
from devstack.embedded.jars import fetch_kafka_jars
from devstack.embedded.kafka import EmbeddedKafka
from devstack.embedded.postgres import EmbeddedPostgres
from devstack.embedded.processes import Process
from devstack.embedded.server import Server

__all__ = [
    "EmbeddedKafka",
    "EmbeddedPostgres",
    "EmbeddedServerError",
    "MissingPrerequisite",
    "Process",
    "Server",
    "ServerDidNotStart",
    "fetch_kafka_jars",
    "start_servers",
]


def start_servers(*servers: Server) -> None:
    """Starts servers concurrently; if one fails to start, all are stopped."""
    try:
        with ThreadPoolExecutor(max_workers=len(servers)) as pool:
            for start in [pool.submit(server.start) for server in servers]:
                start.result()
    except BaseException:  # Ctrl-C too
        for server in servers:
            server.stop()
        raise
