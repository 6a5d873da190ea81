"""Fetch limits: how long the broker holds a fetch, so that a busy consumer reads many records with one request."""

from dataclasses import dataclass
from typing import Final

BUSY_ABOVE: Final = 450
"""Records a second. Above this rate most fetches would return one or two records, and a fetch costs more than they."""
WINDOW: Final = 0.25
"""Seconds over which the rate is measured."""


@dataclass(frozen=True)
class FetchLimits:
    """The broker answers a fetch when it has `min_bytes` to return, and at the latest after `max_wait_ms`."""

    min_bytes: int
    max_wait_ms: int


AT_ONCE: Final = FetchLimits(min_bytes=1, max_wait_ms=2_000)
"""A fetch returns as soon as there is a record. The wait limits empty fetches only.

The longer it is, the less an idle consumer costs. After a rebalance a consumer cannot fetch before the broker has
answered the previous fetch, so a rebalance of an idle consumer takes up to `max_wait_ms` longer.
"""
BRIEFLY: Final = FetchLimits(min_bytes=100_000, max_wait_ms=10)
"""A fetch gathers the records of a few milliseconds."""


def build_gathering_limits(gather_ms: int) -> FetchLimits:
    """Returns limits by which each fetch gathers for `gather_ms`; a backlog is fetched without a wait."""
    return FetchLimits(min_bytes=500_000, max_wait_ms=gather_ms)


class AdaptiveLimits:
    """Chooses limits by the rate at which records arrive: each at once while few do, gathered while many do."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._records = 0
        self._limits = AT_ONCE

    def count(self, records: int, *, now: float) -> FetchLimits:
        """Counts records that were read at `now` (seconds on any steady clock); returns the limits to fetch with."""
        self._records += records
        elapsed = now - self._since
        if elapsed >= WINDOW:
            self._limits = BRIEFLY if self._records > BUSY_ABOVE * elapsed else AT_ONCE
            self._since, self._records = now, 0
        return self._limits
