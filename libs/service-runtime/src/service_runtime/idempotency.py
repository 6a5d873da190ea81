"""Idempotency keys: a command counts once per caller and Idempotency-Key, and a repeat gets the stored response."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from sqlalchemy import text

from contracts.errors import Conflict, RetryLater, Unprocessable
from service_runtime.postgres.database import Connection
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.streams import Cause, Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

ResultT = TypeVar("ResultT")

DUPLICATE_LOCK_TIMEOUT: Final = "2s"
"""How long a command waits for the lock of its stream before it is refused with 409 and Retry-After."""


class SubjectParked(Conflict):
    """The subject's key is parked: an event could not be handled and an operator has to release or discard it."""

    title = "Subject parked"


class IdempotencyKeyReused(Unprocessable):
    """The Idempotency-Key was used before with another request."""

    title = "Idempotency key reused"


class RequestInProgress(RetryLater):
    """A request with the same subject is in progress."""

    title = "Request in progress"
    status = 409


@dataclass(frozen=True)
class StoredResponse:
    """An HTTP response stored for repeats of its command. It holds no personal data."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class ReplayedResponse(Exception):
    """Raised for a repeated command; carries the stored response."""

    def __init__(self, answer: StoredResponse) -> None:
        super().__init__("the command was executed before; return its stored response")
        self.answer = answer


_INSERT_KEY = text(
    """
    INSERT INTO idempotency_keys (caller, idempotency_key, fingerprint, received_at)
    VALUES (:caller, :key, :fingerprint, :now) ON CONFLICT DO NOTHING RETURNING caller
    """
)
_SELECT_RESPONSE = text(
    """
    SELECT fingerprint, status, headers, answer FROM idempotency_keys
    WHERE caller = :caller AND idempotency_key = :key
    """
)
_STORE_RESPONSE = text(
    """
    UPDATE idempotency_keys SET status = :status, headers = :headers, answer = :answer
    WHERE caller = :caller AND idempotency_key = :key
    """
)


def compute_fingerprint(secret: bytes, *parts: bytes) -> str:
    """Returns the HMAC-SHA256 of a request's parts, which identifies a request without storing its content."""
    digest = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


@dataclass(frozen=True)
class CommandClaim(Generic[ResultT]):
    """Claims a command by its caller and Idempotency-Key; without a key every request is executed."""

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
        """A short limit: a caller waits for the response, so the command is refused rather than blocked."""
        return DUPLICATE_LOCK_TIMEOUT

    async def lock(self, connection: Connection) -> Stream:
        return await streams.lock_stream(connection, self.stream)

    async def acquire(self, connection: Connection, stream: Stream, work: PostgresUnitOfWork) -> bool:
        if self.idempotency_key is not None:
            await self._claim_key(connection, self.idempotency_key, work.now)
        if stream.parked:
            message = (
                f"{stream.key.key} is parked after an event that could not be handled; ask an operator to release it"
            )
            raise SubjectParked(message)
        return True

    async def finish(self, connection: Connection, result: ResultT) -> None:
        if self.idempotency_key is None:
            return
        answer = self.answer(result)
        await connection.execute(
            _STORE_RESPONSE,
            {
                "caller": self.caller,
                "key": self.idempotency_key,
                "status": answer.status,
                "headers": json.dumps(answer.headers),
                "answer": answer.body,
            },
        )

    async def _claim_key(self, connection: Connection, key: str, now: datetime) -> None:
        arguments = {"caller": self.caller, "key": key, "fingerprint": self.fingerprint, "now": now}
        if (await connection.execute(_INSERT_KEY, arguments)).one_or_none() is not None:
            return
        stored = (await connection.execute(_SELECT_RESPONSE, {"caller": self.caller, "key": key})).one()
        if not hmac.compare_digest(stored.fingerprint, self.fingerprint):
            message = "this Idempotency-Key was used before with another request; use a new key for a new request"
            raise IdempotencyKeyReused(message)
        headers = tuple((name, value) for name, value in json.loads(stored.headers))
        raise ReplayedResponse(StoredResponse(stored.status, stored.answer, headers))
