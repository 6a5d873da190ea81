"""Record: an event as read from Kafka, with its payload not yet decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from contracts.envelope import Envelope
from service_runtime.kafka.client import KafkaRecord
from service_runtime.observability.messaging import Message
from service_runtime.outbox.journal import decode_headers, encode_headers
from service_runtime.unit_of_work.streams import StreamKey


def read_event_type(record: KafkaRecord) -> str:
    """Returns the event type in a record's headers, or an empty string; reads nothing else and raises nothing."""
    return (dict(record.headers).get("ce_type") or b"").decode(errors="replace")


@dataclass(frozen=True)
class Record:
    """An event as read from Kafka: its exact bytes, and the envelope decoded from its headers."""

    topic: str
    key: str
    envelope: Envelope
    kafka_headers: Sequence[tuple[str, bytes]]
    payload: bytes
    partition: int | None = None
    offset: int | None = None
    """Position in Kafka; None for a record that was stored as a dead letter."""

    @cached_property
    def headers(self) -> bytes:
        """The headers as the journal and the dead letters store them. Only a dead letter needs them."""
        return encode_headers(self.kafka_headers)

    @property
    def stream(self) -> StreamKey:
        return StreamKey(self.topic, self.key)

    @property
    def message(self) -> Message:
        """The record's description for spans."""
        id_and_type = (str(self.envelope.id), self.envelope.type)
        return Message(self.topic, self.key, *id_and_type, partition=self.partition, offset=self.offset)

    @classmethod
    def from_kafka(cls, raw: KafkaRecord) -> "Record":
        """Parses key and envelope. Raises pydantic's ValidationError, and UnicodeDecodeError for a key in binary."""
        envelope, key = Envelope.from_headers(raw.headers), (raw.key or b"").decode()
        return cls(raw.topic, key, envelope, raw.headers, raw.value or b"", raw.partition, raw.offset)

    @classmethod
    def from_stored(cls, stream: StreamKey, headers: bytes, payload: bytes) -> "Record":
        """Builds a record from headers and payload as the journal and the dead letters store them."""
        kafka_headers = decode_headers(headers)
        return cls(stream.topic, stream.key, Envelope.from_headers(kafka_headers), kafka_headers, payload)
