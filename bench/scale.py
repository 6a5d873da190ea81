"""The same figures with more and more packages in the tables: nothing may get slower by what is long over."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from rich.table import Table

from bench import chains, latency
from bench.chains import Chains
from bench.costs import at_rest
from bench.latency import Latency
from bench.load import Load
from bench.multiplying import Multiplied
from bench.scans import Scans, scans, since
from bench.scene import Scene

_ORIGINALS: Final = 0.3
"""Of the usual counts: the packages that are copied. Three of four are accepted at once, one is declined twice."""
_COUNTS: Final = 0.5
_SLOPE: Final = 1.25
"""Times as slow as with the fewest packages; less is the weather on a small machine."""


@dataclass(frozen=True)
class Size:
    """What was measured with so many packages in the tables."""

    packages: int
    latency: Latency
    chains: Chains
    scanned: Mapping[str, Scans]
    """Tables that grow and were read from end to end."""

    def numbers(self) -> Mapping[str, object]:
        scanned = {name: asdict(scans) for name, scans in self.scanned.items()}
        return {"packages": self.packages, **self.latency.numbers(), **self.chains.numbers(), "scanned": scanned}

    def cells(self) -> Sequence[str]:
        scanned = ", ".join(f"{name} {each.times}×" for name, each in self.scanned.items())
        return (
            f"{self.packages:,}",
            str(self.latency.referral_to_webhook),
            str(self.latency.commit_to_ack),
            f"{self.chains.a_second:.1f}",
            f"{self.chains.cpu_ms:.1f} ms",
            scanned or "none",
        )


async def measure(scene: Scene, thousands: Sequence[int], share: float) -> list[Size]:
    """The sizes one after the other, the smallest first."""
    await latency.measure(scene, _ORIGINALS * share)
    await chains.measure(scene, _ORIGINALS * share)
    await at_rest(scene.stage)
    multiplied = await Multiplied.of(scene.stage.around.postgres)
    return [await _at(scene, multiplied, 1_000 * each, _COUNTS * share) for each in sorted(thousands)]


async def _at(scene: Scene, multiplied: Multiplied, packages: int, share: float) -> Size:
    begun, postgres = time.monotonic(), scene.stage.around.postgres
    await multiplied.up_to(packages)
    scene.screen.say(f"{packages:,} packages after {time.monotonic() - begun:.0f} s")
    await at_rest(scene.stage)
    before = await scans(postgres)
    first, whole = await latency.measure(scene, share), await chains.measure(scene, share)
    return Size(packages, first, whole, since(before, await scans(postgres)))


def slopes(sizes: Sequence[Size]) -> dict[str, float]:
    """How many times as slow the largest size is as the smallest, by figure."""
    few, many = sizes[0], sizes[-1]
    return {
        "referral_to_webhook_p50": _times(many.latency.referral_to_webhook.p50, few.latency.referral_to_webhook.p50),
        "commit_to_ack_p50": _times(many.latency.commit_to_ack.p50, few.latency.commit_to_ack.p50),
        "chain_p50": _times(many.chains.took.p50, few.chains.took.p50),
        "cpu_ms_per_chain": _times(many.chains.cpu_ms, few.chains.cpu_ms),
    }


def _times(now: float, before: float) -> float:
    return round(now / max(before, 0.01), 2)


def verdict(sizes: Sequence[Size]) -> str:
    """In a sentence, whether there is a slope."""
    steep = {name: times for name, times in slopes(sizes).items() if times > _SLOPE}
    told = ", ".join(f"{name} ×{times}" for name, times in (steep or slopes(sizes)).items())
    return f"{'A slope' if steep else 'No slope'} from {sizes[0].packages:,} to {sizes[-1].packages:,} packages: {told}"


def table(sizes: Sequence[Size], load: Load) -> Table:
    shown = Table(title=f"With so many packages, on {load}", title_justify="left")
    for heading in ("packages", "first webhook", "on Kafka", "chains a second", "a chain's processor time", "scanned"):
        shown.add_column(heading)
    for size in sizes:
        shown.add_row(*size.cells())
    return shown


def last_line(sizes: Sequence[Size]) -> str:
    return json.dumps({"scale": [size.numbers() for size in sizes], "slope": slopes(sizes)})
