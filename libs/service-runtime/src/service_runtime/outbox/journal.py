"""Journal: the append-only record of every event that this service published, and the source of its outbox.

Each event is chained to the previous one of its stream by hash and stored as the exact bytes that the relay sends.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from json.encoder import encode_basestring_ascii as _quote
from typing import Final
from uuid import UUID

from sqlalchemy import text

from contracts.catalogue import encode
from contracts.envelope import Envelope, Headers
from contracts.errors import Unprocessable
from contracts.events.base import Event
from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey

LARGEST_PAYLOAD: Final = 900_000
"""Bytes. Kafka's default limit for a request is 1 MiB, including headers and framing."""
_LOSSLESS: Final = "surrogateescape"


class EventTooLarge(Unprocessable):
    """An event is larger than Kafka accepts."""


@dataclass(frozen=True)
class ChainedEvent:
    """An event with its sealed envelope and the exact bytes that are hashed, stored and sent."""

    event: Event
    envelope: Envelope
    payload: bytes
    stream: StreamKey

    @property
    def headers(self) -> bytes:
        return encode_headers(self.envelope.to_headers())

    def to_journal_row(self) -> tuple[object, ...]:
        """Returns the values of the event's row in the journal, without its position."""
        envelope = self.envelope
        return (
            envelope.id,
            self.stream.topic,
            self.stream.key,
            envelope.sequence,
            envelope.type,
            envelope.time,
            envelope.actor,
            envelope.causationid,
            self.headers,
            self.payload,
            envelope.hash,
        )


def encode_headers(headers: Iterable[tuple[str, bytes]]) -> bytes:
    """Encodes Kafka headers as the bytes that the journal stores: JSON as `json.dumps` writes it, in less time.

    A foreign header that is not text is kept without loss; one without a value (None) becomes an empty one.
    """
    pairs = [f"[{_quote(name)}, {_quote((value or b'').decode(errors=_LOSSLESS))}]" for name, value in headers]
    return f"[{', '.join(pairs)}]".encode()


def decode_headers(stored: bytes) -> Headers:
    """Decodes Kafka headers from the bytes that the journal stores, in their order."""
    return [(name, value.encode(errors=_LOSSLESS)) for name, value in json.loads(stored)]


def chain_event(
    event: Event, *, stream: Stream, event_id: UUID, source: str, cause: Cause, at: datetime
) -> tuple[ChainedEvent, Stream]:
    """Chains an event to `stream` by hash; returns it with the stream after it. Raises EventTooLarge."""
    payload = encode(event)
    if len(payload) > LARGEST_PAYLOAD:
        message = (
            f"{type(event).__name__} has {len(payload)} bytes, over {LARGEST_PAYLOAD}; split the work that causes it"
        )
        raise EventTooLarge(message)
    envelope = Envelope(
        id=event_id,
        source=f"/calloff/{source}",
        type=event.get_type_name(),
        subject=event.key,
        time=at,
        council=cause.council,
        correlationid=event.correlation,
        causationid=cause.id,
        actor=cause.actor,
        sequence=stream.version + 1,
        prevhash=stream.last_hash,
        traceparent=cause.traceparent,
    ).seal(payload)
    after = replace(stream, version=envelope.sequence, last_hash=envelope.hash)
    return ChainedEvent(event, envelope, payload, stream.key), after


# One round trip updates the streams, appends to the journal and inserts the outbox rows in the same order.
_APPEND = text(
    """
    WITH updated AS (
        UPDATE streams SET revision = revision + 1, version = after.version, last_hash = after.last_hash
        FROM unnest(CAST(:stream_topics AS text[]), CAST(:stream_keys AS text[]),
                    CAST(:stream_versions AS bigint[]), CAST(:stream_heads AS text[]))
             AS after(topic, key, version, last_hash)
        WHERE streams.topic = after.topic AND streams.key = after.key
    ), written AS (
        INSERT INTO journal (id, topic, key, version, type, occurred_at, actor, cause, headers, payload, hash)
        SELECT id, topic, key, version, type, :at, actor, cause, headers, payload, hash
        FROM unnest(CAST(:ids AS uuid[]), CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:versions AS bigint[]),
                    CAST(:types AS text[]), CAST(:actors AS text[]), CAST(:causes AS text[]),
                    CAST(:headers AS bytea[]), CAST(:payloads AS bytea[]), CAST(:hashes AS text[]))
             WITH ORDINALITY
             AS row(id, topic, key, version, type, actor, cause, headers, payload, hash, ordinal)
        ORDER BY ordinal
        RETURNING position
    )
    INSERT INTO outbox (position) SELECT position FROM written
    """
)


async def append_to_journal(
    connection: Connection, events: Sequence[ChainedEvent], streams: Sequence[Stream], *, at: datetime
) -> None:
    """Appends chained events to journal and outbox, and updates version and last hash of their locked streams."""
    await connection.execute(
        _APPEND,
        {
            "at": at,
            "stream_topics": [stream.key.topic for stream in streams],
            "stream_keys": [stream.key.key for stream in streams],
            "stream_versions": [stream.version for stream in streams],
            "stream_heads": [stream.last_hash for stream in streams],
            "ids": [event.envelope.id for event in events],
            "topics": [event.stream.topic for event in events],
            "keys": [event.stream.key for event in events],
            "versions": [event.envelope.sequence for event in events],
            "types": [event.envelope.type for event in events],
            "actors": [event.envelope.actor for event in events],
            "causes": [event.envelope.causationid for event in events],
            "headers": [event.headers for event in events],
            "payloads": [event.payload for event in events],
            "hashes": [event.envelope.hash for event in events],
        },
    )
