"""Costs: the processor time of every process of the stack, and the committed transactions."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psutil

from bench.databases import connect
from simulator.stack import ServiceStack

_COMMITS: Final = "SELECT sum(xact_commit)::bigint FROM pg_stat_database WHERE datname <> 'postgres'"
_IDLE_THRESHOLD: Final = 0.25
"""Share of one core that an idle stack may use."""
_IDLE_TIMEOUT: Final = 120.0


@dataclass(frozen=True)
class Costs:
    """Seconds of processor time by process since its start, and transactions since the databases' start."""

    seconds: Mapping[str, float]
    transactions: int

    def subtract(self, earlier: "Costs") -> "Costs":
        spent = {name: seconds - earlier.seconds.get(name, 0.0) for name, seconds in self.seconds.items()}
        return Costs(spent, self.transactions - earlier.transactions)

    @property
    def milliseconds(self) -> float:
        return 1000 * sum(self.seconds.values())


async def measure_costs(stack: ServiceStack) -> Costs:
    """Read the counters. The measuring process, which simulates councils and providers, is not included."""
    async with connect(stack.config.postgres) as connection:
        return Costs(measure_processor_time(stack), await connection.fetchval(_COMMITS))


async def wait_until_idle(stack: ServiceStack) -> bool:
    """Wait until the stack is idle, so that one measurement does not affect the next."""
    give_up, before = time.monotonic() + _IDLE_TIMEOUT, measure_processor_time(stack)
    while time.monotonic() < give_up:
        await asyncio.sleep(1)
        now = measure_processor_time(stack)
        if sum(now.values()) - sum(before.values()) < _IDLE_THRESHOLD:
            return True
        before = now
    return False


def measure_processor_time(stack: ServiceStack) -> dict[str, float]:
    """Return the processor time in seconds of each running process of the stack since its start."""
    around = stack.config
    programs = {name: program.pid for name, program in stack.programs.items() if program.pid is not None}
    pids = programs | {"postgres": around.postgres.pid, "kafka": around.kafka.pid}
    return {name: sum_processor_time(pid) for name, pid in pids.items()}


def sum_processor_time(pid: int) -> float:
    """Return the processor time of the process and its children, including ended ones."""
    process = psutil.Process(pid)
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
