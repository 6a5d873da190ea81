"""Webhook retries: delays grow, follow Retry-After, and never exceed the delivery's deadline."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from service_runtime.webhooks.config import Limits
from service_runtime.webhooks.retries import (
    LONGEST_RETRY_AFTER,
    compute_next_attempt,
    find_retry_after,
    parse_retry_after,
)
from service_runtime.webhooks.sending import REQUEST_TIMEOUT

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def compute_delay(attempt: int, *, chance: float = 0.0, give_up_in: timedelta = 60 * MINUTE) -> timedelta:
    at = compute_next_attempt(attempt=attempt, now=NOON, give_up_at=NOON + give_up_in, retry_after=None, chance=chance)
    return at - NOON


def test_delays_double_up_to_five_minutes() -> None:
    assert [compute_delay(attempt).total_seconds() for attempt in (1, 2, 3, 4, 9, 10, 500)] == [
        1,
        2,
        4,
        8,
        256,
        300,
        300,
    ]


def test_chance_shortens_a_delay_by_up_to_half() -> None:
    assert compute_delay(3, chance=1.0) == timedelta(seconds=2)


def test_an_attempt_that_would_come_too_late_is_made_just_before_the_deadline() -> None:
    assert compute_delay(8, give_up_in=MINUTE) == timedelta(seconds=50)


def test_a_delivery_without_time_for_an_attempt_is_due_at_its_deadline() -> None:
    assert compute_delay(8, give_up_in=timedelta(seconds=9)) == timedelta(seconds=9)


@pytest.mark.parametrize("retry_after", [timedelta(0), timedelta(seconds=-5), timedelta(seconds=3)])
def test_retry_after_never_shortens_the_backoff(retry_after: timedelta) -> None:
    at = compute_next_attempt(attempt=4, now=NOON, give_up_at=NOON + MINUTE, retry_after=retry_after, chance=0.0)
    assert at == NOON + timedelta(seconds=8)


def test_the_longest_of_several_retry_after_headers_counts() -> None:
    assert find_retry_after(["5", "soon", "40", "0"]) == timedelta(seconds=40)
    assert find_retry_after(["soon"]) is None


def test_retry_after_is_honoured_up_to_the_deadline() -> None:
    retry_after = timedelta(seconds=30)
    assert (
        compute_next_attempt(attempt=1, now=NOON, give_up_at=NOON + MINUTE, retry_after=retry_after)
        == NOON + retry_after
    )
    assert compute_next_attempt(attempt=1, now=NOON, give_up_at=NOON + MINUTE, retry_after=9 * MINUTE) == NOON + MINUTE


@given(
    attempt=some.integers(1, 1000),
    give_up_in=some.timedeltas(min_value=timedelta(0), max_value=timedelta(days=1)),
    retry_after=some.none() | some.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9)),
    chance=some.floats(0, 1),
)
def test_no_attempt_is_before_now_or_after_the_deadline(
    attempt: int, give_up_in: timedelta, retry_after: timedelta | None, chance: float
) -> None:
    end = NOON + give_up_in
    assert (
        NOON
        <= compute_next_attempt(attempt=attempt, now=NOON, give_up_at=end, retry_after=retry_after, chance=chance)
        <= end
    )


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", timedelta(0)),
        ("7", timedelta(seconds=7)),
        ("99999999999999999999", LONGEST_RETRY_AFTER),
        ("Mon, 02 Mar 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Mon, 02 Mar 2026 11:00:00 GMT", timedelta(0)),
        ("Tue, 03 Mar 2026 12:00:00 GMT", LONGEST_RETRY_AFTER),
        ("Mon, 02 Mar 2026 12:00:30 -0000", timedelta(seconds=30)),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("", None),
        ("1e400", None),
        ("9" * 400, LONGEST_RETRY_AFTER),
        ("0" * 20 + "7", timedelta(seconds=7)),
        ("Fri, 99999999999 Dec 2026 00:00:00 GMT", None),
        ("Fri, 01 Dec 99999999999 00:00:00 GMT", None),
        ("Fri, 01 Dec 2026 00:00:00 +999999999", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", timedelta(0)),
        ("\udcff\udcfe", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, wait: timedelta | None) -> None:
    assert parse_retry_after(header, now=NOON) == wait


def test_a_lease_that_is_not_longer_than_a_request_is_refused() -> None:
    assert Limits().lease > timedelta(seconds=REQUEST_TIMEOUT)
    with pytest.raises(ValueError, match="must be longer than a request"):
        Limits(request=5, lease=timedelta(seconds=5))
