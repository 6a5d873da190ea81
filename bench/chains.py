"""Measures whole chains: a referral, two declines, an acceptance, the placement, the order and three webhooks."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.costs import Costs, measure_costs
from bench.environment import BenchEnvironment
from bench.figures import FigureLine, NotMeasured, compute_count
from bench.percentiles import Percentiles
from bench.referral_poster import PostedReferral
from bench.statement_counts import count_statements

CONCURRENCY: Final = 50
"""Chains in progress at one time."""
GOAL: Final = 75
MINIMUM: Final = 50
CPU_GOAL: Final = 26
CPU_MINIMUM: Final = 36
"""Milliseconds of processor time of one chain."""
_WARM_UP: Final = 150
_COUNT: Final = 500
_COUNTED: Final = 150
"""Chains whose statements are counted; they run apart, because counting costs processor time."""
_ORDERED: Final = "PurchaseOrderIssued"
_STATISTICS_SETTLE: Final = 1.5
"""Seconds until PostgreSQL's backends have reported their commits."""


@dataclass(frozen=True)
class ChainStatements:
    """Statements of one chain: `sent` by clients, and `executed` with those inside functions and triggers."""

    sent: float
    executed: float


@dataclass(frozen=True)
class ChainRun:
    """Chains that ran together, and what they cost as a whole."""

    count: int
    per_second: float
    duration: Percentiles
    costs: Costs

    @property
    def cpu_ms(self) -> float:
        """Processor time of one chain in milliseconds."""
        return round(self.costs.milliseconds / self.count, 1)


@dataclass(frozen=True)
class Chains:
    per_second: float
    duration: Percentiles
    transactions: float
    cpu_ms: float
    cpu_ms_by_process: Mapping[str, float]
    """Processor time of one chain by process."""
    statements: ChainStatements | None = None
    """None where PostgreSQL has no pg_stat_statements."""

    def to_numbers(self) -> Mapping[str, object]:
        statements = self.statements
        return {
            "chains_per_s": self.per_second,
            "transactions_per_chain": self.transactions,
            "statements_per_chain": statements.executed if statements else None,
            "statements_sent_per_chain": statements.sent if statements else None,
            "cpu_ms_per_chain": self.cpu_ms,
            "cpu_ms_per_chain_by_process": self.cpu_ms_by_process,
        }

    def to_lines(self) -> Sequence[FigureLine]:
        return (
            FigureLine(
                f"whole chains, {CONCURRENCY} at a time, two declines each",
                f"≥ {GOAL} a second",
                f"{self.per_second:.1f} a second; {self.duration}",
                self.per_second >= GOAL,
                acceptable=f"{MINIMUM}",
                is_acceptable=self.per_second >= MINIMUM,
            ),
            FigureLine(
                "a chain's processor time",
                f"≤ {CPU_GOAL} ms",
                f"{self.cpu_ms:.1f} ms: {self._describe_processes()}",
                self.cpu_ms <= CPU_GOAL,
                acceptable=f"{CPU_MINIMUM} ms",
                is_acceptable=self.cpu_ms <= CPU_MINIMUM,
            ),
            FigureLine("a chain's transactions", "printed", f"{self.transactions:.1f}", True),
            FigureLine("a chain's statements", "printed", self._describe_statements(), True),
        )

    def _describe_processes(self) -> str:
        ordered = sorted(self.cpu_ms_by_process.items(), key=lambda each: -each[1])
        return ", ".join(f"{name} {ms:.1f}" for name, ms in ordered)

    def _describe_statements(self) -> str:
        """The exchanges of messages are not counted as such; the executions that clients sent stand for them."""
        if self.statements is None:
            return "not counted: PostgreSQL has no pg_stat_statements"
        sent, executed = self.statements.sent, self.statements.executed
        return f"{sent:.1f} sent by clients, a round trip each; {executed:.1f} with those inside functions"


async def measure(environment: BenchEnvironment, share: float = 1.0) -> Chains:
    """Run chains as fast as the machine can, a fixed number at a time."""
    await run_chains(environment, compute_count(_WARM_UP, share))
    run = await measure_run(environment, compute_count(_COUNT, share))
    return Chains(
        per_second=run.per_second,
        duration=run.duration,
        transactions=round(run.costs.transactions / run.count, 1),
        cpu_ms=run.cpu_ms,
        cpu_ms_by_process={name: round(1000 * spent / run.count, 1) for name, spent in run.costs.seconds.items()},
        statements=await _count_statements(environment, compute_count(_COUNTED, share)),
    )


async def measure_run(environment: BenchEnvironment, count: int) -> ChainRun:
    """Run chains and measure their speed and costs."""
    await asyncio.sleep(_STATISTICS_SETTLE)
    before = await measure_costs(environment.stack)
    per_second, duration = await run_chains(environment, count)
    await asyncio.sleep(_STATISTICS_SETTLE)
    return ChainRun(count, per_second, duration, (await measure_costs(environment.stack)).subtract(before))


async def run_chains(environment: BenchEnvironment, count: int) -> tuple[float, Percentiles]:
    """Return the chains per second and the duration of each chain."""
    environment.receiver.answer = environment.decline_twice
    events, bodies = environment.reader.events, environment.poster.create_bodies(count)

    async def wait_for_order(posted: PostedReferral) -> None:
        if not await environment.reader.wait_until(lambda: _ORDERED in events[posted.package_id]):
            message = f"package {posted.package_id} was not ordered within a minute"
            raise NotMeasured(message)

    begun = time.perf_counter()
    posted = await environment.poster.post_concurrently(bodies, CONCURRENCY, wait_for_order)
    per_second = round(count / (time.perf_counter() - begun), 1)
    return per_second, Percentiles.from_samples(
        [1000 * (events[each.package_id][_ORDERED].at - each.posted_at) for each in posted]
    )


async def _count_statements(environment: BenchEnvironment, count: int) -> ChainStatements | None:
    async with count_statements(environment.stack.config.postgres) as counting:
        await run_chains(environment, count)
        await asyncio.sleep(_STATISTICS_SETTLE)
    counts = counting.counts
    return counts and ChainStatements(round(counts.sent / count, 1), round(counts.executed / count, 1))
