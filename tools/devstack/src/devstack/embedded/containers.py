"""Servers in containers, for tests on a machine where neither a server nor its programs are available."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from devstack.embedded.errors import MissingPrerequisite
from devstack.embedded.ports import LOOPBACK, find_free_port

POSTGRES_IMAGE = "postgres:18"
KAFKA_IMAGE = "apache/kafka:4.3.1"


@contextmanager
def run_postgres_container(*, cause: MissingPrerequisite) -> Generator[str]:
    """Runs PostgreSQL and yields its SQLAlchemy URL. Raises MissingPrerequisite, with `cause` in the text."""
    password, port = secrets.token_urlsafe(16), find_free_port()
    container = (
        DockerContainer(POSTGRES_IMAGE)
        .with_env("POSTGRES_PASSWORD", password)
        .with_bind_ports(5432, port)
        .waiting_for(LogMessageWaitStrategy("database system is ready to accept connections", times=2))
    )
    with _run(container, cause):
        yield f"postgresql+asyncpg://postgres:{password}@{LOOPBACK}:{port}/postgres"


@contextmanager
def run_kafka_container(*, cause: MissingPrerequisite) -> Generator[str]:
    """Runs Kafka and yields its bootstrap address. Raises MissingPrerequisite, with `cause` in the text."""
    port = find_free_port()
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(port, port)
    for name, value in _build_kafka_environment(port).items():
        container.with_env(name, value)
    container.waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    with _run(container, cause):
        yield f"{LOOPBACK}:{port}"


def _build_kafka_environment(port: int) -> dict[str, str]:
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_NUM_PARTITIONS": "12",
    }


@contextmanager
def _run(container: DockerContainer, cause: MissingPrerequisite) -> Generator[None]:
    try:
        container.start()
    except Exception as error:
        # testcontainers and Docker raise many types; the program that is missing is the first thing to install.
        raise MissingPrerequisite(f"{cause}; and no container can be run instead: {error}") from error
    try:
        yield
    finally:
        container.stop()
