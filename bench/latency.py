"""Measures the latency from a referral to its first webhook, and from a commit to the readable event on Kafka."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.environment import BenchEnvironment
from bench.figures import FigureLine, NotMeasured, compute_count
from bench.percentiles import Percentiles

RATE: Final = 20.0
"""Referrals a second (DESIGN §9)."""
_WARM_UP: Final = 100
_COUNT: Final = 300
_REQUESTED: Final = "PackageRequested"


@dataclass(frozen=True)
class Latency:
    """Latencies at `RATE`. `commit_to_ack` runs from the response after the commit until the event is read."""

    referral_to_webhook: Percentiles
    commit_to_ack: Percentiles

    def to_numbers(self) -> Mapping[str, object]:
        return {
            "referral_to_webhook_ms": {**self.referral_to_webhook.to_numbers(), "rate": round(RATE)},
            "commit_to_ack_ms": self.commit_to_ack.to_numbers(),
        }

    def to_lines(self) -> Sequence[FigureLine]:
        first, acknowledged = self.referral_to_webhook, self.commit_to_ack
        return (
            FigureLine(
                f"referral posted → first signed webhook, {RATE:.0f} a second",
                "p50 < 12 ms, p99 < 40 ms",
                str(first),
                first.is_below(p50=12, p99=40),
            ),
            FigureLine(
                "commit → readable on Kafka",
                "p50 < 5 ms, p99 < 30 ms",
                str(acknowledged),
                acknowledged.is_below(p50=5, p99=30),
            ),
        )


async def measure(environment: BenchEnvironment, share: float = 1.0) -> Latency:
    """Measure with providers that accept immediately, so that the whole chain runs."""
    environment.receiver.answer = environment.accept
    await _run(environment, compute_count(_WARM_UP, share))
    latency = await _run(environment, compute_count(_COUNT, share))
    if environment.receiver.forged:
        message = f"{environment.receiver.forged} webhooks did not carry their endpoint's signature"
        raise NotMeasured(message)
    return latency


async def _run(environment: BenchEnvironment, count: int) -> Latency:
    posted = await environment.poster.post_at_rate(environment.poster.create_bodies(count), RATE)
    if not await environment.wait_for_event(posted, "PackagePlaced"):
        lost = [each.package_id for each in posted if "PackagePlaced" not in environment.reader.events[each.package_id]]
        message = f"{len(lost)} of {len(posted)} referrals were not placed within a minute: {lost[:3]}"
        raise NotMeasured(message)
    came, seen = environment.receiver.first_offer_at, environment.reader.events
    return Latency(
        Percentiles.from_samples([1000 * (came[each.package_id] - each.posted_at) for each in posted]),
        Percentiles.from_samples(
            [1000 * max(0.0, seen[each.package_id][_REQUESTED].at - each.answered_at) for each in posted]
        ),
    )
