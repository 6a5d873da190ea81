"""Record: an event as read from Kafka, with its payload not yet decoded."""

from dataclasses import dataclass

from contracts.envelope import Envelope
from service_runtime.observability.messaging import Message
from service_runtime.outbox.journal import decode_headers
from service_runtime.unit_of_work.streams import StreamKey


@dataclass(frozen=True)
class Record:
    """An event as read from Kafka: its exact bytes, and the envelope decoded from its headers."""

    topic: str
    key: str
    envelope: Envelope
    headers: bytes
    payload: bytes
    partition: int | None = None
    offset: int | None = None
    """Position in Kafka; None for a record that was stored as a dead letter."""

    @property
    def stream(self) -> StreamKey:
        return StreamKey(self.topic, self.key)

    @property
    def message(self) -> Message:
        """The record's description for spans."""
        id_and_type = (str(self.envelope.id), self.envelope.type)
        return Message(self.topic, self.key, *id_and_type, partition=self.partition, offset=self.offset)

    @classmethod
    def from_stored(cls, stream: StreamKey, headers: bytes, payload: bytes) -> "Record":
        """Builds a record from headers and payload as the journal and the dead letters store them."""
        return cls(stream.topic, stream.key, Envelope.from_headers(decode_headers(headers)), headers, payload)
