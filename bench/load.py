"""The load of the machine, which is needed to compare figures of different runs."""

import os
import time
from dataclasses import dataclass
from typing import Final

_ROUNDS: Final = 1_000_000
_TRIES: Final = 3


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
        return cls(os.cpu_count() or 1, os.getloadavg()[0], round(min(_measure_loop() for _ in range(_TRIES)), 1))

    def __str__(self) -> str:
        loop = f"{_ROUNDS:,} rounds of plain Python take {self.loop_ms:.0f} ms"
        return f"{self.cores} cores, load {self.load_average:.1f}; {loop}"


def _measure_loop() -> float:
    begun, total = time.perf_counter(), 0
    for number in range(_ROUNDS):
        total += number & 7
    return 1000 * (time.perf_counter() - begun)
