"""Database errors: which are transient and which are permanent."""

import pytest

from service_runtime.http.problems import to_caller_error
from service_runtime.postgres.errors import (
    TRANSIENT,
    ConnectionBroken,
    StatementRefused,
    is_transient,
    needs_new_connection,
)

TRANSIENT_STATES = (
    *("08000", "08001", "08003", "08004", "08006", "08007", "08P01"),
    *("53000", "53100", "53200", "53300", "53400"),
    *("57014", "57P01", "57P02", "57P03", "57P04", "57P05"),
    *("58000", "58030", "58P01"),
    *("28000", "28P01", "3D000"),
    *("25006", "25P03", "25P04", "26000"),
    *("40001", "40003", "40P01", "55P03", "55006"),
)
PERMANENT_STATES = (
    *("", "0A000", "22001", "22003", "22021", "22P02", "22P05"),
    *("23502", "23503", "23505", "23514", "23P01"),
    *("25000", "25001", "25P01", "25P02", "40000", "40002"),
    *("42501", "42601", "42703", "42804", "42883", "42P01", "42P05"),
    *("54000", "54001", "55000", "57000", "P0001", "CO001", "XX000", "XX001", "XX002"),
)


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError(), ConnectionBroken("it is closed")])
def test_an_unreachable_or_slow_database_is_transient(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("code", TRANSIENT_STATES)
def test_a_refusal_that_ends_by_waiting_is_transient_and_answered_with_retry_after(code: str) -> None:
    refused = StatementRefused("the server refused", code)
    assert is_transient(refused)
    answer = to_caller_error(refused)
    assert answer is not None
    assert getattr(answer, "retry_after", 0) > 0


@pytest.mark.parametrize("code", PERMANENT_STATES)
def test_a_refusal_of_the_work_itself_is_not_transient(code: str) -> None:
    assert not is_transient(StatementRefused("the server refused", code))
    assert to_caller_error(StatementRefused("the server refused", code)) is None


@pytest.mark.parametrize("error", [ValueError(), KeyError(), AssertionError()])
def test_an_error_of_the_program_is_not_transient(error: Exception) -> None:
    assert not is_transient(error)


def test_every_entry_of_the_table_is_tried_here() -> None:
    assert [start for start in TRANSIENT if not any(code.startswith(start) for code in TRANSIENT_STATES)] == []


@pytest.mark.parametrize(
    ("code", "is_replaced"), [("25006", True), ("26000", True), ("40001", False), ("53100", False)]
)
def test_a_connection_to_a_server_that_cannot_do_the_work_is_replaced(code: str, *, is_replaced: bool) -> None:
    assert needs_new_connection(StatementRefused("the server refused", code)) is is_replaced
