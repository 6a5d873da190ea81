"""Percentiles of measured durations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Percentiles:
    """Percentiles in milliseconds of `count` samples."""

    p50: float
    p99: float
    count: int

    @classmethod
    def from_samples(cls, milliseconds: Sequence[float]) -> "Percentiles":
        """Compute percentiles. Raises ValueError without samples."""
        if not milliseconds:
            raise ValueError("nothing was measured")
        ordered = sorted(milliseconds)
        return cls(_pick_percentile(ordered, 0.5), _pick_percentile(ordered, 0.99), len(ordered))

    def is_below(self, *, p50: float | None = None, p99: float | None = None) -> bool:
        """Return whether the percentiles are below their goals; a goal of None is met."""
        return (p50 is None or self.p50 < p50) and (p99 is None or self.p99 < p99)

    def to_numbers(self) -> Mapping[str, float]:
        return {"p50": self.p50, "p99": self.p99}

    def __str__(self) -> str:
        return f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms"


def _pick_percentile(ordered: Sequence[float], share: float) -> float:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 2)
