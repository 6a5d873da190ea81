"""Journal: the append-only record of every event that this service published, and the source of its outbox.

Each event is chained to the previous one of its stream by hash and stored as the exact bytes that the relay sends."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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
"""Bytes; Kafka's default limit for a request is 1 MiB, headers and framing included."""


class EventTooLarge(Unprocessable):
    """An event would not fit into Kafka; split the work that causes it."""


@dataclass(frozen=True)
class ChainedEvent:
    """An event with its envelope, ready for the journal: the exact bytes that will be hashed, stored and sent."""

    event: Event
    envelope: Envelope
    payload: bytes
    stream: StreamKey

    @property
    def headers(self) -> bytes:
        return encode_headers(self.envelope.to_headers())


def encode_headers(headers: Headers) -> bytes:
    """Kafka headers as the bytes that the journal stores."""
    return json.dumps([(name, value.decode()) for name, value in headers]).encode()


def decode_headers(stored: bytes) -> Headers:
    """Kafka headers from the journal's bytes, in their order."""
    return [(name, value.encode()) for name, value in json.loads(stored)]


def chain_event(
    event: Event, *, stream: Stream, event_id: UUID, source: str, cause: Cause, at: datetime
) -> tuple[ChainedEvent, Stream]:
    """The event as the next one of its stream, and the stream after it. Raises EventTooLarge."""
    payload = encode(event)
    if len(payload) > LARGEST_PAYLOAD:
        message = (
            f"{type(event).__name__} has {len(payload)} bytes, {LARGEST_PAYLOAD} fit; split the work that causes it"
        )
        raise EventTooLarge(message)
    envelope = Envelope(
        id=event_id,
        source=f"/calloff/{source}",
        type=event.type_name(),
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


# One round trip: the stream moves on, the journal gains its rows, and the outbox points at them in the same order.
_APPEND = text(
    """
    WITH moved AS (
        UPDATE streams SET version = after.version, last_hash = after.last_hash
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
    """Writes sealed events to journal and outbox, and moves their locked streams on."""
    await connection.execute(
        _APPEND,
        {
            "at": at,
            "stream_topics": [stream.key.topic for stream in streams],
            "stream_keys": [stream.key.key for stream in streams],
            "stream_versions": [stream.version for stream in streams],
            "stream_heads": [stream.last_hash for stream in streams],
            "ids": [sealed.envelope.id for sealed in events],
            "topics": [sealed.stream.topic for sealed in events],
            "keys": [sealed.stream.key for sealed in events],
            "versions": [sealed.envelope.sequence for sealed in events],
            "types": [sealed.envelope.type for sealed in events],
            "actors": [sealed.envelope.actor for sealed in events],
            "causes": [sealed.envelope.causationid for sealed in events],
            "headers": [sealed.headers for sealed in events],
            "payloads": [sealed.payload for sealed in events],
            "hashes": [sealed.envelope.hash for sealed in events],
        },
    )
