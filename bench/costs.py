"""What the machine spent: processor time of every process of the stack, and the transactions that were committed."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psutil

from bench.databases import connected
from simulator.test_stack import Stage

_COMMITS: Final = "SELECT sum(xact_commit)::bigint FROM pg_stat_database WHERE datname <> 'postgres'"
_QUIET: Final = 0.25
"""Of one core: what the stack spends when nothing happens, and some more."""
_QUIET_WITHIN: Final = 120.0


@dataclass(frozen=True)
class Costs:
    """Seconds of processor time by process since it began, and transactions since the databases did."""

    seconds: Mapping[str, float]
    transactions: int

    def since(self, before: "Costs") -> "Costs":
        spent = {name: seconds - before.seconds.get(name, 0.0) for name, seconds in self.seconds.items()}
        return Costs(spent, self.transactions - before.transactions)

    @property
    def milliseconds(self) -> float:
        return 1000 * sum(self.seconds.values())


async def costs_of(stage: Stage) -> Costs:
    """The measuring process itself, which plays councils and providers, is not counted."""
    async with connected(stage.around.postgres) as connection:
        return Costs(_processor_time(stage), await connection.fetchval(_COMMITS))


async def at_rest(stage: Stage) -> bool:
    """Waits until the stack has little to do, so that one figure is not measured on what another one left behind."""
    give_up, before = time.monotonic() + _QUIET_WITHIN, _processor_time(stage)
    while time.monotonic() < give_up:
        await asyncio.sleep(1)
        now = _processor_time(stage)
        if sum(now.values()) - sum(before.values()) < _QUIET:
            return True
        before = now
    return False


def _processor_time(stage: Stage) -> dict[str, float]:
    around = stage.around
    pids = {name: program.pid for name, program in stage.programs.items()}
    pids |= {"postgres": around.postgres.pid, "kafka": around.kafka.pid}
    return {name: _seconds(pid) for name, pid in pids.items() if pid is not None}


def _seconds(pid: int) -> float:
    """With children, also those that have ended."""
    process = psutil.Process(pid)
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
