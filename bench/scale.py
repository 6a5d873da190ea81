"""Measures latency and chains with growing tables: ended packages must not slow the services."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from rich.table import Table

from bench import chains, latency
from bench.calibration import Calibration, CalibrationStart
from bench.chains import Chains
from bench.costs import wait_until_idle
from bench.environment import BenchEnvironment
from bench.latency import RATE, RateLatency
from bench.load import MachineLoad
from bench.seed_rows import RowSeeder
from bench.table_scans import Scans, read_scans, subtract_scans

_ORIGINALS: Final = 0.3
"""Share of the usual load whose packages are copied; most are accepted immediately, the others declined twice."""
_COUNTS: Final = 0.5
_WARM_UP: Final = 0.3
_SECONDS: Final = 30.0
_SLOPE: Final = 1.25
"""Ratio of the largest to the smallest size that counts as a slope; smaller ratios are noise."""


@dataclass(frozen=True)
class SizeFigures:
    """The figures with this number of packages in the tables."""

    packages: int
    latency: RateLatency
    chains: Chains
    scanned: Mapping[str, Scans]
    """Growing tables with sequential scans."""
    calibration: Calibration

    def to_numbers(self) -> Mapping[str, object]:
        scanned = {name: asdict(scans) for name, scans in self.scanned.items()}
        return {
            "packages": self.packages,
            **self.latency.to_numbers(),
            **self.chains.to_numbers(),
            "scanned": scanned,
            "calibration": self.calibration.to_numbers(),
        }

    def to_cells(self) -> Sequence[str]:
        scanned = ", ".join(f"{name} {each.times}×" for name, each in self.scanned.items())
        return (
            f"{self.packages:,}",
            str(self.latency.referral_to_webhook),
            str(self.latency.commit_to_ack),
            f"{self.chains.per_second:.1f}",
            f"{self.chains.cpu_ms:.1f} ms",
            scanned or "none",
            str(self.calibration),
        )


async def measure(environment: BenchEnvironment, thousands: Sequence[int], share: float) -> list[SizeFigures]:
    """Measure the sizes in ascending order."""
    await latency.warm_up(environment, _ORIGINALS * share)
    await chains.measure(environment, _ORIGINALS * share)
    await wait_until_idle(environment.stack)
    seeder = await RowSeeder.snapshot(environment.stack.config.postgres)
    return [await _measure_size(environment, seeder, 1_000 * each, _COUNTS * share) for each in sorted(thousands)]


async def _measure_size(environment: BenchEnvironment, seeder: RowSeeder, packages: int, share: float) -> SizeFigures:
    begun, postgres = time.monotonic(), environment.stack.config.postgres
    await seeder.seed(packages)
    environment.screen.print_text(f"{packages:,} packages after {time.monotonic() - begun:.0f} s")
    await wait_until_idle(environment.stack)
    before, start = await read_scans(postgres), CalibrationStart.measure()
    await latency.warm_up(environment, _WARM_UP * share)
    first = await latency.measure_rate(environment, RATE, _SECONDS * share)
    whole = await chains.measure(environment, share)
    await wait_until_idle(environment.stack)
    calibration = start.finish()
    return SizeFigures(packages, first, whole, subtract_scans(before, await read_scans(postgres)), calibration)


def compute_slopes(sizes: Sequence[SizeFigures]) -> dict[str, float]:
    """Compute the ratio of the largest to the smallest size by figure."""
    few, many = sizes[0], sizes[-1]
    return {
        "referral_to_webhook_p50": _divide(many.latency.referral_to_webhook.p50, few.latency.referral_to_webhook.p50),
        "commit_to_ack_p50": _divide(many.latency.commit_to_ack.p50, few.latency.commit_to_ack.p50),
        "chain_p50": _divide(many.chains.duration.p50, few.chains.duration.p50),
        "cpu_ms_per_chain": _divide(many.chains.cpu_ms, few.chains.cpu_ms),
    }


def _divide(now: float, before: float) -> float:
    return round(now / max(before, 0.01), 2)


def describe_slopes(sizes: Sequence[SizeFigures]) -> str:
    """Describe the slopes in one sentence."""
    steep = {name: times for name, times in compute_slopes(sizes).items() if times > _SLOPE}
    figures = ", ".join(f"{name} ×{times}" for name, times in (steep or compute_slopes(sizes)).items())
    return (
        f"{'A slope' if steep else 'No slope'} from {sizes[0].packages:,} to {sizes[-1].packages:,} packages: {figures}"
    )


def build_table(sizes: Sequence[SizeFigures], load: MachineLoad) -> Table:
    shown = Table(title=f"With so many packages, on {load}", title_justify="left")
    for heading in (
        "packages",
        "first webhook",
        "on Kafka",
        "chains a second",
        "a chain's processor time",
        "scanned",
        "loop",
    ):
        shown.add_column(heading)
    for size in sizes:
        shown.add_row(*size.to_cells())
    return shown


def render_last_line(sizes: Sequence[SizeFigures]) -> str:
    return json.dumps({"scale": [size.to_numbers() for size in sizes], "slope": compute_slopes(sizes)})
