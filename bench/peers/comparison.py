"""Measures the same chain here and with other libraries, in alternation on the same servers."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

from bench import chains, latency
from bench.environment import BenchEnvironment
from bench.figures import FigureLine, compute_count
from bench.peers.installation import install_peers, read_version
from bench.peers.peer_system import PEERS, Peer, RunningPeer, prepare_peer, run_peer
from bench.percentiles import Percentiles
from devstack.processes import run_in_thread

OWN_NAME: Final = "calloff"
_ROUNDS: Final = 2
_WARM_UP: Final = 150
_COUNT: Final = 400
_SECONDS: Final = 20.0


@dataclass(frozen=True)
class SystemFigures:
    """The figures of one system: chains at full load, and the latency from a referral to its first webhook."""

    chains_per_s: float
    cpu_ms: float
    """Processor time of one chain: the system's own processes, PostgreSQL and Kafka."""
    first_webhook: Percentiles

    @classmethod
    def from_rounds(cls, rounds: "Sequence[SystemFigures]") -> "SystemFigures":
        """Compute the means of the rounds."""
        return cls(
            round(fmean(each.chains_per_s for each in rounds), 1),
            round(fmean(each.cpu_ms for each in rounds), 1),
            Percentiles(
                round(fmean(each.first_webhook.p50 for each in rounds), 2),
                round(fmean(each.first_webhook.p99 for each in rounds), 2),
                sum(each.first_webhook.count for each in rounds),
            ),
        )

    def divide_by(self, other: "SystemFigures") -> dict[str, float]:
        """Compute the ratios of these figures to those of another system."""
        return {
            "chains_per_s": _divide(self.chains_per_s, other.chains_per_s),
            "cpu_ms_per_chain": _divide(self.cpu_ms, other.cpu_ms),
            "referral_to_webhook_p50": _divide(self.first_webhook.p50, other.first_webhook.p50),
            "referral_to_webhook_p99": _divide(self.first_webhook.p99, other.first_webhook.p99),
        }

    def to_numbers(self) -> Mapping[str, object]:
        return {
            "chains_per_s": self.chains_per_s,
            "cpu_ms_per_chain": self.cpu_ms,
            "referral_to_webhook_ms": self.first_webhook.to_numbers(),
        }

    def __str__(self) -> str:
        return f"{self.chains_per_s:.1f} a second, {self.cpu_ms:.1f} CPU-ms; first webhook {self.first_webhook}"


@dataclass(frozen=True)
class Comparison:
    own: SystemFigures
    peers: Mapping[str, SystemFigures]
    versions: Mapping[str, str]

    def to_numbers(self) -> Mapping[str, object]:
        peers = {
            name: {
                "version": self.versions[name],
                **figures.to_numbers(),
                "ratios_ours_to_theirs": self.own.divide_by(figures),
            }
            for name, figures in self.peers.items()
        }
        return {"peers": {OWN_NAME: self.own.to_numbers(), **peers}}

    def to_lines(self) -> Sequence[FigureLine]:
        own = FigureLine("the chain beside others: Call-off", "printed", str(self.own), True)
        return (own, *(self._describe_peer(name, figures) for name, figures in self.peers.items()))

    def _describe_peer(self, name: str, theirs: SystemFigures) -> FigureLine:
        ratios = ", ".join(f"{figure} {ratio:.2f}" for figure, ratio in self.own.divide_by(theirs).items())
        return FigureLine(
            f"{name} {self.versions[name]}, unsigned, without journal and timers",
            "Call-off ahead in chains and CPU",
            f"{theirs}; ours / theirs: {ratios}",
            self.own.chains_per_s >= theirs.chains_per_s and self.own.cpu_ms <= theirs.cpu_ms,
        )


def _divide(ours: float, theirs: float) -> float:
    return round(ours / max(theirs, 0.01), 2)


async def measure(environment: BenchEnvironment, share: float = 1.0) -> Comparison:
    """Measure in rounds, each system alone on the servers. Raises NotMeasured if a system fails."""
    python = await run_in_thread(install_peers)
    own, theirs = list[SystemFigures](), {peer.package: list[SystemFigures]() for peer in PEERS}
    for peer in PEERS:
        await prepare_peer(peer, environment.stack, python)
    for _ in range(_ROUNDS):
        own.append(await _measure_own(environment, share))
        async with _stop_own(environment):
            for peer in PEERS:
                theirs[peer.package].append(await _measure_peer(peer, environment, python, share))
    return Comparison(
        SystemFigures.from_rounds(own),
        {name: SystemFigures.from_rounds(rounds) for name, rounds in theirs.items()},
        {peer.package: read_version(peer.package) for peer in PEERS},
    )


@asynccontextmanager
async def _stop_own(environment: BenchEnvironment) -> AsyncGenerator[None]:
    """Stop Call-off, so that it uses neither processor nor servers; only PostgreSQL and Kafka stay."""
    async with environment.pause_reader(), environment.stop_services(tuple(environment.stack.programs)):
        yield


async def _measure_own(environment: BenchEnvironment, share: float) -> SystemFigures:
    await chains.run_chains(environment, compute_count(_WARM_UP, share))
    run = await chains.measure_run(environment, compute_count(_COUNT, share))
    usual = await latency.measure_rate(environment, latency.RATE, _SECONDS * share)
    return SystemFigures(run.per_second, run.cpu_ms, usual.referral_to_webhook)


async def _measure_peer(peer: Peer, environment: BenchEnvironment, python: Path, share: float) -> SystemFigures:
    async with run_peer(peer, environment.stack, python) as running:
        await running.load.run_chains(compute_count(_WARM_UP, share))
        return await _measure_running(running, share)


async def _measure_running(running: RunningPeer, share: float) -> SystemFigures:
    count, before = compute_count(_COUNT, share), running.measure_processor_time()
    per_second = await running.load.run_chains(count)
    cpu_ms = round(1000 * (running.measure_processor_time() - before) / count, 1)
    posts = compute_count(round(latency.RATE * _SECONDS), share)
    return SystemFigures(per_second, cpu_ms, await running.load.measure_latency(posts, latency.RATE))
