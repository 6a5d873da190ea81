"""Fetch limits: how long the broker holds a fetch, so that a busy consumer reads many records with one request."""

from dataclasses import dataclass
from typing import Final

WINDOW: Final = 0.25
"""Seconds over which the rate of records is measured."""
_GATHERED_BYTES: Final = 500_000
"""A fetch that gathers returns early with so much: a backlog is fetched without a wait."""


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


@dataclass(frozen=True)
class Gathering:
    """While more than `above` records a second arrive, each fetch gathers for `milliseconds` (below 10,000)."""

    above: int
    milliseconds: int

    @property
    def limits(self) -> FetchLimits:
        return FetchLimits(_GATHERED_BYTES, self.milliseconds)


BRIEFLY: Final = Gathering(above=450, milliseconds=10)
"""For records whose effect somebody waits for: gathered only when most fetches would return one or two of them."""


class AdaptiveLimits:
    """Chooses limits by the rate at which records arrive: each at once while few do, gathered while many do."""

    def __init__(self, gathering: Gathering, now: float) -> None:
        self._gathering = gathering
        self._since = now
        self._records = 0
        self._limits = AT_ONCE

    def count(self, records: int, *, now: float) -> FetchLimits:
        """Counts records that were read at `now` (seconds on any steady clock); returns the limits to fetch with."""
        self._records += records
        elapsed = now - self._since
        if elapsed >= WINDOW:
            self._limits = self._gathering.limits if self._records > self._gathering.above * elapsed else AT_ONCE
            self._since, self._records = now, 0
        return self._limits
