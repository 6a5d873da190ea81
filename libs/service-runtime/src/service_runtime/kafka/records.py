"""Record: an event as read from Kafka, with its payload not yet decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from contracts.envelope import Envelope
from service_runtime.kafka.client import KafkaRecord
from service_runtime.observability.messaging import Message
from service_runtime.outbox.journal import decode_headers, encode_headers
from service_runtime.unit_of_work.streams import StreamKey

MAX_KEY_LENGTH: Final = 300
"""Characters of a key. No service uses longer ones, and they would not fit into an index."""


class UnreadableCause(StrEnum):
    """Why a record cannot be read; the fixed words of metrics, logs and the operator's list."""

    NO_TYPE = "the type is missing"
    INVALID_ENVELOPE = "the envelope cannot be read"
    NO_KEY = "the key is missing"
    INVALID_KEY = "the key is not text, or is too long"
    NO_PAYLOAD = "the payload is missing"
    INVALID_PAYLOAD = "the payload does not fit its type"
    WRONG_HASH = "the hash is not that of the bytes"
    NOT_STORABLE = "it cannot be stored"


class UnreadableRecord(ValueError):
    """A record that no service has published, or whose bytes were changed; `cause` is its only detail."""

    def __init__(self, cause: UnreadableCause) -> None:
        super().__init__(cause.value)
        self.cause = cause


def check_readable(record: KafkaRecord) -> None:
    """Raises UnreadableRecord for a record whose type cannot be read."""
    if not read_event_type(record):
        raise UnreadableRecord(UnreadableCause.NO_TYPE)


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
        """Parses key and envelope, and checks the hash. Raises UnreadableRecord."""
        try:
            envelope = Envelope.from_headers(raw.headers)
        except ValueError:
            raise UnreadableRecord(UnreadableCause.INVALID_ENVELOPE) from None
        key = _read_key(raw.key)
        if raw.value is None:
            raise UnreadableRecord(UnreadableCause.NO_PAYLOAD)
        if envelope.compute_hash(raw.value) != envelope.hash:
            raise UnreadableRecord(UnreadableCause.WRONG_HASH)
        return cls(raw.topic, key, envelope, raw.headers, raw.value, raw.partition, raw.offset)

    @classmethod
    def from_stored(cls, stream: StreamKey, headers: bytes, payload: bytes) -> "Record":
        """Builds a record from headers and payload as the journal and the dead letters store them."""
        kafka_headers = decode_headers(headers)
        return cls(stream.topic, stream.key, Envelope.from_headers(kafka_headers), kafka_headers, payload)


def _read_key(key: bytes | None) -> str:
    if not key:
        raise UnreadableRecord(UnreadableCause.NO_KEY)
    try:
        text = key.decode()
    except UnicodeDecodeError:
        raise UnreadableRecord(UnreadableCause.INVALID_KEY) from None
    if len(text) > MAX_KEY_LENGTH or "\0" in text:
        raise UnreadableRecord(UnreadableCause.INVALID_KEY)
    return text
