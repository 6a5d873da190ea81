"""Problem details (RFC 9457): converts errors to problem+json responses.

A response lists all invalid fields at once and never contains submitted values.
"""

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
    RetryLater,
    Unauthenticated,
    Unprocessable,
)
from service_runtime.http.methods import explain_wrong_method
from service_runtime.http.preconditions import PreconditionFailed, PreconditionRequired
from service_runtime.observability.logs import Logger
from service_runtime.postgres.errors import ConnectionBroken, StatementRefused, is_lock_timeout, is_transient

MEDIA_TYPE: Final = "application/problem+json"
BASE: Final = "https://calloff.example/problems/"
"""Problem types are identifiers, not addresses: the domain `.example` is reserved (RFC 2606)."""

STATUS: Final[tuple[tuple[type[CallOffError], int], ...]] = (
    (PreconditionFailed, 412),
    (PreconditionRequired, 428),
    (InvalidInput, 422),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Unprocessable, 422),
    (RetryLater, 503),
)


class WrongField(BaseModel):
    pointer: str = Field(description="JSON pointer into the body, or the parameter's name")
    detail: str = Field(description="what is wrong and what to do")


class Problem(BaseModel):
    """Problem details as defined by RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongField] = Field(default_factory=list[WrongField])


def build_problem_response(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    fields: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Builds a problem+json response; its type is BASE and `code`."""
    problem = Problem(
        type=f"{BASE}{code}",
        title=title,
        status=status,
        detail=detail,
        errors=[WrongField(pointer=field.pointer, detail=field.detail) for field in fields],
    )
    return Response(problem.model_dump_json(), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def to_problem_response(error: CallOffError) -> Response:
    """Converts an error to its response. Only this function assigns HTTP statuses to errors."""
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    headers: dict[str, str] = {}
    if isinstance(error, RetryLater):
        headers["Retry-After"] = str(error.retry_after)
        status = error.status
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = error.challenge
    fields = error.fields if isinstance(error, InvalidInput) else ()
    detail = "the request has invalid fields; errors lists each of them" if fields else str(error)
    return build_problem_response(status, error.code, error.title, detail, fields=fields, headers=headers)


def to_caller_error(error: Exception) -> CallOffError | None:
    """Converts lock timeouts and transient errors to RetryLater; returns None for an internal error."""
    if isinstance(error, CallOffError):
        return error
    if is_lock_timeout(error):
        return _BUSY
    return _AWAY if is_transient(error) else None


_BUSY: Final = RetryLater("another request for the same subject is in progress; try again in a second", retry_after=1)
_AWAY: Final = RetryLater("a server that this request depends on does not answer; try again shortly", retry_after=2)


DESCRIBED: Final = {
    400: "The request is malformed",
    401: "The bearer token is missing or not valid",
    403: "The token's scope, council or provider does not allow this request",
    404: "The resource does not exist, or the caller may not see it",
    409: "The request conflicts with the current state; a late answer is recorded nevertheless",
    412: "The resource has changed: the ETag in If-Match is not the current one",
    413: "The body is too large",
    415: "The body is not uncompressed JSON in UTF-8",
    422: "Fields are invalid, or the Idempotency-Key was used with another request",
    428: "The If-Match header is missing; send the ETag of the version that you read",
    429: "The caller sends commands faster than its limit; Retry-After gives the seconds after which to go on",
    503: "Temporarily unavailable; Retry-After gives the seconds after which to try again",
}


_REF: Final = "#/components/schemas/{model}"


def build_problem_schemas() -> dict[str, Any]:
    """Returns the schemas that problem responses refer to, for the components of an OpenAPI document."""
    return models_json_schema([(Problem, "serialization")], ref_template=_REF)[1]["$defs"]


def describe_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describes the error responses of a route for OpenAPI; always includes 400, 401, 403, 413, 415, 422, 429, 503."""
    return {
        status: {
            "description": DESCRIBED[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
        }
        for status in sorted({400, 401, 403, 413, 415, 422, 429, 503, *statuses})
    }


def install_error_handlers(app: FastAPI, log: Logger) -> None:
    """Registers handlers that convert every error of `app` to a problem+json response."""

    async def respond_to_known_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, CallOffError)
        return to_problem_response(error)

    async def respond_to_invalid_request(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return to_problem_response(InvalidInput(*map(_to_field_error, _drop_derived_errors(error.errors()))))

    async def respond_to_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _build_http_problem(request, error)

    async def respond_to_unexpected_error(_: Request, error: Exception) -> Response:
        refusal = to_caller_error(error)
        if refusal is _AWAY:
            log.warning("request refused temporarily", error=type(error).__name__)
        if refusal is not None:
            return to_problem_response(refusal)
        # Only the type is logged: messages of database and validation errors contain submitted values.
        log.error("request failed", error=type(error).__name__)
        return build_problem_response(
            500,
            "internal-error",
            "Internal Server Error",
            "the request failed and the error is logged; try again later",
        )

    app.add_exception_handler(CallOffError, respond_to_known_error)
    app.add_exception_handler(RequestValidationError, respond_to_invalid_request)
    app.add_exception_handler(HTTPException, respond_to_http_error)
    for kind in (StatementRefused, ConnectionBroken, SQLAlchemyError, OSError, TimeoutError, Exception):
        app.add_exception_handler(kind, respond_to_unexpected_error)


def _build_http_problem(request: Request, error: HTTPException) -> Response:
    """Explains an error that Starlette and FastAPI report by its status only."""
    title = HTTPStatus(error.status_code).phrase
    detail, headers = str(error.detail), dict(error.headers or {})
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = "no resource has this path; /docs lists the paths of this service"
        if request.scope["path"].endswith("/"):
            detail = "no resource has this path; remove the slash at its end"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail, headers = explain_wrong_method(request)
    code = title.lower().replace(" ", "-")
    return build_problem_response(error.status_code, code, title, detail, headers=headers)


def _drop_derived_errors(errors: Sequence[Any]) -> list[Any]:  # pydantic's error dictionaries have no public type
    """Drops `too_short` errors of lists that have invalid items: pydantic does not count those items."""
    wrong_within = {error["loc"][:length] for error in errors for length in range(len(error["loc"]))}
    return [error for error in errors if error["type"] != "too_short" or error["loc"] not in wrong_within]


def _to_field_error(error: Any) -> FieldError:  # pydantic's error dictionaries have no public type
    """Converts a pydantic error to a FieldError without the submitted value."""
    where, *path = error["loc"]
    pointer = "#" + "".join(f"/{part}" for part in path) if where == "body" else f"{where}:{'/'.join(map(str, path))}"
    if error["type"] == "json_invalid":
        return FieldError("#", f"the body is not valid JSON: {error['ctx']['error']}")
    return FieldError(pointer, _describe_error(error))


def _describe_error(error: Any) -> str:  # pydantic's error dictionaries have no public type
    message = str(error["msg"])
    context = error.get("ctx", {})
    if error["type"] in {"enum", "literal_error"}:
        return f"must be one of {context.get('expected')}"
    if error["type"] == "union_tag_invalid":
        return f"must be one of {context.get('expected_tags')}"
    if error["type"] == "value_error":
        return message.removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return "is not a field of this request; remove it"
    if error["type"] == "missing":
        return "is missing"
    # Messages of parsing errors can quote the input after a colon; the expected format precedes it.
    return message.split(":", maxsplit=1)[0][:200]
