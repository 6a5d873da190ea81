"""Measures the processor time that the whole stack uses while nothing happens."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.costs import measure_processor_time
from bench.environment import BenchEnvironment
from bench.figures import FigureLine

_SECONDS: Final = 20.0
_SETTLE: Final = 3.0
"""Seconds after the bench's own reader has left Kafka."""
_GOAL: Final = 3.0
_MINIMUM: Final = 6.0


@dataclass(frozen=True)
class IdleUse:
    """Percent of one core by process."""

    percent_by_process: Mapping[str, float]

    @property
    def percent(self) -> float:
        return round(sum(self.percent_by_process.values()), 2)

    def to_numbers(self) -> Mapping[str, object]:
        return {"idle_core_percent": self.percent, "idle_core_percent_by_process": self.percent_by_process}

    def to_lines(self) -> Sequence[FigureLine]:
        parts = ", ".join(
            f"{name} {percent:.1f}"
            for name, percent in sorted(self.percent_by_process.items(), key=lambda each: -each[1])
        )
        return (
            FigureLine(
                "idle, share of a core",
                f"< {_GOAL:.0f}%",
                f"{self.percent:.1f}%: {parts}",
                self.percent < _GOAL,
                acceptable=f"{_MINIMUM:.0f}%",
                is_acceptable=self.percent < _MINIMUM,
            ),
        )


async def measure(environment: BenchEnvironment, share: float = 1.0) -> IdleUse:
    """Measure the idle stack without the bench's own consumer."""
    async with environment.pause_reader():
        await asyncio.sleep(_SETTLE)
        before, begun = measure_processor_time(environment.stack), time.perf_counter()
        await asyncio.sleep(max(1.0, _SECONDS * share))
        after, seconds = measure_processor_time(environment.stack), time.perf_counter() - begun
    return IdleUse({name: round(100 * (used - before[name]) / seconds, 2) for name, used in after.items()})
