"""Claims: what makes an event, a timer or a command count once, however often it comes."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, TypeVar

from sqlalchemy import text

from contracts.errors import Conflict, NotYet, Unprocessable
from service_runtime.clock import Clock
from service_runtime.dead_letters import parked_keys as parking
from service_runtime.kafka.records import Record
from service_runtime.postgres.database import Connection
from service_runtime.timers import timers
from service_runtime.timers.timers import DueTimer
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

ResultT = TypeVar("ResultT")

DUPLICATE_LOCK_TIMEOUT: Final = "2s"
"""How long a command waits for its twin, or for whatever else holds its package, before it is told to come back."""


class KeyParked(Conflict):
    """The subject is parked: an event of it could not be handled, and an operator has to look first."""

    title = "An operator has to look at this first"


class IdempotencyKeyReused(Unprocessable):
    """The Idempotency-Key was used before with another request; use a new one for a new request."""

    title = "Idempotency-Key was used before"


class RequestInProgress(NotYet):
    """The same command is being carried out just now."""

    title = "The same is being done just now"
    status = 409


@dataclass
class EventClaim:
    """An event counts once: by its row in the inbox. Behind a parked event of its key it waits, in order."""

    record: Record
    service: str
    clock: Clock
    releasing: bool = False
    """True while an operator releases the key: then this event is the one whose turn it is."""
    claimed: bool = field(default=False, init=False)
    """Whether this transaction put it into the inbox; known once the stream is locked."""

    @property
    def stream(self) -> StreamKey:
        return self.record.stream

    @property
    def cause(self) -> Cause:
        envelope = self.record.envelope
        actor = f"service:{self.service}"
        return Cause(str(envelope.id), actor, envelope.council, envelope.traceparent, at=envelope.time)

    @property
    def lock_timeout(self) -> None:
        """Events wait for their stream as long as it takes."""

    async def lock(self, connection: Connection) -> Stream:
        """The claim comes with the lock: two round trips for every event are one too many."""
        stream, self.claimed = await streams.lock_stream_and_claim_event(
            connection, self.stream, self.record.envelope.id, at=self.clock.now(), even_if_parked=self.releasing
        )
        return stream

    async def acquire(self, connection: Connection, stream: Stream, work: PostgresUnitOfWork) -> bool:
        if stream.parked and not self.releasing:
            await parking.enqueue_behind(connection, self.record, at=work.now)
            return False
        if self.releasing:
            await parking.delete_event(connection, self.record.envelope.id)
        return self.claimed

    async def finish(self, connection: Connection, result: object) -> None:
        """The inbox row is all that an event leaves behind."""


@dataclass(frozen=True)
class TimerClaim:
    """A timer counts once: whoever deletes its row has it. A cancelled one is not there to be deleted."""

    timer: DueTimer
    service: str

    @property
    def stream(self) -> StreamKey:
        return self.timer.stream

    @property
    def cause(self) -> Cause:
        cause = f"timer:{self.timer.kind}:{self.timer.armed_by}"
        return Cause(cause, f"service:{self.service}", self.timer.council, self.timer.traceparent)

    @property
    def lock_timeout(self) -> None:
        """Timers wait for their stream as long as it takes."""

    async def lock(self, connection: Connection) -> Stream:
        return await streams.lock_stream(connection, self.stream)

    async def acquire(self, connection: Connection, stream: Stream, work: PostgresUnitOfWork) -> bool:
        if stream.parked:
            return False
        return await timers.claim_due(connection, self.timer, now=work.now)

    async def finish(self, connection: Connection, result: object) -> None:
        """A timer leaves nothing behind."""


@dataclass(frozen=True)
class StoredResponse:
    """An HTTP answer as it is stored for a repeat of its command; nothing personal is in it."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class ReplayedResponse(Exception):
    """The command was carried out before; this was the answer."""

    def __init__(self, answer: StoredResponse) -> None:
        super().__init__("the command was carried out before")
        self.answer = answer


_REMEMBER = text(
    """
    INSERT INTO commands (caller, idempotency_key, fingerprint, received_at)
    VALUES (:caller, :key, :fingerprint, :now) ON CONFLICT DO NOTHING RETURNING caller
    """
)
_RECALL = text(
    "SELECT fingerprint, status, headers, answer FROM commands WHERE caller = :caller AND idempotency_key = :key"
)
_KEEP_ANSWER = text(
    """
    UPDATE commands SET status = :status, headers = :headers, answer = :answer
    WHERE caller = :caller AND idempotency_key = :key
    """
)


def fingerprint(secret: bytes, *parts: bytes) -> str:
    """HMAC of a request's method, full path and body: tells two requests apart without keeping what they said."""
    digest = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


@dataclass(frozen=True)
class CommandClaim(Generic[ResultT]):
    """A command counts once for each caller and Idempotency-Key; without a key it counts each time it comes."""

    on: StreamKey
    why: Cause
    caller: str
    idempotency_key: str | None
    fingerprint: str
    answer: Callable[[ResultT], StoredResponse]

    @property
    def stream(self) -> StreamKey:
        return self.on

    @property
    def cause(self) -> Cause:
        return self.why

    @property
    def lock_timeout(self) -> str:
        """A person or a system waits for the answer: rather tell them to come back than keep them waiting."""
        return DUPLICATE_LOCK_TIMEOUT

    async def lock(self, connection: Connection) -> Stream:
        return await streams.lock_stream(connection, self.stream)

    async def acquire(self, connection: Connection, stream: Stream, work: PostgresUnitOfWork) -> bool:
        if self.idempotency_key is not None:
            await self._remember(connection, self.idempotency_key, work.now)
        if stream.parked:
            message = f"{stream.key.key} is parked, an earlier event of it could not be handled; ask operations"
            raise KeyParked(message)
        return True

    async def finish(self, connection: Connection, result: ResultT) -> None:
        if self.idempotency_key is None:
            return
        answer = self.answer(result)
        await connection.execute(
            _KEEP_ANSWER,
            {
                "caller": self.caller,
                "key": self.idempotency_key,
                "status": answer.status,
                "headers": json.dumps(answer.headers),
                "answer": answer.body,
            },
        )

    async def _remember(self, connection: Connection, key: str, now: datetime) -> None:
        arguments = {"caller": self.caller, "key": key, "fingerprint": self.fingerprint, "now": now}
        if (await connection.execute(_REMEMBER, arguments)).one_or_none() is not None:
            return
        stored = (await connection.execute(_RECALL, {"caller": self.caller, "key": key})).one()
        if not hmac.compare_digest(stored.fingerprint, self.fingerprint):
            message = "this Idempotency-Key came before with another request; use a new key for a new request"
            raise IdempotencyKeyReused(message)
        headers = tuple((name, value) for name, value in json.loads(stored.headers))
        raise ReplayedResponse(StoredResponse(stored.status, stored.answer, headers))
