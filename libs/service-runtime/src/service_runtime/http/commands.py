"""A command from HTTP: carried out through `perform`, answered after the commit, alike when repeated."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Header, Request, Response
from opentelemetry import trace
from pydantic import BaseModel

from contracts.errors import CallOffError, RetryLater
from contracts.ids import uuid7
from service_runtime.http.auth import Caller
from service_runtime.http.problems import to_problem_response
from service_runtime.idempotency import (
    CommandClaim,
    ReplayedResponse,
    RequestInProgress,
    StoredResponse,
    compute_fingerprint,
)
from service_runtime.observability.tracing import build_subject_attributes
from service_runtime.postgres.database import is_lock_timeout
from service_runtime.unit_of_work.executor import Executed, Executor
from service_runtime.unit_of_work.streams import Cause, StreamKey

CommandT = TypeVar("CommandT")
ResultT = TypeVar("ResultT")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        description="Any unique value; a repeat with the same value and body gets the first answer again.",
    ),
]


def json_response(body: BaseModel, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> StoredResponse:
    """An answer with a JSON body."""
    return StoredResponse(status, body.model_dump_json().encode(), (("content-type", "application/json"), *headers))


def to_stored_problem(error: CallOffError) -> StoredResponse:
    """A refusal that is on record: the transaction commits, and the caller gets the error's problem+json."""
    response = to_problem_response(error)
    headers = tuple((name, value) for name, value in response.headers.items() if name != "content-length")
    return StoredResponse(response.status_code, bytes(response.body), headers)


class NotReady(RetryLater):
    """The service has just started, and its projections are not yet up to date."""

    title = "Not ready"


class CommandBus:
    """Carries out the commands of one request."""

    # Which unit of work the performer opens is the service's business; its handlers' types say it.
    def __init__(self, performer: Executor[Any], request: Request, key: str | None, fingerprints: bytes) -> None:
        self._performer = performer
        self._request = request
        self._key = key
        self._secret = fingerprints

    def new_id(self) -> UUID:
        """A fresh, time-ordered id, for a subject that begins with this command."""
        return uuid7(self._performer.clock.now())

    async def execute(
        self,
        command: CommandT,
        handler: Callable[[CommandT, Any], Awaitable[ResultT]],
        *,
        on: StreamKey,
        by: Caller,
        respond: Callable[[ResultT], StoredResponse],
        stored: Callable[[ResultT], StoredResponse] | None = None,
    ) -> Response:
        """Runs `handler(command, work)` on the stream `on` and returns its answer, or the one given before.

        `stored` makes what is stored for a repeat, where the first answer says what must not be stored (a secret).
        Raises what the handler raises, KeyParked, IdempotencyKeyReused, and RequestInProgress when the first request
        takes longer than two seconds.
        """
        span = trace.get_current_span()
        span.set_attributes(build_subject_attributes(on.topic, on.key))
        claim = CommandClaim(
            on=on,
            why=Cause(f"command:{uuid7(self._performer.clock.now())}", by.actor, by.council),
            caller=f"{by.council}/{by.actor}",
            # The key is the caller's own text, and could say anything.
            idempotency_key=None if self._key is None else compute_fingerprint(self._secret, self._key.encode()),
            fingerprint=await self._compute_fingerprint(),
            answer=stored or respond,
        )
        try:
            done = await self._performer.execute(claim, lambda work: handler(command, work), span=span)
        except ReplayedResponse as replay:
            return _to_response(replay.answer)
        except Exception as error:
            if is_lock_timeout(error):
                message = "another request for the same subject is in progress; try again in a second"
                raise RequestInProgress(message, retry_after=1) from error
            raise
        assert isinstance(done, Executed), "a command is carried out, replayed or refused"
        return _to_response(respond(done.result))

    async def _compute_fingerprint(self) -> str:
        request = self._request
        path = f"{request.url.path}?{request.url.query}"
        return compute_fingerprint(self._secret, request.method.encode(), path.encode(), await request.body())


async def command_bus(request: Request, key: IdempotencyKey = None) -> CommandBus:
    """The dependency through which routes carry out commands."""
    return _build_command_bus(request, key)


async def command_bus_without_idempotency(request: Request) -> CommandBus:
    """The same for commands whose answers must never be stored: an Idempotency-Key means nothing to them."""
    return _build_command_bus(request, None)


def _build_command_bus(request: Request, key: str | None) -> CommandBus:
    state = request.app.state
    if not state.ready.is_set():
        message = "the service is reading other services' events after its start; try again shortly"
        raise NotReady(message, retry_after=2)
    return CommandBus(state.performer, request, key, state.fingerprints)


def _to_response(answer: StoredResponse) -> Response:
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))
