"""PostgreSQL and Kafka without a container: run by Call-off itself, their state in one directory."""

from concurrent.futures import ThreadPoolExecutor

from calloff.embedded.errors import EmbeddedServerError, MissingPrerequisite, ServerDidNotStart
from calloff.embedded.jars import fetch_kafka_jars
from calloff.embedded.kafka import EmbeddedKafka
from calloff.embedded.postgres import EmbeddedPostgres
from calloff.embedded.processes import Process
from calloff.embedded.server import Server

__all__ = [
    "EmbeddedKafka",
    "EmbeddedPostgres",
    "EmbeddedServerError",
    "MissingPrerequisite",
    "Process",
    "Server",
    "ServerDidNotStart",
    "fetch_kafka_jars",
    "start_together",
]


def start_together(*servers: Server) -> None:
    """Start side by side; if one does not start, none runs afterwards."""
    try:
        with ThreadPoolExecutor(max_workers=len(servers)) as pool:
            for start in [pool.submit(server.start) for server in servers]:
                start.result()
    except BaseException:  # Ctrl-C too
        for server in servers:
            server.stop()
        raise
