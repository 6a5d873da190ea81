"""Problems: every error becomes a problem response with its status, type and title."""

import json

import pytest

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
from service_runtime.http.problems import BASE, MEDIA_TYPE, to_problem_response
from service_runtime.idempotency import IdempotencyKeyReused, RequestInProgress, SubjectParked


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput(FieldError("#/a", "is missing")), 422),
        (Unauthenticated("who?"), 401),
        (Forbidden("no"), 403),
        (NotFound("not there"), 404),
        (Conflict("it stands"), 409),
        (Unprocessable("cannot"), 422),
        (RetryLater("later", retry_after=3), 503),
        (SubjectParked("parked"), 409),
        (IdempotencyKeyReused("reused"), 422),
        (RequestInProgress("in progress", retry_after=1), 409),
        (CallOffError("whatever"), 500),
    ],
)
def test_each_error_has_its_status(error: CallOffError, status: int) -> None:
    response = to_problem_response(error)
    problem = json.loads(bytes(response.body))
    assert response.status_code == problem["status"] == status
    assert response.media_type == MEDIA_TYPE
    assert problem["type"] == BASE + error.code
    assert problem["title"] == error.title


def test_all_wrong_fields_are_named_at_once() -> None:
    problem = json.loads(bytes(to_problem_response(InvalidInput(FieldError("#/a", "x"), FieldError("?b", "y"))).body))
    assert problem["errors"] == [{"pointer": "#/a", "detail": "x"}, {"pointer": "?b", "detail": "y"}]


def test_a_temporary_error_has_a_retry_after_header() -> None:
    assert to_problem_response(RetryLater("later", retry_after=3)).headers["Retry-After"] == "3"


def test_an_unauthenticated_request_gets_the_authentication_scheme() -> None:
    assert to_problem_response(Unauthenticated("who?")).headers["WWW-Authenticate"] == "Bearer"
