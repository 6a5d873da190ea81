"""Idempotency keys: a command counts once per caller and Idempotency-Key, and a repeat gets the stored response."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from contracts.errors import Conflict, RetryLater, Unprocessable
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.changes import Changes, KeyedResponse
from service_runtime.unit_of_work.streams import Cause, StreamKey

ResultT = TypeVar("ResultT")

TURN_TIMEOUT: Final = 2.0
"""Seconds that a command waits for its stream's turn before it is refused with 409 and Retry-After."""


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


_FIND_RESPONSE: Final = """
    SELECT fingerprint, status, headers, answer FROM idempotency_keys WHERE caller = $1 AND idempotency_key = $2
"""


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
    begins_stream: bool = False
    """True if the command creates its subject: nothing of the stream exists before it."""

    @property
    def stream(self) -> StreamKey:
        return self.on

    @property
    def cause(self) -> Cause:
        return self.why

    @property
    def turn_timeout(self) -> float:
        """A short limit: a caller waits for the response, so the command is refused rather than blocked."""
        return TURN_TIMEOUT

    @property
    def even_if_parked(self) -> bool:
        return False

    async def is_open(self, database: Database, *, at: datetime) -> bool:  # noqa: ARG002  the Protocol names them
        """Raises ReplayedResponse if the key was used for this request, IdempotencyKeyReused if for another one."""
        if self.idempotency_key is None:
            return True
        rows = await database.fetch(_FIND_RESPONSE, self.caller, self.idempotency_key)
        if not rows:
            return True
        stored = rows[0]
        if not hmac.compare_digest(stored.fingerprint, self.fingerprint):
            message = (
                "this Idempotency-Key was used before with another request: method, path and body are compared byte "
                "for byte, so the same fields in another order are another body; to repeat the request send exactly "
                "the stored body again, and use a new key for a new request"
            )
            raise IdempotencyKeyReused(message)
        headers = tuple((name, value) for name, value in json.loads(stored.headers))
        raise ReplayedResponse(StoredResponse(stored.status, stored.answer, headers))

    async def handle_parked(self, database: Database, *, at: datetime) -> None:
        await self.is_open(database, at=at)
        message = f"{self.on.key} is parked after an event that could not be handled; ask an operator to release it"
        raise SubjectParked(message)

    def add_to(self, changes: Changes, result: ResultT, *, at: datetime) -> None:  # noqa: ARG002  the Protocol names them
        if self.idempotency_key is None:
            return
        answer = self.answer(result)
        changes.responses.append(
            KeyedResponse(
                self.caller,
                self.idempotency_key,
                self.fingerprint,
                answer.status,
                json.dumps(answer.headers),
                answer.body,
            )
        )
