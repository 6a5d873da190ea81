"""Fetch limits follow the rate at which records arrive."""

import pytest

from service_runtime.kafka.fetch_limits import AT_ONCE, WINDOW, AdaptiveLimits, FetchLimits, Gathering

GATHERING = Gathering(above=400, milliseconds=10)


def read_at_rate(limits: AdaptiveLimits, rate: float, *, begin: float) -> tuple[FetchLimits, float]:
    """Counts one window of reads, 25 a second; returns the limits after it, and when it ended."""
    reads = int(WINDOW * 25) + 1
    chosen = AT_ONCE
    for read in range(1, reads + 1):
        chosen = limits.count(round(rate / 25), now=begin + read / 25)
    return chosen, begin + reads / 25


@pytest.mark.parametrize(("rate", "expected"), [(0, AT_ONCE), (200, AT_ONCE), (800, GATHERING.limits)])
def test_fetches_gather_while_many_records_arrive(rate: float, expected: FetchLimits) -> None:
    assert read_at_rate(AdaptiveLimits(GATHERING, now=100.0), rate, begin=100.0)[0] == expected


def test_records_are_delivered_at_once_again_after_a_burst() -> None:
    limits = AdaptiveLimits(GATHERING, now=0.0)
    busy, ended = read_at_rate(limits, 1_600, begin=0.0)
    quiet, _ = read_at_rate(limits, 100, begin=ended)
    assert (busy, quiet) == (GATHERING.limits, AT_ONCE)


def test_a_single_burst_after_an_idle_time_is_no_high_rate() -> None:
    limits = AdaptiveLimits(GATHERING, now=0.0)
    assert limits.count(400, now=60.0) == AT_ONCE
