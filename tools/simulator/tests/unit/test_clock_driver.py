"""The clock driver advances time when every process is idle, in the order of precedence, and names busy processes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from contracts.precedence import LAST_PRECEDENCE, Precedence
from devstack.errors import InstantInPast, NeverIdle, ParticipantUnreachable
from service_runtime.simulated_clock.clock import SimulatedClock
from service_runtime.simulated_clock.messages import Activity, ClockSetting
from simulator.simulated_clock.driver import ClockDriver

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

EventLog = list[tuple[datetime, str]]
Action = Callable[[datetime], None]


@dataclass
class FakeService:
    """A service with timers; each timer fires at the `polls_per_timer`-th poll after it became due."""

    name: str
    log: EventLog
    polls_per_timer: int = 2
    missed_polls: int = 0
    """Polls that the service does not answer."""
    always_busy: bool = False
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(EIGHT))
    settings: list[ClockSetting] = field(default_factory=list[ClockSetting])
    timers: list[tuple[datetime, int, str, Action]] = field(default_factory=list[tuple[datetime, int, str, Action]])
    counter: int = 0
    _remaining_polls: int = 0

    def arm(self, at: datetime, precedence: Precedence, what: str, action: Action = lambda _: None) -> None:
        self.timers.append((at, int(precedence), what, action))

    async def set_clock(self, setting: ClockSetting) -> Activity:
        self.settings.append(setting)
        self.clock.set_to(
            setting.now, max_precedence=LAST_PRECEDENCE if setting.max_precedence is None else setting.max_precedence
        )
        return self._build_activity()

    async def read_activity(self) -> Activity:
        if self.missed_polls:
            self.missed_polls -= 1
            raise ParticipantUnreachable(f"{self.name} does not answer")
        self._fire_timer()
        return self._build_activity()

    def _find_due_timers(self) -> list[tuple[datetime, int, str, Action]]:
        at, released = self.clock.now(), self.clock.get_due_limit().max_precedence
        due = [each for each in self.timers if each[0] < at or (each[0] == at and each[1] <= released)]
        return sorted(due, key=lambda each: each[:3])

    def _fire_timer(self) -> None:
        due = self._find_due_timers()
        if not due:
            return
        self._remaining_polls = self._remaining_polls or self.polls_per_timer
        self._remaining_polls -= 1
        if self._remaining_polls == 0:
            _, _, what, action = due[0]
            self.timers.remove(due[0])
            self.counter += 1
            self.log.append((self.clock.now(), what))
            action(self.clock.now())

    def _build_activity(self) -> Activity:
        at, released = self.clock.now(), self.clock.get_due_limit().max_precedence
        later = [due for due, *_ in self.timers if due > at]
        held_back = {each for due, each, *_ in self.timers if due == at and each > released}
        return Activity(
            now=at,
            max_precedence=released,
            counter=self.counter,
            requests=int(self.always_busy),
            timers=len(self._find_due_timers()),
            next_due_at=min(later, default=None),
            due_precedences=tuple(sorted(held_back)),
        )


@dataclass
class FakeParticipant:
    """A participant that acts at the instants in `due_at`."""

    name: str
    log: EventLog
    due_at: list[datetime]
    precedence: Precedence = Precedence.ANSWER
    action: Action = lambda _: None

    def get_next_due_at(self) -> datetime | None:
        return min(self.due_at, default=None)

    async def act(self, now: datetime) -> int:
        self.due_at.remove(now)
        self.log.append((now, self.name))
        self.action(now)
        return 1


async def test_the_clock_stops_at_each_due_instant_and_ends_at_the_requested_one() -> None:
    log: EventLog = []
    sourcing, registry = FakeService("sourcing", log), FakeService("registry", log, polls_per_timer=3)
    sourcing.arm(EIGHT + 30 * MINUTE, Precedence.EXPIRY, "expires")
    registry.arm(EIGHT + 24 * HOUR, Precedence.FACT, "a rating")
    registry.arm(EIGHT + 72 * HOUR, Precedence.FACT, "too far away")
    run = await ClockDriver([sourcing, registry], seed=1).advance(48 * HOUR)
    assert log == [(EIGHT + 30 * MINUTE, "expires"), (EIGHT + 24 * HOUR, "a rating")]
    assert run.steps == 2
    assert {each.clock.now() for each in (sourcing, registry)} == {EIGHT + 48 * HOUR}
    assert sourcing.clock.get_due_limit().max_precedence == LAST_PRECEDENCE


async def test_work_due_at_one_instant_is_done_in_order_of_precedence() -> None:
    log: EventLog = []
    ten = EIGHT + 2 * HOUR
    sourcing, registry = FakeService("sourcing", log), FakeService("registry", log)
    for precedence in reversed(Precedence):
        service = sourcing if precedence % 2 else registry
        service.arm(ten, precedence, f"{int(precedence):02} {precedence.name}")
    council = FakeParticipant("03 the council", log, [ten], Precedence.COUNCIL)
    provider = FakeParticipant("06 a provider", log, [ten], Precedence.ANSWER)
    await ClockDriver([sourcing, registry], [provider, council], seed=1).advance_to(ten)
    assert [what for _, what in log] == sorted(what for _, what in log)
    assert len(log) == len(Precedence) + 2


async def test_follow_up_work_at_the_same_instant_is_done_before_the_next_precedence_is_released() -> None:
    log: EventLog = []
    ten = EIGHT + 2 * HOUR
    sourcing, registry = FakeService("sourcing", log), FakeService("registry", log)

    def arm_follow_up(now: datetime) -> None:
        registry.arm(now, Precedence.EXPIRY, "follows from it")

    sourcing.arm(ten, Precedence.EXPIRY, "expires", arm_follow_up)
    sourcing.arm(ten, Precedence.LIST_CLOSES, "a list closes")
    await ClockDriver([sourcing, registry], seed=1).advance_to(ten)
    assert [what for _, what in log] == ["expires", "follows from it", "a list closes"]


async def test_work_of_a_lower_precedence_that_a_participant_causes_is_still_done() -> None:
    log: EventLog = []
    ten = EIGHT + 2 * HOUR
    sourcing = FakeService("sourcing", log)
    provider = FakeParticipant(
        "a provider", log, [ten], action=lambda now: sourcing.arm(now, Precedence.FACT, "a fact")
    )
    await ClockDriver([sourcing], [provider], seed=1).advance_to(ten)
    assert [what for _, what in log] == ["a provider", "a fact"]


async def test_the_clock_does_not_advance_while_a_service_is_busy_and_the_error_names_the_service() -> None:
    log: EventLog = []
    idle, busy = FakeService("sourcing", log), FakeService("registry", log)
    driver = ClockDriver([idle, busy], seed=1, idle_timeout=0.05)
    await driver.start()
    busy.always_busy = True
    with pytest.raises(NeverIdle, match=r"registry \(1 requests\)"):
        await driver.advance(HOUR)


async def test_an_instant_without_work_for_any_service_costs_one_round() -> None:
    participant = FakeParticipant("a participant", [], [EIGHT + n * MINUTE for n in range(1, 51)])
    driver = ClockDriver([FakeService("sourcing", []), FakeService("registry", [])], [participant], seed=1)
    await driver.start()
    run = await driver.advance(HOUR)
    assert run.steps == 50
    assert run.rounds <= 50 + 50 + 2, "one round sets the clocks, one follows the participant's act"


async def test_a_service_whose_counter_keeps_rising_is_not_idle() -> None:
    class CountingService(FakeService):
        async def read_activity(self) -> Activity:
            self.counter += 1
            return await super().read_activity()

    with pytest.raises(NeverIdle, match="registry"):
        await ClockDriver([CountingService("registry", [])], seed=1, idle_timeout=0.05).advance(HOUR)


async def test_a_restarted_service_is_waited_for_and_its_clock_is_set() -> None:
    log: EventLog = []
    service = FakeService("registry", log)
    driver = ClockDriver([service], seed=1)
    await driver.advance(HOUR)
    service.missed_polls = 3
    service.clock = SimulatedClock(EIGHT)  # as after a restart
    service.arm(EIGHT + 90 * MINUTE, Precedence.FACT, "a rating")
    await driver.advance(HOUR)
    assert log == [(EIGHT + 90 * MINUTE, "a rating")]


async def test_a_due_participant_that_does_nothing_is_named_in_the_error() -> None:
    class InactiveParticipant(FakeParticipant):
        async def act(self, now: datetime) -> int:
            return 0

    with pytest.raises(NeverIdle, match="Bill"):
        await ClockDriver([FakeService("s", [])], [InactiveParticipant("Bill", [], [EIGHT + MINUTE])], seed=1).advance(
            HOUR
        )


async def test_a_participant_whose_act_never_returns_is_named_in_the_error() -> None:
    class HangingParticipant(FakeParticipant):
        async def act(self, now: datetime) -> int:
            await asyncio.Event().wait()
            return 1

    participant = HangingParticipant("Bill", [], [EIGHT + MINUTE])
    with pytest.raises(NeverIdle, match="Bill"):
        await ClockDriver([FakeService("s", [])], [participant], seed=1, idle_timeout=0.05).advance(HOUR)


async def test_the_seed_determines_the_order_of_acts_and_no_participant_is_always_first() -> None:
    async def record_acts(seed: int) -> EventLog:
        log: EventLog = []
        at = [EIGHT + n * MINUTE for n in range(1, 6)]
        participants = [FakeParticipant(name, log, list(at)) for name in ("Alder", "Birch", "Cedar", "Elm")]
        await ClockDriver([FakeService("sourcing", log)], participants, seed=seed).advance(HOUR)
        return log

    first, again, other = await record_acts(7), await record_acts(7), await record_acts(8)
    assert first == again
    assert first != other
    assert len({name for (_, name) in first[::4]}) > 1


def test_a_clock_is_never_set_to_an_earlier_instant() -> None:
    clock = SimulatedClock(EIGHT)
    with pytest.raises(ValueError, match="cannot be set back"):
        clock.set_to(EIGHT - MINUTE)


async def test_a_driver_is_refused_when_a_service_is_ahead_of_it() -> None:
    class ServiceAhead(FakeService):
        async def set_clock(self, setting: ClockSetting) -> Activity:
            raise InstantInPast(f"{self.name}: time does not go back")

    with pytest.raises(InstantInPast):
        await ClockDriver([ServiceAhead("sourcing", [])], seed=1).start()
