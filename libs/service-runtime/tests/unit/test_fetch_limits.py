"""Fetch limits follow the rate at which records arrive."""

import pytest

from service_runtime.kafka.fetch_limits import AT_ONCE, BRIEFLY, BUSY_ABOVE, WINDOW, AdaptiveLimits, FetchLimits


def read_at_rate(limits: AdaptiveLimits, rate: float, *, begin: float) -> tuple[FetchLimits, float]:
    """Counts one window of reads, 25 a second; returns the limits after it, and when it ended."""
    reads = int(WINDOW * 25) + 1
    chosen = AT_ONCE
    for read in range(1, reads + 1):
        chosen = limits.count(round(rate / 25), now=begin + read / 25)
    return chosen, begin + reads / 25


@pytest.mark.parametrize(("rate", "expected"), [(0, AT_ONCE), (BUSY_ABOVE / 2, AT_ONCE), (BUSY_ABOVE * 2, BRIEFLY)])
def test_fetches_gather_while_many_records_arrive(rate: float, expected: FetchLimits) -> None:
    assert read_at_rate(AdaptiveLimits(now=100.0), rate, begin=100.0)[0] == expected


def test_records_are_delivered_at_once_again_after_a_burst() -> None:
    limits = AdaptiveLimits(now=0.0)
    busy, ended = read_at_rate(limits, BUSY_ABOVE * 4, begin=0.0)
    quiet, _ = read_at_rate(limits, BUSY_ABOVE / 4, begin=ended)
    assert (busy, quiet) == (BRIEFLY, AT_ONCE)


def test_a_single_burst_after_an_idle_time_is_no_high_rate() -> None:
    limits = AdaptiveLimits(now=0.0)
    assert limits.count(BUSY_ABOVE, now=60.0) == AT_ONCE
