"""Measures the delay of timers with offers that expire without an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bench.environment import BenchEnvironment
from bench.figures import FigureLine, NotMeasured, compute_count
from bench.percentiles import Percentiles
from bench.referral_poster import PostedReferral
from contracts.catalogue import decode
from contracts.events.offers import OfferDelivered

RATE: Final = 20.0
_COUNT: Final = 400
_ANSWER_WITHIN: Final = timedelta(minutes=2)
"""Time to answer in the definitions of `bench.market`."""
_DELIVERED: Final = "OfferDelivered"
_EXPIRED: Final = "OfferExpired"


@dataclass(frozen=True)
class TimerLag:
    """Delay from the end of an offer to its OfferExpired event."""

    lag: Percentiles

    def to_numbers(self) -> Mapping[str, object]:
        return {"timer_lag_ms": self.lag.to_numbers()}

    def to_lines(self) -> Sequence[FigureLine]:
        return (
            FigureLine(
                f"timer lag, {RATE:.0f} due a second",
                "p99 < 50 ms",
                str(self.lag),
                self.lag.is_below(p99=50),
                acceptable="p99 60",
                is_acceptable=self.lag.is_below(p99=60),
            ),
        )


async def measure(environment: BenchEnvironment, share: float = 1.0) -> TimerLag:
    """Measure with first offers that expire; second offers are accepted, so that nothing is due afterwards."""
    environment.receiver.answer = environment.accept_the_second
    posted = await environment.poster.post_at_rate(environment.poster.create_bodies(compute_count(_COUNT, share)), RATE)
    of = environment.reader.events
    if not await environment.reader.wait_until(
        lambda: all(_EXPIRED in of[each.package_id] for each in posted), within=60 + _ANSWER_WITHIN.total_seconds()
    ):
        raise NotMeasured("not every offer expired within a minute after its time")
    return TimerLag(Percentiles.from_samples([_compute_lag(environment, each) for each in posted]))


def _compute_lag(environment: BenchEnvironment, posted: PostedReferral) -> float:
    events = environment.reader.events[posted.package_id]
    due = decode(OfferDelivered, events[_DELIVERED].subject).delivered_at + _ANSWER_WITHIN
    return 1000 * max(0.0, (events[_EXPIRED].happened_at - due).total_seconds())
