"""Measures whole chains: a referral, two declines, an acceptance, the placement, the order and three webhooks."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.costs import measure_costs
from bench.environment import BenchEnvironment
from bench.figures import FigureLine, NotMeasured, compute_count
from bench.percentiles import Percentiles
from bench.referral_poster import PostedReferral

CONCURRENCY: Final = 24
"""Chains in progress at one time."""
_GOAL: Final = 60
_WARM_UP: Final = 72
_COUNT: Final = 300
_ORDERED: Final = "PurchaseOrderIssued"
_STATISTICS_SETTLE: Final = 1.5
"""Seconds until PostgreSQL's backends have reported their commits."""


@dataclass(frozen=True)
class Chains:
    per_second: float
    duration: Percentiles
    transactions: float
    cpu_ms: float
    cpu_ms_by_process: Mapping[str, float]
    """Processor time of one chain by process."""

    def to_numbers(self) -> Mapping[str, object]:
        return {
            "chains_per_s": self.per_second,
            "transactions_per_chain": self.transactions,
            "cpu_ms_per_chain": self.cpu_ms,
        }

    def to_lines(self) -> Sequence[FigureLine]:
        spent = ", ".join(
            f"{name} {ms:.1f}" for name, ms in sorted(self.cpu_ms_by_process.items(), key=lambda each: -each[1])
        )
        return (
            FigureLine(
                f"whole chains, {CONCURRENCY} at a time, two declines each",
                f"≥ {_GOAL} a second",
                f"{self.per_second:.1f} a second; {self.duration}",
                self.per_second >= _GOAL,
            ),
            FigureLine("a chain's transactions", "printed", f"{self.transactions:.1f}", True),
            FigureLine("a chain's processor time", "printed", f"{self.cpu_ms:.1f} ms: {spent}", True),
        )


async def measure(environment: BenchEnvironment, share: float = 1.0) -> Chains:
    """Run chains as fast as the machine can, a fixed number at a time."""
    environment.receiver.answer = environment.decline_twice
    await _run(environment, compute_count(_WARM_UP, share))
    count = compute_count(_COUNT, share)
    await asyncio.sleep(_STATISTICS_SETTLE)
    before = await measure_costs(environment.stack)
    a_second, took = await _run(environment, count)
    await asyncio.sleep(_STATISTICS_SETTLE)
    spent = (await measure_costs(environment.stack)).subtract(before)
    return Chains(
        per_second=a_second,
        duration=took,
        transactions=round(spent.transactions / count, 1),
        cpu_ms=round(spent.milliseconds / count, 1),
        cpu_ms_by_process={name: round(1000 * seconds / count, 1) for name, seconds in spent.seconds.items()},
    )


async def _run(environment: BenchEnvironment, count: int) -> tuple[float, Percentiles]:
    """Return the chains per second and the duration of each chain."""
    events, bodies = environment.reader.events, environment.poster.create_bodies(count)

    async def wait_for_order(posted: PostedReferral) -> None:
        if not await environment.reader.wait_until(lambda: _ORDERED in events[posted.package_id]):
            message = f"package {posted.package_id} was not ordered within a minute"
            raise NotMeasured(message)

    begun = time.perf_counter()
    posted = await environment.poster.post_concurrently(bodies, CONCURRENCY, wait_for_order)
    a_second = round(count / (time.perf_counter() - begun), 1)
    return a_second, Percentiles.from_samples(
        [1000 * (events[each.package_id][_ORDERED].at - each.posted_at) for each in posted]
    )
