"""Apache Kafka on this machine: one KRaft node that is broker and controller, fit for a small box."""

import base64
import os
import socket
import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack.embedded.errors import ServerDidNotStart
from devstack.embedded.java import java
from devstack.embedded.ports import LOOPBACK, free_port
from devstack.embedded.server import Server

_CLUSTER = base64.urlsafe_b64encode(b"calloff-embedded").decode().rstrip("=")
# Compiled at once and lightly: on a machine that it shares with everything else, optimizing costs more than it saves.
_FRUGAL = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
_SMALL = ("-Xmx512m", *_FRUGAL)
_SHORT_LIVED = ("-Xmx128m", *_FRUGAL)

_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    # Back 5 s after kill -9; with Kafka's own 9 s and 2 s it takes 11.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "400",
    "num.partitions": "12",
    "auto.create.topics.enable": "false",
    "log.retention.ms": "-1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # One machine: every topic has one copy, and Kafka's own topics stay small.
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
_ANSWER_HEAD = struct.Struct(">iii")  # correlation id, throttle time, number of brokers


class EmbeddedKafka(Server):
    """Kafka from the jars in `jars` (see `fetch_kafka_jars`), its state in `directory`."""

    name = "Kafka"

    def __init__(self, directory: Path, jars: Path, port: int | None = None) -> None:
        super().__init__(directory, port)
        self._jars = jars.absolute()
        self._controller_port = free_port()
        self._settings = self.directory / "server.properties"

    @property
    def bootstrap(self) -> str:
        """What clients call `bootstrap_servers`."""
        return f"{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        (self.directory / "log4j2.properties").write_text(_LOGGING)
        self._settings.write_text("".join(f"{name}={value}\n" for name, value in self._all_settings().items()))
        formatted = self.directory / "formatted"
        if not formatted.exists():
            self._format()
            formatted.touch()

    def command(self) -> Sequence[str | Path]:
        return self._java(*_SMALL, "kafka.Kafka", self._settings)

    def environment(self) -> Mapping[str, str]:
        return {name: value for name, value in os.environ.items() if name != "CLASSPATH"}

    def answers(self) -> bool:
        """Does it name itself as a broker that takes requests? It opens its port somewhat earlier."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(_metadata_request())
                return _brokers_in(connection) > 0
        except OSError:
            return False

    def _all_settings(self) -> dict[str, str]:
        controller = f"{LOOPBACK}:{self._controller_port}"
        return _SETTINGS | {
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self.directory / "data"),
        }

    def _format(self) -> None:
        tool = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", _CLUSTER, "-c", self._settings)
        done = subprocess.run(
            self._java(*_SHORT_LIVED, *tool), env=self.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ServerDidNotStart(f"Kafka's storage in {self.directory} cannot be formatted:\n{done.stderr.strip()}")

    def _java(self, *arguments: str | Path) -> list[str | Path]:
        logging = f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}"
        return [java(), "-cp", f"{self._jars}/*", logging, *arguments]


def _metadata_request() -> bytes:
    """Kafka's Metadata request for no topics: who are you, and which brokers are there?"""
    header = struct.pack(">hhih", _METADATA, _METADATA_VERSION, 1, -1)
    body = struct.pack(">i?", 0, False)
    return struct.pack(">i", len(header + body)) + header + body


def _brokers_in(connection: socket.socket) -> int:
    size = 4 + _ANSWER_HEAD.size
    answer = b""
    while len(answer) < size:
        part = connection.recv(size - len(answer))
        if not part:
            return 0
        answer += part
    _, _, brokers = _ANSWER_HEAD.unpack_from(answer, 4)
    return brokers
