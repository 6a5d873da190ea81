"""Kafka connection: how every client of a process reaches the brokers."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class KafkaConnection:
    """How the clients of one process reach Kafka. `bootstrap` is host:port, several separated by commas."""

    bootstrap: str

    def build_client_arguments(self) -> dict[str, Any]:  # Any: aiokafka's arguments have no common type
        """Builds the arguments that aiokafka's producer, consumer and admin client have in common."""
        return {"bootstrap_servers": self.bootstrap}
