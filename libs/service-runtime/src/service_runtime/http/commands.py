"""Command bus: executes the command of an HTTP request, responds after the commit, and replays repeated requests."""

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
from service_runtime.http.rate_limits import CommandRateLimit
from service_runtime.idempotency import (
    CommandClaim,
    ReplayedResponse,
    RequestInProgress,
    StoredResponse,
    compute_fingerprint,
)
from service_runtime.observability.tracing import set_subject
from service_runtime.postgres.database import is_lock_timeout
from service_runtime.unit_of_work.claims import Executed
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.unit_of_work.turns import TurnTimeout

CommandT = TypeVar("CommandT")
ResultT = TypeVar("ResultT")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        description="Any unique value; a repeat with the same value and body receives the first response again.",
    ),
]


def json_response(body: BaseModel, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> StoredResponse:
    """Builds a response with a JSON body."""
    return StoredResponse(status, body.model_dump_json().encode(), (("content-type", "application/json"), *headers))


def to_stored_problem(error: CallOffError) -> StoredResponse:
    """Converts an error to a problem+json response for a command whose refusal is recorded and committed."""
    response = to_problem_response(error)
    headers = tuple((name, value) for name, value in response.headers.items() if name != "content-length")
    return StoredResponse(response.status_code, bytes(response.body), headers)


class NotReady(RetryLater):
    """The service has started, but its projections are not yet up to date."""

    title = "Not ready"


class CommandBus:
    """Executes the commands of one request."""

    # Each service has its own unit of work class; the types of its handlers name it.
    def __init__(
        self,
        executor: Executor[Any],
        request: Request,
        key: str | None,
        *,
        fingerprints: bytes,
        limit: CommandRateLimit,
    ) -> None:
        self._executor = executor
        self._limit = limit
        self._request = request
        self._key = key
        self._secret = fingerprints

    def new_id(self) -> UUID:
        """Returns a new time-ordered id for an entity that this command creates."""
        return uuid7(self._executor.clock.now())

    async def execute(
        self,
        command: CommandT,
        handler: Callable[[CommandT, Any], Awaitable[ResultT]],
        *,
        on: StreamKey,
        by: Caller,
        respond: Callable[[ResultT], StoredResponse],
        stored: Callable[[ResultT], StoredResponse] | None = None,
        creates_subject: bool = False,
    ) -> Response:
        """Runs `handler(command, work)` on the stream `on` and returns its response; a repeat gets the stored one.

        `stored` builds the response that is stored for repeats, if the first one contains a secret. `creates_subject`:
        the stream's id is new, so there is nothing to load. Raises the errors of the handler, SubjectParked,
        IdempotencyKeyReused, TooManyRequests, and RequestInProgress if requests of the same subject take longer than
        two seconds.
        """
        self._limit.take(f"{by.council}/{by.actor}/{by.subject}")
        span = trace.get_current_span()
        set_subject(on.topic, on.key)
        claim = CommandClaim(
            on=on,
            why=Cause(f"command:{uuid7(self._executor.clock.now())}", by.actor, by.council),
            caller=f"{by.council}/{by.actor}",
            # Only the HMAC of the key is stored: the caller chooses its text, which could be personal.
            idempotency_key=None if self._key is None else compute_fingerprint(self._secret, self._key.encode()),
            fingerprint=await self._compute_fingerprint(),
            answer=stored or respond,
            begins_stream=creates_subject,
        )
        try:
            done = await self._executor.execute(claim, lambda work: handler(command, work), span=span)
        except ReplayedResponse as replay:
            return _to_response(replay.answer)
        except Exception as error:
            if isinstance(error, TurnTimeout) or is_lock_timeout(error):
                message = "another request for the same subject is in progress; try again in a second"
                raise RequestInProgress(message, retry_after=1) from error
            raise
        assert isinstance(done, Executed), "execute runs a command, replays its response, or raises"
        return _to_response(respond(done.result))

    async def _compute_fingerprint(self) -> str:
        request = self._request
        path = f"{request.url.path}?{request.url.query}"
        return compute_fingerprint(self._secret, request.method.encode(), path.encode(), await request.body())


async def get_command_bus(request: Request, key: IdempotencyKey = None) -> CommandBus:
    """A dependency: the command bus of the request. Raises NotReady while the projections are behind.

    Raises ClockNotTrusted while the machine's clock is wrong: an answer in time would be judged as late.
    """
    return _build_command_bus(request, key)


async def get_command_bus_without_idempotency(request: Request) -> CommandBus:
    """As `get_command_bus`, for commands whose responses must not be stored; ignores Idempotency-Key."""
    return _build_command_bus(request, None)


def _build_command_bus(request: Request, key: str | None) -> CommandBus:
    state = request.app.state
    if not state.ready.is_set():
        message = "the service has started and is still reading other services' events; try again shortly"
        raise NotReady(message, retry_after=2)
    state.clock_guard.check()
    return CommandBus(state.executor, request, key, fingerprints=state.fingerprints, limit=state.command_limit)


def _to_response(answer: StoredResponse) -> Response:
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))
