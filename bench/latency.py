"""From the posted referral to the first signed webhook, and from the commit to what can be read on Kafka."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.figures import Line, NotMeasured, fewer
from bench.percentiles import Spread
from bench.scene import Scene

RATE: Final = 20.0
"""Referrals a second (DESIGN §9)."""
_WARM_UP: Final = 100
_COUNT: Final = 300
_REQUESTED: Final = "PackageRequested"


@dataclass(frozen=True)
class Latency:
    """At `RATE`. `commit_to_ack` is an upper bound: from the answer, which follows the commit, until it can be read."""

    referral_to_webhook: Spread
    commit_to_ack: Spread

    def numbers(self) -> Mapping[str, object]:
        return {
            "referral_to_webhook_ms": {**self.referral_to_webhook.numbers(), "rate": round(RATE)},
            "commit_to_ack_ms": self.commit_to_ack.numbers(),
        }

    def lines(self) -> Sequence[Line]:
        first, acknowledged = self.referral_to_webhook, self.commit_to_ack
        return (
            Line(
                f"referral posted → first signed webhook, {RATE:.0f} a second",
                "p50 < 12 ms, p99 < 40 ms",
                str(first),
                first.within(p50=12, p99=40),
            ),
            Line(
                "commit → readable on Kafka",
                "p50 < 5 ms, p99 < 30 ms",
                str(acknowledged),
                acknowledged.within(p50=5, p99=30),
            ),
        )


async def measure(scene: Scene, share: float = 1.0) -> Latency:
    """Providers accept at once: what goes out is worked on as it would be."""
    scene.listening.answer = scene.accept
    await _run(scene, fewer(_WARM_UP, share))
    latency = await _run(scene, fewer(_COUNT, share))
    if scene.listening.forged:
        message = f"{scene.listening.forged} webhooks did not carry their endpoint's signature"
        raise NotMeasured(message)
    return latency


async def _run(scene: Scene, count: int) -> Latency:
    posted = await scene.posting.at_a_rate(scene.posting.bodies(count), RATE)
    if not await scene.all_have(posted, "PackagePlaced"):
        lost = [each.package_id for each in posted if "PackagePlaced" not in scene.watching.of[each.package_id]]
        message = f"{len(lost)} of {len(posted)} referrals were not placed within a minute: {lost[:3]}"
        raise NotMeasured(message)
    came, seen = scene.listening.first_offer, scene.watching.of
    return Latency(
        Spread.of([1000 * (came[each.package_id] - each.posted_at) for each in posted]),
        Spread.of([1000 * max(0.0, seen[each.package_id][_REQUESTED].at - each.answered_at) for each in posted]),
    )
