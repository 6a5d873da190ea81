"""Rate limit of commands: a token bucket for each caller, in the memory of the process.

It keeps one caller from using up a service that all share. Its defaults are far above normal use.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from contracts.errors import TooManyRequests

MAX_CALLERS: Final = 10_000
"""Callers that are remembered; the one that was quiet for longest is dropped, and begins with a full bucket."""


class CommandRateLimit:
    """Allows each caller `burst` commands at once and `per_second` in the long run."""

    def __init__(self, *, per_second: float, burst: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By caller: the commands left, and when they were counted."""

    def take(self, caller: str) -> None:
        """Counts one command. Raises TooManyRequests with the seconds after which the next one is allowed."""
        now = self._monotonic()
        left, counted_at = self._buckets.pop(caller, (float(self._burst), now))
        left = min(self._burst, left + (now - counted_at) * self._per_second)
        self._buckets[caller] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > MAX_CALLERS:
            self._buckets.popitem(last=False)
        if left < 1:
            message = (
                f"this caller sends more than {self._per_second:g} commands a second; "
                "wait for the seconds in Retry-After and send them more slowly"
            )
            raise TooManyRequests(message, retry_after=max(1, math.ceil((1 - left) / self._per_second)))
