"""Database errors: which are transient and which are permanent."""

import pytest

from service_runtime.postgres.database import ConnectionBroken, StatementRefused, is_transient


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        ConnectionBroken("it is closed"),
        StatementRefused("the server is shutting down", sqlstate="57P01"),
        StatementRefused("two waited for each other", sqlstate="40P01"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_unreachable_full_or_slow_database_is_transient(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", [ValueError(), KeyError(), StatementRefused("it is there already", sqlstate="23505")])
def test_an_error_of_the_work_itself_is_not_transient(error: Exception) -> None:
    assert not is_transient(error)
