"""Whether a load was sustained: everything posted on schedule was placed, and work did not pile up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_MAX_DELAY: Final = 0.5
"""Seconds by which a post may miss its schedule."""
_MAX_GROWTH: Final = 0.5
"""Seconds of load by which the referrals in progress may grow from the first third of the time to the last."""


@dataclass(frozen=True)
class ReferralTimes:
    """The times of one referral in seconds of one clock; `placed_at` is None if it was never placed."""

    posted_at: float
    placed_at: float | None


@dataclass(frozen=True)
class Backlog:
    """What became of a steady load.

    `delay` is the largest number of seconds by which a post missed its schedule. `growth` is the number of referrals in
    progress in the last third of the time, minus that in the first third, both as means.
    """

    rate: float
    unplaced: int
    delay: float
    growth: float

    @classmethod
    def from_times(cls, times: Sequence[ReferralTimes], rate: float) -> "Backlog":
        """Evaluate referrals in the order in which they were to be posted."""
        first = times[0].posted_at
        return cls(
            rate,
            sum(each.placed_at is None for each in times),
            max(each.posted_at - (first + number / rate) for number, each in enumerate(times)),
            _compute_growth(times),
        )

    @property
    def is_sustained(self) -> bool:
        return not self.list_faults()

    def list_faults(self) -> list[str]:
        """Describe why the load was not sustained; empty if it was."""
        found = list[str]()
        if self.unplaced:
            found.append(f"{self.unplaced} were not placed")
        if self.delay > _MAX_DELAY:
            found.append(f"posts were {self.delay:.1f} s late")
        if self.growth > _MAX_GROWTH * self.rate:
            found.append(f"the queue grew by {self.growth:.0f}")
        return found

    def to_numbers(self) -> Mapping[str, object]:
        return {"sustained": self.is_sustained, "unplaced": self.unplaced, "queue_growth": round(self.growth, 1)}


def _compute_growth(times: Sequence[ReferralTimes]) -> float:
    begun, ended = times[0].posted_at, max(each.posted_at for each in times)
    third = (ended - begun) / 3
    return _compute_mean_in_progress(times, ended - third, ended) - _compute_mean_in_progress(
        times, begun, begun + third
    )


def _compute_mean_in_progress(times: Sequence[ReferralTimes], begin: float, end: float) -> float:
    """Return the mean number of referrals that were posted and not yet placed."""
    if end <= begin:
        return 0.0
    inside = sum(
        max(0.0, min(end, end if each.placed_at is None else each.placed_at) - max(begin, each.posted_at))
        for each in times
    )
    return inside / (end - begin)
