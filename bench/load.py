"""The machine and its load, which are needed to compare figures of different runs."""

import os
from dataclasses import dataclass

from bench.calibration import LOOP_ROUNDS, time_loops


@dataclass(frozen=True)
class MachineLoad:
    """`loop_ms` is the duration of a fixed loop of plain Python, which shows the current speed of one core."""

    cores: int
    load_average: float
    """The load average of the last minute."""
    loop_ms: float

    @classmethod
    def measure(cls) -> "MachineLoad":
        """Measure the load; the loop's time is the best of several attempts."""
        return cls(os.cpu_count() or 1, os.getloadavg()[0], round(min(time_loops()), 1))

    def __str__(self) -> str:
        loop = f"{LOOP_ROUNDS:,} rounds of plain Python take {self.loop_ms:.0f} ms"
        return f"{self.cores} cores, load {self.load_average:.1f}; {loop}"
