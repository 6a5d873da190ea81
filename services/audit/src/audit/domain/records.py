"""One record: the exact bytes from Kafka, and the event in them as far as it can be read."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final
from uuid import UUID

from contracts.catalogue import ANY, BY_TYPE, CatalogueEntry, decode
from contracts.envelope import Envelope, Headers
from contracts.events.base import Event

LONGEST_NAME: Final = 300
"""Characters of a key, source or type. No service uses longer ones, and they would not fit into an index."""
GREATEST_SEQUENCE: Final = 2**63 - 1


class FaultKind(StrEnum):
    """Everything that can be wrong with a record."""

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
    MISSING = "stored rows before it are missing"


@dataclass(frozen=True, order=True)
class RecordPosition:
    """Where Kafka keeps a record."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and where."""

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
        """SHA-256 over all of it, trace context included: the record's own, beside the hash that its producer made."""
        place = f"{self.position.topic}/{self.position.partition}/{self.position.offset}".encode()
        sealed = hashlib.sha256()
        for part in (place, self.key, self.headers, self.payload):
            sealed.update(b"-" if part is None else b"%d:" % len(part))
            sealed.update(part or b"")
        return sealed.digest()


@dataclass(frozen=True, order=True)
class StreamName:
    """The events of one source about one subject."""

    topic: str
    subject: str
    source: str


@dataclass(frozen=True, order=True)
class StreamPosition:
    """An event by its number in its stream."""

    stream: StreamName
    sequence: int


@dataclass(frozen=True)
class ParsedRecord:
    """A record and its contents: no envelope where that cannot be read, no event where type or payload cannot.

    `faults` are those that are visible without other records.
    """

    arrived: RawRecord
    envelope: Envelope | None
    event: Event | None
    faults: tuple[FaultKind, ...]

    @property
    def position(self) -> RecordPosition:
        return self.arrived.position

    @property
    def event_id(self) -> UUID | None:
        return None if self.envelope is None else self.envelope.id

    @property
    def stream(self) -> StreamName:
        """The stream it is in; those that cannot be read are in one without a subject."""
        if self.envelope is None:
            return StreamName(self.position.topic, "", "")
        return StreamName(self.position.topic, (self.arrived.key or b"").decode(), self.envelope.source)

    def fault(self, kind: FaultKind) -> Fault:
        return Fault(kind, self.position, self.event_id, "" if self.envelope is None else self.envelope.council)


def encode_headers(headers: Iterable[tuple[str, bytes | None]]) -> bytes:
    """Kafka's headers as JSON: every byte is one character of Latin-1, so that any bytes come back as they were."""
    return json.dumps([(name, None if value is None else value.decode("latin-1")) for name, value in headers]).encode()


def decode_headers(stored: bytes) -> Headers:
    """Raises ValueError or TypeError for bytes that are no headers; a header without a value is an empty one."""
    return [(name, (value or "").encode("latin-1")) for name, value in json.loads(stored)]


def parse_record(arrived: RawRecord) -> ParsedRecord:
    """Parses the record; faults of its own bytes are in the result."""
    try:
        envelope = Envelope.from_headers(decode_headers(arrived.headers))
        key = (arrived.key or b"").decode()
    except (ValueError, TypeError):
        return ParsedRecord(arrived, None, None, (FaultKind.UNREADABLE_ENVELOPE,))
    if not _is_storable(key, envelope):
        return ParsedRecord(arrived, None, None, (FaultKind.UNREADABLE_ENVELOPE,))
    payload = arrived.payload or b""
    faults = [FaultKind.WRONG_KEY] if envelope.subject != key else []
    if envelope.compute_hash(payload) != envelope.hash:
        faults.append(FaultKind.FORGED_HASH)
    entry = BY_TYPE.get(envelope.type)
    if entry is None:
        return ParsedRecord(arrived, envelope, None, (*faults, FaultKind.UNKNOWN_TYPE))
    faults += _check_topic_and_owner(entry, arrived.position.topic, envelope.source)
    try:
        event = decode(entry.event, payload)
    except ValueError:
        return ParsedRecord(arrived, envelope, None, (*faults, FaultKind.UNREADABLE_PAYLOAD))
    if event.key != key:
        faults.append(FaultKind.WRONG_KEY)
    return ParsedRecord(arrived, envelope, event, tuple(dict.fromkeys(faults)))


def _is_storable(key: str, envelope: Envelope) -> bool:
    names = (key, envelope.source, envelope.type, envelope.council, envelope.prevhash, envelope.hash)
    readable = all(len(name) <= LONGEST_NAME and "\0" not in name for name in names)
    return readable and bool(key) and envelope.sequence <= GREATEST_SEQUENCE


def _check_topic_and_owner(entry: CatalogueEntry, topic: str, source: str) -> list[FaultKind]:
    faults = [FaultKind.WRONG_TOPIC] if entry.topic != topic else []
    if entry.owner != ANY and source != f"/calloff/{entry.owner}":
        faults.append(FaultKind.WRONG_OWNER)
    return faults
