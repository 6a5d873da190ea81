"""The driver: moves one clock for everybody, as soon as nothing goes on any more.

At each instant it says everywhere what time it is, then lets one class of things after the other happen, in DOMAIN's
order for several things at one instant, and waits after each until all that follows from it has been done.

Nothing goes on when two successive rounds find everybody at rest and nobody's counter moved between them. Each service
then did nothing from its first look to its second, so that at an instant between the rounds all were at rest at once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from devstack.errors import NeverIdle, ParticipantUnreachable
from service_runtime.clock import EVERY_CLASS
from service_runtime.simulated_clock import Activity, Order
from simulator.simulated_clock.participants import Participant, Simulated

PATIENCE: Final = 30.0
"""Real seconds in which something has to move while somebody is busy."""
LONGEST: Final = 10
"""So many times that patience is all there is at one turn, whatever moves."""
MOST_TURNS: Final = 10_000
"""Turns at one instant; whoever needs more goes round in circles."""
_BREATH: Final = 0.004
"""Real seconds between two looks at somebody who is busy."""
_NOTHING_YET: Final = 0

Reports = tuple[Activity | ParticipantUnreachable, ...]


@dataclass(frozen=True)
class Journey:
    """How time was moved: `steps` instants, `acts` of people, `rounds` of questions, real `seconds`."""

    now: datetime
    steps: int = 0
    acts: int = 0
    rounds: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        rate = self.steps / self.seconds if self.seconds else 0.0
        return (
            f"It is {self.now:%A %Y-%m-%d %H:%M:%S} UTC. {self.steps} steps in {self.seconds:.2f} s "
            f"({rate:.0f} steps/s), {self.acts} acts, {self.rounds} rounds."
        )


class Driver:
    """Moves the clock of `services`, and of `people`, who act one after the other in an order drawn from `seed`."""

    def __init__(
        self,
        services: Sequence[Simulated],
        people: Sequence[Participant] = (),
        *,
        seed: int,
        patience: float = PATIENCE,
    ) -> None:
        self._services = tuple(services)
        self._people = tuple(people)
        self._seed = seed
        self._patience = patience
        self._now = datetime.min.replace(tzinfo=UTC)
        self._released = EVERY_CLASS
        self._reports: Reports = ()
        self._begun = False
        self._journey = Journey(self._now)

    @property
    def now(self) -> datetime:
        """What time it is, after `begin`."""
        return self._now

    @property
    def next_wake(self) -> datetime | None:
        """The earliest instant at which anything is to happen, as far as it is known now."""
        later = [each.next_wake for each in self._reports if isinstance(each, Activity)]
        later += [person.next_wake() for person in self._people]
        return min((each for each in later if each is not None and each > self._now), default=None)

    async def begin(self) -> datetime:
        """Brings everybody to the same instant, the latest that anybody has, and waits until all are at rest."""
        self._now = max(each.now for each in await asyncio.gather(*[each.activity() for each in self._services]))
        self._begun = True
        await self._happen(self._now, EVERY_CLASS)
        return self._now

    async def advance(self, by: timedelta) -> Journey:
        """As `to`, counted from now."""
        if not self._begun:
            await self.begin()
        return await self.to(self._now + by)

    async def to(self, until: datetime) -> Journey:
        """Lets everything happen that is to happen up to `until`, inclusive. Raises NeverAtRest with who is busy."""
        begun = time.monotonic()
        self._journey = Journey(self._now)
        if not self._begun:
            await self.begin()
        else:  # somebody may have come from outside while time stood
            await self._happen(self._now, EVERY_CLASS)
        while (following := self.next_wake) is not None and following <= until:
            await self._happen(following, _NOTHING_YET)
            self._journey = replace(self._journey, steps=self._journey.steps + 1)
        # Whoever comes from outside while time stands finds everything released.
        await self._happen(max(until, self._now), EVERY_CLASS)
        return replace(self._journey, now=self._now, seconds=time.monotonic() - begun)

    async def _happen(self, at: datetime, released: int) -> None:
        """One instant: everybody's clock, then class after class until nothing is due any more."""
        await self._order(at, released)
        for _ in range(MOST_TURNS):
            due = self._due_classes()
            if not due:
                return
            await self._let_happen(min(due))
        raise NeverIdle(f"{MOST_TURNS} turns at {at.isoformat()}, and there is still something due")

    def _due_classes(self) -> set[int]:
        held_back = {each for report in self._reports if isinstance(report, Activity) for each in report.due_classes}
        return held_back | {int(person.precedence) for person in self._awake()}

    def _awake(self) -> list[Participant]:
        waking = [(person, person.next_wake()) for person in self._people]
        return [person for person, at in waking if at is not None and at <= self._now]

    async def _let_happen(self, precedence: int) -> None:
        """What is due of one class: in the services first, then of the people, one after the other."""
        held_back = [report.due_classes for report in self._reports if isinstance(report, Activity)]
        if any(precedence in classes for classes in held_back):
            await self._order(self._now, max(precedence, self._released))
        awake = [person for person in self._awake() if int(person.precedence) == precedence]
        for person in sorted(awake, key=self._place_of):
            await self._let_act(person)

    def _place_of(self, person: Participant) -> tuple[float, str]:
        """Nobody is always first, and on a second run everybody stands where they stood on the first."""
        return Random(f"{self._seed}/{self._now.isoformat()}/{person.name}").random(), person.name

    async def _let_act(self, person: Participant) -> None:
        try:
            async with asyncio.timeout(self._patience):
                done = await person.act(self._now)
        except TimeoutError:
            raise NeverIdle(f"{person.name} has not ended what it does at {self._now.isoformat()}") from None
        if done:
            self._journey = replace(self._journey, acts=self._journey.acts + done)
            await self._settle(await self._round(self._look))
            return
        following = person.next_wake()
        if following is not None and following <= self._now:
            raise NeverIdle(f"{person.name} wakes at {following.isoformat()} and does nothing")

    async def _order(self, at: datetime, released: int) -> None:
        """Tells everybody what time it is and what may happen, and waits until all that follows has been done."""
        self._now, self._released = at, released
        await self._settle(await self._round(lambda each: each.set_clock(self._present)))

    async def _settle(self, latest: Reports) -> None:
        """Returns when two successive rounds, `latest` perhaps the second, find everybody at rest and nothing moved."""
        earlier, begun = self._reports, time.monotonic()
        moved = begun
        while not _nothing_goes_on(earlier, latest):
            now = time.monotonic()
            moved = moved if _counters(earlier) == _counters(latest) else now
            give_up_at = min(moved + self._patience, begun + LONGEST * self._patience)
            if now > give_up_at:
                raise NeverIdle(f"at {self._now.isoformat()} {self._busy(earlier, latest)}")
            await self._until_they_rest(latest, give_up_at)
            earlier, latest = latest, await self._round(self._look)
        self._reports = latest

    async def _until_they_rest(self, latest: Reports, give_up_at: float) -> None:
        """Asks those who are busy, and nobody else: a look costs a service as much as a small order."""

        async def one(each: Simulated, report: Activity | ParticipantUnreachable) -> None:
            while not _is_at_rest(report) and time.monotonic() <= give_up_at:
                await asyncio.sleep(_BREATH)
                try:
                    report = await self._look(each)
                except ParticipantUnreachable as nothing:
                    report = nothing

        await asyncio.gather(*[one(each, report) for each, report in zip(self._services, latest, strict=False)])

    async def _look(self, each: Simulated) -> Activity:
        """Whoever has been started anew meanwhile is told what time it is."""
        report = await each.activity()
        if (report.now, report.released) == (self._now, self._released):
            return report
        return await each.set_clock(self._present)

    @property
    def _present(self) -> Order:
        return Order(now=self._now, release=self._released)

    async def _round(self, ask: Callable[[Simulated], Awaitable[Activity]]) -> Reports:
        async def one(each: Simulated) -> Activity | ParticipantUnreachable:
            try:
                return await ask(each)
            except ParticipantUnreachable as nothing:
                return nothing

        self._journey = replace(self._journey, rounds=self._journey.rounds + 1)
        return tuple(await asyncio.gather(*[one(each) for each in self._services]))

    def _busy(self, earlier: Reports, latest: Reports) -> str:
        """Who is not at rest, and why; or who says so and goes on moving all the same."""
        busy = [
            f"{service.name} ({_why(report)})"
            for service, report in zip(self._services, latest, strict=False)
            if not _is_at_rest(report)
        ]
        moving = [
            f"{service.name} (counts on)"
            for service, before, report in zip(self._services, earlier, latest, strict=False)
            if _counter(before) != _counter(report)
        ]
        return f"these are not at rest for {self._patience:g} s: {', '.join(busy or moving)}"


def _is_at_rest(report: Activity | ParticipantUnreachable) -> bool:
    return isinstance(report, Activity) and report.is_at_rest


def _nothing_goes_on(earlier: Reports, latest: Reports) -> bool:
    if len(earlier) != len(latest) or not all(_is_at_rest(each) for each in (*earlier, *latest)):
        return False
    return _counters(earlier) == _counters(latest)


def _counters(reports: Reports) -> list[int | None]:
    return [_counter(each) for each in reports]


def _counter(report: Activity | ParticipantUnreachable) -> int | None:
    return report.counter if isinstance(report, Activity) else None


def _why(report: Activity | ParticipantUnreachable) -> str:
    if isinstance(report, ParticipantUnreachable):
        return str(report)
    found = {
        "requests": report.requests,
        "events for Kafka": report.outbox,
        "webhooks": report.webhooks,
        "timers": report.timers,
        "records behind": report.behind,
    }
    said = [f"{count} {what}" for what, count in found.items() if count]
    return ", ".join(said) or "its partitions are not assigned yet"
