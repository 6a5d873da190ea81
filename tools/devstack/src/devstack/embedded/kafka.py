"""Apache Kafka as a child process: one KRaft node, broker and controller, with settings for a small machine."""

import base64
import os
import socket
import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack.embedded.errors import ServerDidNotStart
from devstack.embedded.java import find_java
from devstack.embedded.ports import LOOPBACK, find_free_port
from devstack.embedded.server import Server

_CLUSTER_ID = base64.urlsafe_b64encode(b"calloff-embedded").decode().rstrip("=")
# C1 compiler only: on a small shared machine, optimized compilation costs more CPU than it saves.
_LOW_CPU_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
_BROKER_OPTIONS = ("-Xmx512m", *_LOW_CPU_OPTIONS)
_TOOL_OPTIONS = ("-Xmx128m", *_LOW_CPU_OPTIONS)

_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    # After kill -9 the broker is back in 5 s; with Kafka's defaults (9 s and 2 s) in 11 s.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "400",
    "num.partitions": "12",
    "auto.create.topics.enable": "false",
    "log.retention.ms": "-1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # One node: replication factor 1, and few partitions for Kafka's internal topics.
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.segment.bytes": "67108864",
}

_LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %m (%c)%n
"""

_METADATA, _METADATA_VERSION = 3, 5
_RESPONSE_HEAD = struct.Struct(">iii")  # correlation id, throttle time, number of brokers


class EmbeddedKafka(Server):
    """Kafka from the jars in `jars` (see `fetch_kafka_jars`), its state in `directory`."""

    name = "Kafka"

    def __init__(self, directory: Path, jars: Path, port: int | None = None) -> None:
        super().__init__(directory, port)
        self._jars = jars.absolute()
        self._controller_port = find_free_port()
        self._settings = self.directory / "server.properties"

    @property
    def bootstrap(self) -> str:
        """The value of clients' `bootstrap_servers`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def java_options(self) -> Sequence[str]:
        """More options of the broker's Java, for a subclass with other listeners."""
        return ()

    @property
    def format_options(self) -> Sequence[str]:
        """More options of the tool that formats the storage, for a subclass with users."""
        return ()

    def prepare(self) -> None:
        (self.directory / "log4j2.properties").write_text(_LOGGING)
        self._settings.write_text("".join(f"{name}={value}\n" for name, value in self.build_settings().items()))
        formatted = self.directory / "formatted"
        if not formatted.exists():
            self._format()
            formatted.touch()

    def build_command(self) -> Sequence[str | Path]:
        return self._build_java_command(*_BROKER_OPTIONS, *self.java_options, "kafka.Kafka", self._settings)

    def build_environment(self) -> Mapping[str, str]:
        return {name: value for name, value in os.environ.items() if name != "CLASSPATH"}

    def is_answering(self) -> bool:
        """True once the Metadata response names a broker; the port opens somewhat earlier."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(_encode_metadata_request())
                return _read_broker_count(connection) > 0
        except OSError:
            return False

    def build_settings(self) -> dict[str, str]:
        controller = f"{LOOPBACK}:{self._controller_port}"
        return _SETTINGS | {
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self.directory / "data"),
        }

    def _format(self) -> None:
        tool = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", _CLUSTER_ID, "-c", self._settings)
        done = subprocess.run(
            self._build_java_command(*_TOOL_OPTIONS, *tool, *self.format_options),
            env=self.build_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ServerDidNotStart(f"Kafka's storage in {self.directory} cannot be formatted:\n{done.stderr.strip()}")

    def _build_java_command(self, *arguments: str | Path) -> list[str | Path]:
        logging = f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}"
        return [find_java(), "-cp", f"{self._jars}/*", logging, *arguments]


def _encode_metadata_request() -> bytes:
    """Kafka's Metadata request for no topics; the response lists the brokers."""
    header = struct.pack(">hhih", _METADATA, _METADATA_VERSION, 1, -1)
    body = struct.pack(">i?", 0, False)
    return struct.pack(">i", len(header + body)) + header + body


def _read_broker_count(connection: socket.socket) -> int:
    size = 4 + _RESPONSE_HEAD.size
    response = b""
    while len(response) < size:
        part = connection.recv(size - len(response))
        if not part:
            return 0
        response += part
    _, _, brokers = _RESPONSE_HEAD.unpack_from(response, 4)
    return brokers
