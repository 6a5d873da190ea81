"""A stream: everything one service says about one subject, locked, versioned and chained by one row.

A unit of work locks its stream first, reads the clock after that, and keeps the lock to its commit; so everything that
happens to one package in one service happens one at a time, in commit order, and no two writers draw one version.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from contracts.catalogue import encode, entry_of
from contracts.envelope import Envelope, Headers
from contracts.errors import Unprocessable
from contracts.events.base import Event
from service_runtime.postgres.database import Connection

LARGEST_PAYLOAD: Final = 900_000
"""Bytes; Kafka's default limit for a request is 1 MiB, headers and framing included."""


class EventTooLarge(Unprocessable):
    """An event would not fit into Kafka; split the work that causes it."""


@dataclass(frozen=True, order=True)
class StreamKey:
    """Which stream: the topic and Kafka key of its subject."""

    topic: str
    key: str

    def __str__(self) -> str:
        return f"{self.topic}/{self.key}"


@dataclass(frozen=True)
class Stream:
    """A stream that this transaction holds the lock of."""

    key: StreamKey
    version: int
    last_hash: str
    parked: bool


@dataclass(frozen=True)
class Cause:
    """Why something is done and by whom; every event that follows carries it."""

    id: str
    actor: str
    council: str
    traceparent: str = ""
    at: datetime | None = None
    """When it happened, where that was before now: an event is heard later than it was said."""


@dataclass(frozen=True)
class ChainedEvent:
    """An event with its envelope, ready for the journal: the exact bytes that will be hashed, stored and sent."""

    event: Event
    envelope: Envelope
    payload: bytes
    stream: StreamKey

    @property
    def headers(self) -> bytes:
        return encode_headers(self.envelope.headers())


def encode_headers(headers: Headers) -> bytes:
    """Kafka headers as the bytes that the journal stores."""
    return json.dumps([(name, value.decode()) for name, value in headers]).encode()


def decode_headers(stored: bytes) -> Headers:
    """Kafka headers from the journal's bytes, in their order."""
    return [(name, value.encode()) for name, value in json.loads(stored)]


_LOCK = text("SELECT version, head, parked_because FROM streams WHERE topic = :topic AND key = :key FOR UPDATE")
_BEGIN = text("INSERT INTO streams (topic, key) VALUES (:topic, :key) ON CONFLICT DO NOTHING")


async def lock_stream(connection: Connection, name: StreamKey) -> Stream:
    """Locks `name` until the transaction ends; a stream that is new begins here."""
    arguments = {"topic": name.topic, "key": name.key}
    row = (await connection.execute(_LOCK, arguments)).one_or_none()
    if row is None:
        await connection.execute(_BEGIN, arguments)
        row = (await connection.execute(_LOCK, arguments)).one()
    return Stream(name, row.version, row.head, row.parked_because is not None)


# One round trip for the lock and the claim that needs it. What a twin has claimed meanwhile is a conflict here, too,
# although this statement's snapshot is older than it: ON CONFLICT looks at what is there, not at the snapshot.
_LOCK_AND_CLAIM = text(
    """
    WITH locked AS MATERIALIZED (
        SELECT version, head, parked_because FROM streams WHERE topic = :topic AND key = :key FOR UPDATE
    ), claimed AS (
        INSERT INTO inbox (event_id, handled_at)
        SELECT :event_id, :at FROM locked WHERE parked_because IS NULL OR :even_if_parked
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    SELECT version, head, parked_because, EXISTS (SELECT 1 FROM claimed) AS claimed FROM locked
    """
)


async def lock_stream_and_claim_event(
    connection: Connection, name: StreamKey, event_id: UUID, *, at: datetime, even_if_parked: bool
) -> tuple[Stream, bool]:
    """Locks `name` and claims an event of it in the inbox; False with it: somebody has handled it, or has to wait.

    A parked stream's events are claimed `even_if_parked` only.
    """
    arguments = {
        "topic": name.topic,
        "key": name.key,
        "event_id": event_id,
        "at": at,
        "even_if_parked": even_if_parked,
    }
    row = (await connection.execute(_LOCK_AND_CLAIM, arguments)).one_or_none()
    if row is None:
        await connection.execute(_BEGIN, {"topic": name.topic, "key": name.key})
        row = (await connection.execute(_LOCK_AND_CLAIM, arguments)).one()
    return Stream(name, row.version, row.head, row.parked_because is not None), row.claimed


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
    ).sealed(payload)
    after = replace(stream, version=envelope.sequence, last_hash=envelope.hash)
    return ChainedEvent(event, envelope, payload, stream.key), after


def stream_key_of(event: Event) -> StreamKey:
    """Where an event belongs, by the catalogue. Raises KeyError for an event that is not in it."""
    return StreamKey(entry_of(type(event)).topic, event.key)


# One round trip: the stream moves on, the journal gains its rows, and the outbox points at them in the same order.
_APPEND = text(
    """
    WITH moved AS (
        UPDATE streams SET version = after.version, head = after.head
        FROM unnest(CAST(:stream_topics AS text[]), CAST(:stream_keys AS text[]),
                    CAST(:stream_versions AS bigint[]), CAST(:stream_heads AS text[]))
             AS after(topic, key, version, head)
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
