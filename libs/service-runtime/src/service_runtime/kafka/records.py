"""An event as it comes from Kafka, before anybody knows what it means."""

from dataclasses import dataclass

from contracts.envelope import Envelope
from service_runtime.observability.messaging import Message
from service_runtime.outbox.journal import decode_headers
from service_runtime.unit_of_work.streams import StreamKey


@dataclass(frozen=True)
class Record:
    """One event as it came from Kafka: exact bytes, with the envelope read from them."""

    topic: str
    key: str
    envelope: Envelope
    headers: bytes
    payload: bytes
    partition: int | None = None
    offset: int | None = None
    """Where it lies in Kafka; not known of what was parked."""

    @property
    def stream(self) -> StreamKey:
        return StreamKey(self.topic, self.key)

    @property
    def message(self) -> Message:
        """What spans tell of it."""
        id_and_type = (str(self.envelope.id), self.envelope.type)
        return Message(self.topic, self.key, *id_and_type, partition=self.partition, offset=self.offset)

    @classmethod
    def from_stored(cls, stream: StreamKey, headers: bytes, payload: bytes) -> "Record":
        """The record that journal or parking lot keep as bytes."""
        return cls(stream.topic, stream.key, Envelope.from_headers(decode_headers(headers)), headers, payload)
