"""Calibration: whether the machine was calm enough during a measurement to believe its figures."""

import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psutil

LOOP_ROUNDS: Final = 1_000_000
LOOP_TRIES: Final = 5
"""Loops before and again after a measurement."""
_MAX_VARIATION: Final = 0.25
_MAX_OTHER_CORES: Final = 0.1


@dataclass(frozen=True)
class Calibration:
    """The machine around one measurement.

    `loop_ms` holds the durations of a fixed loop of plain Python in milliseconds, timed before and after the
    measurement. `other_cores` is the number of cores that processes outside the stack and the bench used meanwhile.
    """

    loop_ms: Sequence[float]
    other_cores: float

    @property
    def variation(self) -> float:
        """How much longer the loop took than its fastest run, without the slowest, which may be an accident."""
        ordered = sorted(self.loop_ms)
        return ordered[max(len(ordered) - 2, 0)] / ordered[0] - 1

    @property
    def is_calm(self) -> bool:
        return not self.list_disturbances()

    def list_disturbances(self) -> list[str]:
        """Describe what speaks against the figures; empty on a calm machine."""
        found = list[str]()
        if self.variation > _MAX_VARIATION:
            found.append(f"the speed of the machine varied by {self.variation:.0%}")
        if self.other_cores > _MAX_OTHER_CORES:
            found.append(f"other processes used {self.other_cores:.2f} cores")
        return found

    def to_numbers(self) -> Mapping[str, object]:
        return {
            "loop_ms": [round(min(self.loop_ms), 1), round(max(self.loop_ms), 1)],
            "other_cores": round(self.other_cores, 2),
            "calm": self.is_calm,
        }

    def __str__(self) -> str:
        return f"{min(self.loop_ms):.0f}–{max(self.loop_ms):.0f} ms"


@dataclass(frozen=True)
class CalibrationStart:
    """The state of the machine before a measurement."""

    loop_ms: Sequence[float]
    other_seconds: float
    at: float

    @classmethod
    def measure(cls) -> "CalibrationStart":
        return cls(time_loops(), measure_processor_time_without(list_own_processes()), time.monotonic())

    def finish(self) -> Calibration:
        """Measure again and compare. The stack should be idle, because the loop shares its cores."""
        used = max(0.0, measure_processor_time_without(list_own_processes()) - self.other_seconds)
        return Calibration((*self.loop_ms, *time_loops()), used / (time.monotonic() - self.at))


def time_loops(tries: int = LOOP_TRIES) -> tuple[float, ...]:
    """Return the durations of the fixed loop in milliseconds."""
    return tuple(_time_loop() for _ in range(tries))


def _time_loop() -> float:
    begun, total = time.perf_counter(), 0
    for number in range(LOOP_ROUNDS):
        total += number & 7
    return 1000 * (time.perf_counter() - begun)


def list_own_processes() -> frozenset[int]:
    """Return the ids of this process and its descendants: the bench and the stack."""
    return frozenset((os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))))


def measure_processor_time_without(excluded: Collection[int]) -> float:
    """Return the processor time in seconds of all processes of the machine that are not excluded.

    Ended processes count through their parents, so that a series of short programs is not missed.
    """
    total = 0.0
    for process in psutil.process_iter():
        if process.pid in excluded:
            continue
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
