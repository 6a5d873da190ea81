"""Whole chains: a referral, two declines, an acceptance, the placement, the order, three offers by webhook."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.costs import costs_of
from bench.figures import Line, NotMeasured, fewer
from bench.percentiles import Spread
from bench.posting import Posted
from bench.scene import Scene

LANES: Final = 24
"""Chains at a time."""
_GOAL: Final = 60
_WARM_UP: Final = 72
_COUNT: Final = 300
_ORDERED: Final = "PurchaseOrderIssued"
_STATISTICS_SETTLE: Final = 1.5
"""Seconds: PostgreSQL's backends report what they committed a little later."""


@dataclass(frozen=True)
class Chains:
    a_second: float
    took: Spread
    transactions: float
    cpu_ms: float
    cpu_ms_of: Mapping[str, float]
    """By process, of one chain."""

    def numbers(self) -> Mapping[str, object]:
        return {
            "chains_per_s": self.a_second,
            "transactions_per_chain": self.transactions,
            "cpu_ms_per_chain": self.cpu_ms,
        }

    def lines(self) -> Sequence[Line]:
        spent = ", ".join(f"{name} {ms:.1f}" for name, ms in sorted(self.cpu_ms_of.items(), key=lambda each: -each[1]))
        return (
            Line(
                f"whole chains, {LANES} at a time, two declines each",
                f"≥ {_GOAL} a second",
                f"{self.a_second:.1f} a second; {self.took}",
                self.a_second >= _GOAL,
            ),
            Line("a chain's transactions", "printed", f"{self.transactions:.1f}", True),
            Line("a chain's processor time", "printed", f"{self.cpu_ms:.1f} ms: {spent}", True),
        )


async def measure(scene: Scene, share: float = 1.0) -> Chains:
    """As many as the machine can, `LANES` at a time."""
    scene.listening.answer = scene.decline_twice
    await _run(scene, fewer(_WARM_UP, share))
    count = fewer(_COUNT, share)
    await asyncio.sleep(_STATISTICS_SETTLE)
    before = await costs_of(scene.stage)
    a_second, took = await _run(scene, count)
    await asyncio.sleep(_STATISTICS_SETTLE)
    spent = (await costs_of(scene.stage)).since(before)
    return Chains(
        a_second=a_second,
        took=took,
        transactions=round(spent.transactions / count, 1),
        cpu_ms=round(spent.milliseconds / count, 1),
        cpu_ms_of={name: round(1000 * seconds / count, 1) for name, seconds in spent.seconds.items()},
    )


async def _run(scene: Scene, count: int) -> tuple[float, Spread]:
    """How many were done a second, and how long each took."""
    of, bodies = scene.watching.of, scene.posting.bodies(count)

    async def until_ordered(posted: Posted) -> None:
        if not await scene.watching.until(lambda: _ORDERED in of[posted.package_id]):
            message = f"package {posted.package_id} was not ordered within a minute"
            raise NotMeasured(message)

    begun = time.perf_counter()
    posted = await scene.posting.side_by_side(bodies, LANES, until_ordered)
    a_second = round(count / (time.perf_counter() - begun), 1)
    return a_second, Spread.of([1000 * (of[each.package_id][_ORDERED].at - each.posted_at) for each in posted])
