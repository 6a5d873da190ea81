"""Command bus: executes the command of an HTTP request, responds after the commit, and replays repeated requests."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Header, Request, Response
from opentelemetry import trace
from pydantic import AfterValidator, BaseModel

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
from service_runtime.postgres.errors import is_lock_timeout
from service_runtime.unit_of_work.claims import Executed
from service_runtime.unit_of_work.executor import Executor
from service_runtime.unit_of_work.streams import Cause, StreamKey
from service_runtime.unit_of_work.turns import TurnTimeout

CommandT = TypeVar("CommandT")
ResultT = TypeVar("ResultT")


def _check_key(key: str | None) -> str | None:
    if key is not None and not (key.isascii() and key.isprintable()):
        message = "must be 1 to 128 printable ASCII characters, such as a UUID"
        raise ValueError(message)
    return key


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        description="Any unique value of printable ASCII. A repeat with the same value and the same body, byte for "
        "byte, receives the first response again, with the header Idempotency-Replayed. Store the body that you send: "
        "the same fields in another order are another body, which is refused with 422. A value counts for 30 days, if "
        "the installation has not chosen another time of a day or more; after that a repeat is a new request.",
    ),
    AfterValidator(_check_key),
]
REPLAYED: Final = "Idempotency-Replayed"
"""Header of a response that an earlier request with the same Idempotency-Key received first."""


def describe_replays(page: dict[str, Any]) -> None:
    """Adds the header of replayed responses to the commands of an OpenAPI document."""
    operations = [operation for path in page["paths"].values() for operation in path.values()]
    for operation in operations:
        if all(parameter["name"] != "Idempotency-Key" for parameter in operation.get("parameters", ())):
            continue
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                response.setdefault("headers", {})[REPLAYED] = {
                    "description": "`true` if an earlier request with this Idempotency-Key got this response first",
                    "schema": {"type": "string", "enum": ["true"]},
                }


def json_response(body: BaseModel, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> StoredResponse:
    """Builds a response with a JSON body."""
    return StoredResponse(status, body.model_dump_json().encode(), (("content-type", "application/json"), *headers))


def to_stored_problem(error: CallOffError) -> StoredResponse:
    """Converts an error to a problem+json response for a command whose refusal is recorded and committed."""
    response = to_problem_response(error)
    headers = tuple((name, value) for name, value in response.headers.items() if name != "content-length")
    return StoredResponse(response.status_code, bytes(response.body), headers)


class _ResponseBuilder(Generic[ResultT]):
    """Builds the response of a result once, for the row of its Idempotency-Key and for the caller."""

    def __init__(self, build: Callable[[ResultT], StoredResponse]) -> None:
        self._build = build
        self._built: tuple[ResultT, StoredResponse] | None = None

    def __call__(self, result: ResultT) -> StoredResponse:
        # A decision that is made again after a conflict has another result.
        if self._built is None or self._built[0] is not result:
            self._built = (result, self._build(result))
        return self._built[1]


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
        respond_once = _ResponseBuilder(respond)
        claim = await self._build_claim(on, by, answer=stored or respond_once, begins_stream=creates_subject)
        try:
            done = await self._executor.execute(claim, lambda work: handler(command, work), span=span)
        except ReplayedResponse as replay:
            return _to_response(replay.answer, replayed=True)
        except Exception as error:
            if isinstance(error, TurnTimeout) or is_lock_timeout(error):
                message = "another request for the same subject is in progress; try again in a second"
                raise RequestInProgress(message, retry_after=1) from error
            raise
        assert isinstance(done, Executed), "execute runs a command, replays its response, or raises"
        return _to_response(respond_once(done.result))

    async def execute_part(
        self, command: CommandT, handler: Callable[[CommandT, Any], Awaitable[ResultT]], *, on: StreamKey, by: Caller
    ) -> ResultT:
        """Runs one of several commands of a request, without its Idempotency-Key, and returns the result.

        For commands whose repetition changes nothing; the request's own command is executed after them with the key.
        """
        claim: CommandClaim[ResultT] = CommandClaim(
            on=on,
            why=Cause(f"command:{uuid7(self._executor.clock.now())}", by.actor, by.council),
            caller=f"{by.council}/{by.actor}",
            idempotency_key=None,
            fingerprint="",
            answer=lambda _: StoredResponse(204, b"", ()),
        )
        done = await self._executor.execute(claim, lambda work: handler(command, work), span=trace.get_current_span())
        assert isinstance(done, Executed), "a command without a key is executed or raises"
        return done.result

    async def _build_claim(
        self, on: StreamKey, by: Caller, *, answer: Callable[[ResultT], StoredResponse], begins_stream: bool
    ) -> CommandClaim[ResultT]:
        return CommandClaim(
            on=on,
            why=Cause(f"command:{uuid7(self._executor.clock.now())}", by.actor, by.council),
            caller=f"{by.council}/{by.actor}",
            # Only the HMAC of the key is stored: the caller chooses its text, which could be personal.
            idempotency_key=None if self._key is None else compute_fingerprint(self._secret, self._key.encode()),
            fingerprint=await self._compute_fingerprint(),
            answer=answer,
            begins_stream=begins_stream,
        )

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


def _to_response(answer: StoredResponse, *, replayed: bool = False) -> Response:
    response = Response(answer.body, status_code=answer.status, headers=dict(answer.headers))
    if replayed:
        response.headers[REPLAYED] = "true"
    return response
