"""Measures the latency from a referral to its first webhook, and from a commit to the readable event on Kafka."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.backlog import Backlog, ReferralTimes
from bench.costs import wait_until_idle
from bench.environment import BenchEnvironment
from bench.event_reader import ReadEvent
from bench.figures import FigureLine, NotMeasured, compute_count
from bench.percentiles import Percentiles
from bench.referral_poster import PostedReferral

LOW_RATE: Final = 2.0
RATE: Final = 20.0
HIGH_RATE: Final = 40.0
"""Referrals a second."""
_WARM_UP: Final = 60.0
"""Seconds of load at `RATE` before anything is measured."""
_LOW_SECONDS: Final = 60.0
_SECONDS: Final = 30.0
_HIGH_SECONDS: Final = 60.0
_REQUESTED: Final = "PackageRequested"
_PLACED: Final = "PackagePlaced"


@dataclass(frozen=True)
class RateLatency:
    """Latencies under a steady load.

    `commit_to_ack` runs from the response after the commit until the event is read.
    """

    referral_to_webhook: Percentiles
    commit_to_ack: Percentiles
    backlog: Backlog

    def to_numbers(self) -> Mapping[str, object]:
        return {
            "referral_to_webhook_ms": {**self.referral_to_webhook.to_numbers(), "rate": round(self.backlog.rate)},
            "commit_to_ack_ms": self.commit_to_ack.to_numbers(),
        }


@dataclass(frozen=True)
class Latency:
    """Latencies at three rates."""

    low: RateLatency
    usual: RateLatency
    high: RateLatency

    def to_numbers(self) -> Mapping[str, object]:
        low, high = self.low, self.high
        return {
            **self.usual.to_numbers(),
            "referral_to_webhook_at_2_ms": low.referral_to_webhook.to_numbers(),
            "referral_to_webhook_at_40_ms": {**high.referral_to_webhook.to_numbers(), **high.backlog.to_numbers()},
        }

    def to_lines(self) -> Sequence[FigureLine]:
        return (self._describe_usual(), self._describe_low(), self._describe_high(), self._describe_commits())

    def _describe_usual(self) -> FigureLine:
        first = self.usual.referral_to_webhook
        return FigureLine(
            f"referral posted → first signed webhook, {RATE:.0f} a second",
            "p50 < 12 ms, p99 < 30 ms",
            str(first),
            first.is_below(p50=12, p99=30),
            acceptable="p50 22, p99 45",
            is_acceptable=first.is_below(p50=22, p99=45),
        )

    def _describe_low(self) -> FigureLine:
        first = self.low.referral_to_webhook
        return FigureLine(
            f"the same at {LOW_RATE:.0f} a second",
            "p50 < 14 ms",
            str(first),
            first.is_below(p50=14),
            acceptable="p50 22",
            is_acceptable=first.is_below(p50=22),
        )

    def _describe_high(self) -> FigureLine:
        first, backlog = self.high.referral_to_webhook, self.high.backlog
        fate = "sustained" if backlog.is_sustained else f"not sustained: {', '.join(backlog.list_faults())}"
        return FigureLine(
            f"the same at {HIGH_RATE:.0f} a second",
            "sustained, p99 < 100 ms",
            f"{first}; {fate}",
            backlog.is_sustained and first.is_below(p99=100),
            acceptable="p99 250",
            is_acceptable=backlog.is_sustained and first.is_below(p99=250),
        )

    def _describe_commits(self) -> FigureLine:
        acknowledged = self.usual.commit_to_ack
        return FigureLine(
            f"commit → readable on Kafka, {RATE:.0f} a second",
            "p50 < 5 ms, p99 < 30 ms",
            str(acknowledged),
            acknowledged.is_below(p50=5, p99=30),
            acceptable="p50 8, p99 40",
            is_acceptable=acknowledged.is_below(p50=8, p99=40),
        )


async def measure(environment: BenchEnvironment, share: float = 1.0) -> Latency:
    """Measure with providers that accept immediately, so that the whole chain runs, after a minute of load."""
    await warm_up(environment, share)
    low = await measure_rate(environment, LOW_RATE, _LOW_SECONDS * share)
    usual = await measure_rate(environment, RATE, _SECONDS * share)
    await wait_until_idle(environment.stack)
    return Latency(low, usual, await _run(environment, HIGH_RATE, _HIGH_SECONDS * share))


async def warm_up(environment: BenchEnvironment, share: float = 1.0) -> None:
    await measure_rate(environment, RATE, _WARM_UP * share)
    await wait_until_idle(environment.stack)


async def measure_rate(environment: BenchEnvironment, rate: float, seconds: float) -> RateLatency:
    """Measure at one rate. Raises NotMeasured if a referral is not placed or a signature is wrong."""
    latency = await _run(environment, rate, seconds)
    if latency.backlog.unplaced:
        message = f"{latency.backlog.unplaced} referrals were not placed within a minute"
        raise NotMeasured(message)
    return latency


async def _run(environment: BenchEnvironment, rate: float, seconds: float) -> RateLatency:
    environment.receiver.answer = environment.accept
    bodies = environment.poster.create_bodies(compute_count(round(rate * seconds), 1.0))
    posted = await environment.poster.post_at_rate(bodies, rate)
    await environment.wait_for_event(posted, _PLACED)
    if environment.receiver.forged:
        message = f"{environment.receiver.forged} webhooks did not carry their endpoint's signature"
        raise NotMeasured(message)
    return _evaluate(environment, posted, rate)


def _evaluate(environment: BenchEnvironment, posted: Sequence[PostedReferral], rate: float) -> RateLatency:
    came, seen = environment.receiver.first_offer_at, environment.reader.events
    placed = {each.package_id: seen[each.package_id].get(_PLACED) for each in posted}
    offered = [each for each in posted if each.package_id in came and _REQUESTED in seen[each.package_id]]
    if not offered:
        raise NotMeasured("no referral led to a webhook within a minute")
    return RateLatency(
        Percentiles.from_samples([1000 * (came[each.package_id] - each.posted_at) for each in offered]),
        Percentiles.from_samples(
            [1000 * max(0.0, seen[each.package_id][_REQUESTED].at - each.answered_at) for each in offered]
        ),
        Backlog.from_times([_get_times(each, placed[each.package_id]) for each in posted], rate),
    )


def _get_times(posted: PostedReferral, placed: ReadEvent | None) -> ReferralTimes:
    return ReferralTimes(posted.posted_at, None if placed is None else placed.at)
