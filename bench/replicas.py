"""Measures latency and chains with one process of each service and with several, one after the other.

On one machine several processes share the cores that one had, so this measures what sharing costs: more wake-ups,
conflicts and connections. What further processes bring shows on machines of their own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from bench import chains, latency
from bench.calibration import Calibration, CalibrationStart
from bench.chains import Chains
from bench.costs import wait_until_idle
from bench.environment import BenchEnvironment
from bench.latency import RATE, RateLatency
from bench.load import MachineLoad

_SECONDS: Final = 30.0


@dataclass(frozen=True)
class ReplicaFigures:
    """The figures with this number of processes of each service."""

    replicas: int
    latency: RateLatency
    chains: Chains
    calibration: Calibration

    def to_numbers(self) -> Mapping[str, object]:
        return {
            "replicas": self.replicas,
            **self.latency.to_numbers(),
            **self.chains.to_numbers(),
            "calibration": self.calibration.to_numbers(),
        }

    def to_cells(self) -> Sequence[str]:
        return (
            str(self.replicas),
            str(self.latency.referral_to_webhook),
            str(self.latency.commit_to_ack),
            f"{self.chains.per_second:.1f}",
            f"{self.chains.cpu_ms:.1f} ms",
            f"{self.chains.transactions:.1f}",
            str(self.calibration),
        )


async def measure(environment: BenchEnvironment, replicas: int, share: float) -> ReplicaFigures:
    """Measure on a stack that was started with this number of processes of each service."""
    await wait_until_idle(environment.stack)
    before = CalibrationStart.measure()
    await latency.warm_up(environment, share)
    usual = await latency.measure_rate(environment, RATE, _SECONDS * share)
    await wait_until_idle(environment.stack)
    return ReplicaFigures(replicas, usual, await chains.measure(environment, share), before.finish())


def build_table(figures: Sequence[ReplicaFigures], load: MachineLoad) -> Table:
    table = Table(title=f"Processes of each service, on {load}", title_justify="left")
    for heading in (
        "processes",
        f"referral → webhook, {RATE:.0f} a second",
        "commit → Kafka",
        "chains a second",
        "a chain's processor time",
        "a chain's transactions",
        "loop",
    ):
        table.add_column(heading)
    for each in figures:
        table.add_row(*each.to_cells())
    return table


def describe_ratios(figures: Sequence[ReplicaFigures]) -> str:
    """Describe the figures of the last row as multiples of the first row's."""
    ratios = compute_ratios(figures)
    listed = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    return f"{figures[-1].replicas} processes of each service beside {figures[0].replicas}, as ratios: {listed}."


def compute_ratios(figures: Sequence[ReplicaFigures]) -> dict[str, float]:
    one, several = figures[0], figures[-1]
    first, last = one.latency, several.latency
    return {
        "webhook p50": _divide(last.referral_to_webhook.p50, first.referral_to_webhook.p50),
        "webhook p99": _divide(last.referral_to_webhook.p99, first.referral_to_webhook.p99),
        "Kafka p50": _divide(last.commit_to_ack.p50, first.commit_to_ack.p50),
        "Kafka p99": _divide(last.commit_to_ack.p99, first.commit_to_ack.p99),
        "chains a second": _divide(several.chains.per_second, one.chains.per_second),
        "processor time": _divide(several.chains.cpu_ms, one.chains.cpu_ms),
    }


def _divide(several: float, one: float) -> float:
    return round(several / max(one, 0.01), 2)


def render_last_line(figures: Sequence[ReplicaFigures]) -> str:
    return json.dumps({"by_replicas": [each.to_numbers() for each in figures], "ratios": compute_ratios(figures)})
