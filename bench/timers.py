"""How late a timer is: offers that nobody answers expire, each at an instant that can be asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bench.figures import Line, NotMeasured, fewer
from bench.percentiles import Spread
from bench.posting import Posted
from bench.scene import Scene
from contracts.catalogue import decode
from contracts.events.packages import OfferDelivered

RATE: Final = 20.0
_COUNT: Final = 400
_ANSWER_WITHIN: Final = timedelta(minutes=1)
"""As `bench.market.definitions` says."""
_DELIVERED: Final = "OfferDelivered"
_EXPIRED: Final = "OfferExpired"


@dataclass(frozen=True)
class Timers:
    """From the instant at which an offer's time is over to the one at which sourcing says that it expired."""

    lag: Spread

    def numbers(self) -> Mapping[str, object]:
        return {"timer_lag_ms": self.lag.numbers()}

    def lines(self) -> Sequence[Line]:
        return (Line(f"timer lag, {RATE:.0f} due a second", "p99 < 50 ms", str(self.lag), self.lag.within(p99=50)),)


async def measure(scene: Scene, share: float = 1.0) -> Timers:
    """Nobody answers the first offers; the second ones are taken, so that nothing is due after the measurement."""
    scene.listening.answer = scene.accept_the_second
    posted = await scene.posting.at_a_rate(scene.posting.bodies(fewer(_COUNT, share)), RATE)
    of = scene.watching.of
    if not await scene.watching.until(
        lambda: all(_EXPIRED in of[each.package_id] for each in posted), within=60 + _ANSWER_WITHIN.total_seconds()
    ):
        raise NotMeasured("not every offer expired within a minute after its time")
    return Timers(Spread.of([_lag(scene, each) for each in posted]))


def _lag(scene: Scene, posted: Posted) -> float:
    events = scene.watching.of[posted.package_id]
    due = decode(OfferDelivered, events[_DELIVERED].subject).delivered_at + _ANSWER_WITHIN
    return 1000 * max(0.0, (events[_EXPIRED].happened_at - due).total_seconds())
