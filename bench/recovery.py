"""Measures recovery from kill -9: the time until a referral posted after the kill has its first webhook."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bench.environment import BenchEnvironment
from bench.figures import FigureLine, NotMeasured, compute_count
from devstack.names import SOURCING

_RATE: Final = 10.0
_SECONDS: Final = 25.0
_KILLED_AFTER: Final = 3.0
_GOAL: Final = 15.0


@dataclass(frozen=True)
class Recovery:
    """Seconds from the kill to the first webhook of a referral posted after it."""

    service: float
    postgres: float
    kafka: float

    def to_numbers(self) -> Mapping[str, object]:
        return {"recovery_s": asdict(self)}

    def to_lines(self) -> Sequence[FigureLine]:
        seconds_by_part = {"sourcing": self.service, "PostgreSQL": self.postgres, "Kafka": self.kafka}
        return tuple(
            FigureLine(f"back after kill -9 of {name}", f"< {_GOAL:.0f} s", f"{seconds:.1f} s", seconds < _GOAL)
            for name, seconds in seconds_by_part.items()
        )


async def measure(environment: BenchEnvironment, share: float = 1.0) -> Recovery:
    """Measure the recovery. Raises NotMeasured if an accepted referral is never placed."""
    environment.receiver.answer = environment.accept
    stage, count = environment.stack, compute_count(int(_RATE * _SECONDS), share)
    return Recovery(
        service=await _measure_after_kill(environment, lambda: stage.programs[SOURCING].pid, count),
        postgres=await _measure_after_kill(environment, lambda: stage.config.postgres.pid, count),
        kafka=await _measure_after_kill(environment, lambda: stage.config.kafka.pid, count),
    )


async def _measure_after_kill(environment: BenchEnvironment, pid_of: Callable[[], int | None], count: int) -> float:
    posting = asyncio.ensure_future(environment.poster.post_at_rate(environment.poster.create_bodies(count), _RATE))
    await asyncio.sleep(_KILLED_AFTER)
    pid = pid_of()
    if pid is None:
        raise NotMeasured("what was to be killed does not run")
    os.kill(pid, signal.SIGKILL)
    killed_at = time.perf_counter()
    posted = await posting
    if not await environment.wait_for_event(posted, "PackagePlaced"):
        raise NotMeasured("not every referral that was taken in was placed within a minute")
    came = environment.receiver.first_offer_at
    after = [came[each.package_id] - killed_at for each in posted if each.posted_at > killed_at]
    if not after:
        raise NotMeasured("nothing was posted after the kill")
    return round(min(after), 2)
