"""Errors as the caller sees them: problem+json (RFC 9457), every field at once, never echoing what was submitted."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from contracts.errors import (
    CallOffError,
    Conflict,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    NotYet,
    Unauthenticated,
    Unprocessable,
)
from service_runtime.http.preconditions import PreconditionFailed, PreconditionRequired
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import (
    ConnectionBroken,
    StatementRefused,
    is_lock_timeout,
    is_transient,
)

MEDIA_TYPE: Final = "application/problem+json"
BASE: Final = "https://calloff.example/problems/"
"""Problem types are names, not places to fetch: `example` belongs to nobody (RFC 2606)."""

STATUS: Final[tuple[tuple[type[CallOffError], int], ...]] = (
    (PreconditionFailed, 412),
    (PreconditionRequired, 428),
    (InvalidInput, 422),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Unprocessable, 422),
    (NotYet, 503),
)


class WrongField(BaseModel):
    pointer: str = Field(description="JSON pointer into the body, or the parameter's name")
    detail: str = Field(description="what is wrong and what to do")


class Problem(BaseModel):
    """RFC 9457: what went wrong and what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongField] = Field(default_factory=list[WrongField])


def problem_response(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    fields: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """An error answer."""
    problem = Problem(
        type=f"{BASE}{code}",
        title=title,
        status=status,
        detail=detail,
        errors=[WrongField(pointer=field.pointer, detail=field.detail) for field in fields],
    )
    return Response(problem.model_dump_json(), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def response_to(error: CallOffError) -> Response:
    """The answer that an error of the tree becomes; the one place that gives errors their HTTP status."""
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    headers: dict[str, str] = {}
    if isinstance(error, NotYet):
        headers["Retry-After"] = str(error.retry_after)
        status = error.status
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    fields = error.fields if isinstance(error, InvalidInput) else ()
    detail = "each field that is wrong is listed under errors" if fields else str(error)
    return problem_response(status, error.code, error.title, detail, fields=fields, headers=headers)


def refusal_of(error: Exception) -> CallOffError | None:
    """What an error is to the caller; None where it is a fault of ours."""
    if isinstance(error, CallOffError):
        return error
    if is_lock_timeout(error):
        return _BUSY
    return _AWAY if is_transient(error) else None


_BUSY: Final = NotYet("something else is being done about the same just now; ask again in a second", retry_after=1)
_AWAY: Final = NotYet("a part of Call-off that this needs is not there just now", retry_after=2)


DESCRIBED: Final = {
    400: "The request is malformed",
    401: "No token, or one that is not valid",
    403: "The token's scope, council or provider does not allow this",
    404: "Not there, or not for this caller",
    409: "It contradicts what already stands; where an answer came too late, that is on record",
    412: "It was changed since you read it: the ETag in If-Match is not its present one",
    413: "The body is too large",
    422: "Some fields are not right, or the Idempotency-Key was used for another request",
    428: "Send the ETag of what you read in If-Match, so that nobody's change is lost",
    503: "Cannot be answered just now; Retry-After says when to ask again",
}


_REF: Final = "#/components/schemas/{model}"


def schemas() -> dict[str, Any]:
    """What the error answers of `problems` refer to, for the components of an OpenAPI page."""
    return models_json_schema([(Problem, "serialization")], ref_template=_REF)[1]["$defs"]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its OpenAPI page; 400, 401, 403, 413, 422 and 503 belong to every one."""
    return {
        status: {
            "description": DESCRIBED[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
        }
        for status in sorted({400, 401, 403, 413, 422, 503, *statuses})
    }


def install(app: FastAPI, log: Logger) -> None:
    """Makes every error of `app` a problem+json answer."""

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, CallOffError)
        return response_to(error)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return response_to(InvalidInput(*map(_field_error, _own_errors(error.errors()))))

    async def plain(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        title = HTTPStatus(error.status_code).phrase
        headers = dict(error.headers or {})
        return problem_response(error.status_code, title.lower().replace(" ", "-"), title, title, headers=headers)

    async def unexpected(_: Request, error: Exception) -> Response:
        refusal = refusal_of(error)
        if refusal is _AWAY:
            log.warning("request not answered", error=type(error).__name__)
        if refusal is not None:
            return response_to(refusal)
        # The type alone: messages of database and validation errors carry the values that were submitted.
        log.error("request failed", error=type(error).__name__)
        return problem_response(
            500, "internal-error", "Something is wrong on our side", "it is logged; try again later"
        )

    app.add_exception_handler(CallOffError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)
    for kind in (StatementRefused, ConnectionBroken, SQLAlchemyError, OSError, TimeoutError, Exception):
        app.add_exception_handler(kind, unexpected)


def _own_errors(errors: Sequence[Any]) -> list[Any]:  # pydantic's error dictionaries have no public type
    """Without the lists that are too short only because pydantic leaves out the items that are wrong themselves."""
    wrong_within = {error["loc"][:length] for error in errors for length in range(len(error["loc"]))}
    return [error for error in errors if error["type"] != "too_short" or error["loc"] not in wrong_within]


def _field_error(error: Any) -> FieldError:  # pydantic's error dictionaries have no public type
    """One of pydantic's errors without the value that caused it."""
    where, *path = error["loc"]
    pointer = "#" + "".join(f"/{part}" for part in path) if where == "body" else f"{where}:{'/'.join(map(str, path))}"
    if error["type"] == "json_invalid":
        return FieldError("#", "the body is not valid JSON")
    return FieldError(pointer, _plain_message(error))


def _plain_message(error: Any) -> str:  # pydantic's error dictionaries have no public type
    message = str(error["msg"])
    context = error.get("ctx", {})
    if error["type"] in {"enum", "literal_error"}:
        return f"must be one of {context.get('expected')}"
    if error["type"] == "union_tag_invalid":
        return f"must be one of {context.get('expected_tags')}"
    if error["type"] == "value_error":
        return message.removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return "is not a field of this request; take it out"
    if error["type"] == "missing":
        return "is missing"
    # Messages of parsing errors can quote a part of the input after a colon; what is expected comes before it.
    return message.split(":", maxsplit=1)[0][:200]
