"""Every error of the tree becomes the problem it stands for, in one place."""

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
from service_runtime.idempotency import IdempotencyKeyReused, KeyParked, RequestInProgress


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
        (KeyParked("parked"), 409),
        (IdempotencyKeyReused("reused"), 422),
        (RequestInProgress("twin", retry_after=1), 409),
        (CallOffError("whatever"), 500),
    ],
)
def test_each_error_has_its_status(error: CallOffError, status: int) -> None:
    response = to_problem_response(error)
    said = json.loads(bytes(response.body))
    assert response.status_code == said["status"] == status
    assert response.media_type == MEDIA_TYPE
    assert said["type"] == BASE + error.code
    assert said["title"] == error.title


def test_all_wrong_fields_are_named_at_once() -> None:
    said = json.loads(bytes(to_problem_response(InvalidInput(FieldError("#/a", "x"), FieldError("?b", "y"))).body))
    assert said["errors"] == [{"pointer": "#/a", "detail": "x"}, {"pointer": "?b", "detail": "y"}]


def test_what_can_be_asked_again_says_when() -> None:
    assert to_problem_response(RetryLater("later", retry_after=3)).headers["Retry-After"] == "3"


def test_whoever_is_unknown_is_told_how_to_identify() -> None:
    assert to_problem_response(Unauthenticated("who?")).headers["WWW-Authenticate"] == "Bearer"
