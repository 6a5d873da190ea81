"""On what machine, beside what else: without that, figures of two days cannot be compared."""

import os
import time
from dataclasses import dataclass
from typing import Final

_ROUNDS: Final = 1_000_000
_TRIES: Final = 3


@dataclass(frozen=True)
class MachineLoad:
    """`loop_ms` is how long a fixed loop of plain Python takes here: how fast one core is, as it is shared now."""

    cores: int
    load_average: float
    """How many processes wanted a core, on average of the last minute."""
    loop_ms: float

    @classmethod
    def measure(cls) -> "MachineLoad":
        """The best of some tries."""
        return cls(os.cpu_count() or 1, os.getloadavg()[0], round(min(_time_loop() for _ in range(_TRIES)), 1))

    def __str__(self) -> str:
        loop = f"{_ROUNDS:,} rounds of plain Python take {self.loop_ms:.0f} ms"
        return f"{self.cores} cores, load {self.load_average:.1f}; {loop}"


def _time_loop() -> float:
    begun, total = time.perf_counter(), 0
    for number in range(_ROUNDS):
        total += number & 7
    return 1000 * (time.perf_counter() - begun)
