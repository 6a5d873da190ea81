"""The clock driver: advances the clock of all processes and participants as soon as all are idle.

At each instant the driver sets every clock, releases one precedence after the other in the order that DOMAIN gives for
one instant, and waits after each until all work that follows from it is done.

All processes are idle when two successive rounds of polls find each of them idle with an unchanged counter. Each
process then did nothing from its first poll to its second, so between the rounds all were idle at the same time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from contracts.precedence import LAST_PRECEDENCE
from devstack.errors import NeverIdle, ParticipantUnreachable
from service_runtime.simulated_clock.messages import Activity, ClockSetting
from simulator.simulated_clock.participants import Participant, SimulatedProcess

IDLE_TIMEOUT: Final = 30.0
"""Real seconds without progress after which a busy process is an error."""
MAX_IDLE_TIMEOUTS: Final = 10
"""One turn may last this many times `IDLE_TIMEOUT`, even with progress."""
MAX_TURNS: Final = 10_000
"""Limit of turns at one instant; more indicate an endless loop."""
_POLL_INTERVAL: Final = 0.004
"""Real seconds between two polls of a busy process."""
_NOTHING_YET: Final = 0

Reports = tuple[Activity | ParticipantUnreachable, ...]


@dataclass(frozen=True)
class ClockRun:
    """How the clock was advanced: `steps` instants, `acts` of participants, `rounds` of polls, real `seconds`."""

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


class ClockDriver:
    """Advances the clock of `services` and `participants`. Participants act in turn, in an order drawn from `seed`."""

    def __init__(
        self,
        services: Sequence[SimulatedProcess],
        participants: Sequence[Participant] = (),
        *,
        seed: int,
        idle_timeout: float = IDLE_TIMEOUT,
    ) -> None:
        self._services = tuple(services)
        self._participants = tuple(participants)
        self._seed = seed
        self._idle_timeout = idle_timeout
        self._now = datetime.min.replace(tzinfo=UTC)
        self._released = LAST_PRECEDENCE
        self._reports: Reports = ()
        self._is_started = False
        self._run = ClockRun(self._now)

    @property
    def now(self) -> datetime:
        """The simulated time, after `start`."""
        return self._now

    @property
    def next_due_at(self) -> datetime | None:
        """The earliest instant at which anything is known to be due."""
        later = [each.next_due_at for each in self._reports if isinstance(each, Activity)]
        later += [person.get_next_due_at() for person in self._participants]
        return min((each for each in later if each is not None and each > self._now), default=None)

    async def start(self) -> datetime:
        """Set all clocks to the latest instant that any process has, and wait until all processes are idle."""
        self._now = max(each.now for each in await asyncio.gather(*[each.read_activity() for each in self._services]))
        self._is_started = True
        await self._process_instant(self._now, LAST_PRECEDENCE)
        return self._now

    async def advance(self, by: timedelta) -> ClockRun:
        """Advance the clock by a duration; see `advance_to`."""
        if not self._is_started:
            await self.start()
        return await self.advance_to(self._now + by)

    async def advance_to(self, until: datetime) -> ClockRun:
        """Do everything that is due up to and including `until`. Raises NeverIdle, which names the busy processes."""
        started_at = time.monotonic()
        self._run = ClockRun(self._now)
        if not self._is_started:
            await self.start()
        else:  # requests from outside may have arrived while the clock stood still
            await self._process_instant(self._now, LAST_PRECEDENCE)
        while (due_at := self.next_due_at) is not None and due_at <= until:
            await self._process_instant(due_at, _NOTHING_YET)
            self._run = replace(self._run, steps=self._run.steps + 1)
        # Requests from outside while the clock stands still find every precedence released.
        await self._process_instant(max(until, self._now), LAST_PRECEDENCE)
        return replace(self._run, now=self._now, seconds=time.monotonic() - started_at)

    async def _process_instant(self, at: datetime, released: int) -> None:
        """Set all clocks, then process one precedence after the other until nothing is due."""
        await self._set_clocks(at, released)
        for _ in range(MAX_TURNS):
            due = self._find_due_precedences()
            if not due:
                return
            await self._process_precedence(min(due))
        raise NeverIdle(f"{MAX_TURNS} turns at {at.isoformat()}, and something is still due")

    def _find_due_precedences(self) -> set[int]:
        held_back = {
            each for report in self._reports if isinstance(report, Activity) for each in report.due_precedences
        }
        return held_back | {int(person.precedence) for person in self._find_due_participants()}

    def _find_due_participants(self) -> list[Participant]:
        waking = [(person, person.get_next_due_at()) for person in self._participants]
        return [person for person, at in waking if at is not None and at <= self._now]

    async def _process_precedence(self, precedence: int) -> None:
        """Process what is due with this precedence: first in the services, then the participants in turn."""
        held_back = [report.due_precedences for report in self._reports if isinstance(report, Activity)]
        if any(precedence in classes for classes in held_back):
            await self._set_clocks(self._now, max(precedence, self._released))
        awake = [person for person in self._find_due_participants() if int(person.precedence) == precedence]
        for person in sorted(awake, key=self._draw_sort_key):
            await self._run_participant(person)

    def _draw_sort_key(self, person: Participant) -> tuple[float, str]:
        """The order varies between instants and is the same in every run with this seed."""
        return Random(f"{self._seed}/{self._now.isoformat()}/{person.name}").random(), person.name

    async def _run_participant(self, person: Participant) -> None:
        try:
            async with asyncio.timeout(self._idle_timeout):
                done = await person.act(self._now)
        except TimeoutError:
            raise NeverIdle(f"{person.name} has not finished its act at {self._now.isoformat()}") from None
        if done:
            self._run = replace(self._run, acts=self._run.acts + done)
            await self._wait_until_idle(await self._ask_all(self._read_activity))
            return
        due_at = person.get_next_due_at()
        if due_at is not None and due_at <= self._now:
            raise NeverIdle(f"{person.name} is due at {due_at.isoformat()} and does nothing")

    async def _set_clocks(self, at: datetime, released: int) -> None:
        """Set all clocks and the released precedence, and wait until all work that follows is done."""
        self._now, self._released = at, released
        await self._wait_until_idle(await self._ask_all(lambda each: each.set_clock(self._clock_setting)))

    async def _wait_until_idle(self, latest: Reports) -> None:
        """Return when two successive rounds (`latest` may be the second) find all processes idle and unchanged."""
        earlier, begun = self._reports, time.monotonic()
        moved = begun
        while not _is_everything_idle(earlier, latest):
            now = time.monotonic()
            moved = moved if _get_counters(earlier) == _get_counters(latest) else now
            give_up_at = min(moved + self._idle_timeout, begun + MAX_IDLE_TIMEOUTS * self._idle_timeout)
            if now > give_up_at:
                raise NeverIdle(f"at {self._now.isoformat()} {self._describe_busy(earlier, latest)}")
            await self._poll_busy(latest, give_up_at)
            earlier, latest = latest, await self._ask_all(self._read_activity)
        self._reports = latest

    async def _poll_busy(self, latest: Reports, give_up_at: float) -> None:
        """Poll the busy processes only, because a poll costs a service about as much as a small request."""

        async def poll(each: SimulatedProcess, report: Activity | ParticipantUnreachable) -> None:
            while not _is_idle(report) and time.monotonic() <= give_up_at:
                await asyncio.sleep(_POLL_INTERVAL)
                try:
                    report = await self._read_activity(each)
                except ParticipantUnreachable as nothing:
                    report = nothing

        await asyncio.gather(*[poll(each, report) for each, report in zip(self._services, latest, strict=False)])

    async def _read_activity(self, each: SimulatedProcess) -> Activity:
        """Read the activity of a process; set its clock if it was restarted and has another time."""
        report = await each.read_activity()
        if (report.now, report.max_precedence) == (self._now, self._released):
            return report
        return await each.set_clock(self._clock_setting)

    @property
    def _clock_setting(self) -> ClockSetting:
        return ClockSetting(now=self._now, max_precedence=self._released)

    async def _ask_all(self, ask: Callable[[SimulatedProcess], Awaitable[Activity]]) -> Reports:
        async def ask_one(each: SimulatedProcess) -> Activity | ParticipantUnreachable:
            try:
                return await ask(each)
            except ParticipantUnreachable as nothing:
                return nothing

        self._run = replace(self._run, rounds=self._run.rounds + 1)
        return tuple(await asyncio.gather(*[ask_one(each) for each in self._services]))

    def _describe_busy(self, earlier: Reports, latest: Reports) -> str:
        """Describe the processes that are not idle; if all are, those whose counter still changes."""
        busy = [
            f"{service.name} ({_describe_activity(report)})"
            for service, report in zip(self._services, latest, strict=False)
            if not _is_idle(report)
        ]
        moving = [
            f"{service.name} (its counter changes)"
            for service, before, report in zip(self._services, earlier, latest, strict=False)
            if _get_counter(before) != _get_counter(report)
        ]
        return f"not idle for {self._idle_timeout:g} s: {', '.join(busy or moving)}"


def _is_idle(report: Activity | ParticipantUnreachable) -> bool:
    return isinstance(report, Activity) and report.is_idle


def _is_everything_idle(earlier: Reports, latest: Reports) -> bool:
    if len(earlier) != len(latest) or not all(_is_idle(each) for each in (*earlier, *latest)):
        return False
    return _get_counters(earlier) == _get_counters(latest)


def _get_counters(reports: Reports) -> list[int | None]:
    return [_get_counter(each) for each in reports]


def _get_counter(report: Activity | ParticipantUnreachable) -> int | None:
    return report.counter if isinstance(report, Activity) else None


def _describe_activity(report: Activity | ParticipantUnreachable) -> str:
    if isinstance(report, ParticipantUnreachable):
        return str(report)
    amounts = {
        "requests": report.requests,
        "events for Kafka": report.outbox,
        "webhooks": report.webhooks,
        "timers": report.timers,
        "records behind": report.behind,
    }
    parts = [f"{count} {what}" for what, count in amounts.items() if count]
    return ", ".join(parts) or "its partitions are not assigned yet"
