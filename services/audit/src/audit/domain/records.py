"""One record: the exact bytes from Kafka, and the event in them as far as it can be read."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from json.encoder import encode_basestring_ascii as _quote
from typing import Final
from uuid import UUID

from contracts.catalogue import ANY, BY_TYPE, CatalogueEntry, decode
from contracts.envelope import Envelope, Headers
from contracts.events.base import Event

MAX_NAME_LENGTH: Final = 300
"""Characters of a key, source or type. No service uses longer ones, and they would not fit into an index."""
MAX_SEQUENCE: Final = 2**63 - 1


class FaultKind(StrEnum):
    """The kinds of faults of a record."""

    UNREADABLE_ENVELOPE = "the envelope cannot be read"
    UNREADABLE_PAYLOAD = "the payload cannot be read"
    UNKNOWN_TYPE = "the type is not in the catalogue"
    WRONG_OWNER = "the source does not own the type"
    WRONG_TOPIC = "the type does not belong on this topic"
    WRONG_KEY = "the subject is not the key"
    FORGED_HASH = "the hash is not that of the bytes"
    BROKEN_CHAIN = "the previous hash is not that of the event before"
    GAP = "events before it are missing"
    LATE = "it came after its successor"
    FORK = "another event has its place in the stream"
    CHANGED_REPEAT = "it was repeated with another hash"
    OTHER_BYTES = "its position holds other bytes already"
    ALTERED = "the stored row was altered"
    IN_ARCHIVE = "the event at its place in the stream is in an archive; compare it there"
    MISSING = "stored rows before it are missing"
    NOT_RECORDED = "it cannot be stored in the record; its bytes are an unreadable record"


@dataclass(frozen=True, order=True)
class RecordPosition:
    """The position of a record in Kafka."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Fault:
    """One fault of a record."""

    kind: FaultKind
    position: RecordPosition
    event_id: UUID | None
    council: str = ""


@dataclass(frozen=True)
class RawRecord:
    """One record exactly as Kafka delivered it, not parsed."""

    position: RecordPosition
    key: bytes | None
    headers: bytes
    payload: bytes | None

    @cached_property
    def seal(self) -> bytes:
        """SHA-256 of position, key, headers and payload; unlike the producer's hash it covers every header."""
        position = f"{self.position.topic}/{self.position.partition}/{self.position.offset}".encode()
        digest = hashlib.sha256()
        for part in (position, self.key, self.headers, self.payload):
            digest.update(b"-" if part is None else b"%d:" % len(part))
            digest.update(part or b"")
        return digest.digest()


@dataclass(frozen=True, order=True)
class StreamName:
    """The events of one source about one subject."""

    topic: str
    subject: str
    source: str


@dataclass(frozen=True, order=True)
class StreamPosition:
    """The position of an event in its stream."""

    stream: StreamName
    sequence: int


@dataclass(frozen=True)
class ParsedRecord:
    """A record with its envelope and event, each None if it cannot be read.

    `faults` are those that can be found without other records.
    """

    raw: RawRecord
    envelope: Envelope | None
    event: Event | None
    faults: tuple[FaultKind, ...]

    @property
    def position(self) -> RecordPosition:
        return self.raw.position

    @property
    def event_id(self) -> UUID | None:
        return None if self.envelope is None else self.envelope.id

    @cached_property
    def stream(self) -> StreamName:
        """The stream of the event. Unreadable records of a topic are in one stream without a subject."""
        if self.envelope is None:
            return StreamName(self.position.topic, "", "")
        return StreamName(self.position.topic, (self.raw.key or b"").decode(), self.envelope.source)

    def make_fault(self, kind: FaultKind) -> Fault:
        return Fault(kind, self.position, self.event_id, "" if self.envelope is None else self.envelope.council)


def encode_headers(headers: Iterable[tuple[str, bytes | None]]) -> bytes:
    """Encodes Kafka's headers as JSON without loss: each byte of a value becomes one character of Latin-1.

    The result is what `json.dumps` writes, in less time. A record that is read again must get the same bytes.
    """
    pairs = [
        f"[{_quote(name)}, {'null' if value is None else _quote(value.decode('latin-1'))}]" for name, value in headers
    ]
    return f"[{', '.join(pairs)}]".encode()


def decode_headers(stored: bytes) -> Headers:
    """Raises ValueError or TypeError for bytes that are not headers; a header without a value becomes an empty one."""
    return [(name, (value or "").encode("latin-1")) for name, value in json.loads(stored)]


def parse_record(raw: RawRecord) -> ParsedRecord:
    """Parses the record from its stored bytes; faults of these bytes are in the result."""
    try:
        headers = decode_headers(raw.headers)
    except (ValueError, TypeError):
        return ParsedRecord(raw, None, None, (FaultKind.UNREADABLE_ENVELOPE,))
    return _parse_record(raw, headers)


def parse_kafka_record(
    position: RecordPosition,
    *,
    key: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
    payload: bytes | None,
) -> ParsedRecord:
    """Parses a record as Kafka delivered it. The result equals that of `parse_record` for its stored bytes."""
    kafka_headers = list(headers)
    raw = RawRecord(position, key=key, headers=encode_headers(kafka_headers), payload=payload)
    return _parse_record(raw, [(name, value or b"") for name, value in kafka_headers])


def _parse_record(raw: RawRecord, headers: Headers) -> ParsedRecord:
    try:
        envelope = Envelope.from_headers(headers)
        key = (raw.key or b"").decode()
    except ValueError:
        return ParsedRecord(raw, None, None, (FaultKind.UNREADABLE_ENVELOPE,))
    if not _is_storable(key, envelope):
        return ParsedRecord(raw, None, None, (FaultKind.UNREADABLE_ENVELOPE,))
    payload = raw.payload or b""
    faults = [FaultKind.WRONG_KEY] if envelope.subject != key else []
    if envelope.compute_hash(payload) != envelope.hash:
        faults.append(FaultKind.FORGED_HASH)
    entry = BY_TYPE.get(envelope.type)
    if entry is None:
        return ParsedRecord(raw, envelope, None, (*faults, FaultKind.UNKNOWN_TYPE))
    faults += _check_topic_and_owner(entry, raw.position.topic, envelope.source)
    try:
        event = decode(entry.event, payload)
    except ValueError:
        return ParsedRecord(raw, envelope, None, (*faults, FaultKind.UNREADABLE_PAYLOAD))
    if event.key != key:
        faults.append(FaultKind.WRONG_KEY)
    return ParsedRecord(raw, envelope, event, tuple(dict.fromkeys(faults)))


def _is_storable(key: str, envelope: Envelope) -> bool:
    names = (key, envelope.source, envelope.type, envelope.council, envelope.prevhash, envelope.hash)
    readable = len(max(names, key=len)) <= MAX_NAME_LENGTH and "\0" not in "".join(names)
    return readable and bool(key) and envelope.sequence <= MAX_SEQUENCE


def _check_topic_and_owner(entry: CatalogueEntry, topic: str, source: str) -> list[FaultKind]:
    faults = [FaultKind.WRONG_TOPIC] if entry.topic != topic else []
    if entry.owner != ANY and source != f"/calloff/{entry.owner}":
        faults.append(FaultKind.WRONG_OWNER)
    return faults
