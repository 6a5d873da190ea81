"""When the owner of a failing endpoint is notified, and when the endpoint is disabled."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service_runtime.webhooks.endpoint_health import (
    EndpointAnswer,
    EndpointHealth,
    FailureTerms,
    Verdict,
    assess,
)
from testkit.clocks import MONDAY_NINE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TERMS = FailureTerms("owners", notice_after=DAY, disable_after=5 * DAY)


def a_health(*, last_failure: timedelta, notice: timedelta | None = None) -> EndpointHealth:
    """The health of an endpoint that fails since Monday at nine; other instants count from then."""
    answers = (EndpointAnswer(MONDAY_NINE + last_failure, 500, "status 500", timedelta(seconds=1)),)
    notice_at = None if notice is None else MONDAY_NINE + notice
    return EndpointHealth(MONDAY_NINE, notice_at, has_succeeded=False, others_fail_too=False, answers=answers)


@pytest.mark.parametrize(
    ("health", "after", "verdict"),
    [
        (a_health(last_failure=20 * HOUR), 23 * HOUR, Verdict.WAIT),
        (a_health(last_failure=20 * HOUR), DAY, Verdict.NOTIFY),
        (a_health(last_failure=HOUR), DAY, Verdict.WAIT),
        (a_health(last_failure=2 * DAY, notice=DAY), 6 * DAY - HOUR, Verdict.WAIT),
        (a_health(last_failure=2 * DAY, notice=DAY), 6 * DAY, Verdict.DISABLE),
        (a_health(last_failure=20 * HOUR, notice=DAY), 9 * DAY, Verdict.WAIT),
    ],
)
def test_an_endpoint_is_announced_after_repeated_failure_and_disabled_if_it_fails_on(
    health: EndpointHealth, after: timedelta, verdict: Verdict
) -> None:
    assert assess(health, TERMS, now=MONDAY_NINE + after) is verdict


@pytest.mark.parametrize("notice", [None, DAY])
def test_a_success_ends_the_failure(notice: timedelta | None) -> None:
    health = replace(a_health(last_failure=2 * DAY, notice=notice), has_succeeded=True)
    assert assess(health, TERMS, now=MONDAY_NINE + 9 * DAY) is Verdict.RECOVERED


@pytest.mark.parametrize("notice", [None, DAY])
def test_nobody_is_blamed_while_nothing_arrives_anywhere(notice: timedelta | None) -> None:
    health = replace(a_health(last_failure=2 * DAY, notice=notice), others_fail_too=True)
    assert assess(health, TERMS, now=MONDAY_NINE + 9 * DAY) is Verdict.WAIT
