"""The driver moves time when nothing goes on, lets things happen in DOMAIN's order, and says who keeps it waiting."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from devstack.errors import InstantInPast, InvalidTime, NeverIdle, ParticipantUnreachable
from service_runtime.clock import EVERY_CLASS, SimulatedClock
from service_runtime.simulated_clock import Activity, Order
from service_runtime.timers.timers import Precedence
from simulator.simulated_clock.agenda import Agenda
from simulator.simulated_clock.driver import Driver
from simulator.simulated_clock.instants import the_instant, the_length
from simulator.simulated_clock.officer_hours import OfficerAtWork
from simulator.simulated_clock.participant_process import Crowd
from simulator.simulated_clock.participants import whole_minute

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

Told = list[tuple[datetime, str]]
Happens = Callable[[datetime], None]


@dataclass
class FakeService:
    """A service with timers; each takes as many looks as `takes` says until it has been performed."""

    name: str
    story: Told
    takes: int = 2
    away: int = 0
    """Looks that find nobody."""
    ever_busy: bool = False
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(EIGHT))
    orders: list[Order] = field(default_factory=list[Order])
    timers: list[tuple[datetime, int, str, Happens]] = field(default_factory=list[tuple[datetime, int, str, Happens]])
    counter: int = 0
    _left: int = 0

    def arm(self, at: datetime, precedence: Precedence, what: str, then: Happens = lambda _: None) -> None:
        self.timers.append((at, int(precedence), what, then))

    async def set_clock(self, order: Order) -> Activity:
        self.orders.append(order)
        self.clock.set_to(order.now, released=EVERY_CLASS if order.release is None else order.release)
        return self._report()

    async def activity(self) -> Activity:
        if self.away:
            self.away -= 1
            raise ParticipantUnreachable(f"{self.name} gives no answer")
        self._work()
        return self._report()

    def _released(self) -> list[tuple[datetime, int, str, Happens]]:
        at, released = self.clock.now(), self.clock.horizon.released
        due = [each for each in self.timers if each[0] < at or (each[0] == at and each[1] <= released)]
        return sorted(due, key=lambda each: each[:3])

    def _work(self) -> None:
        due = self._released()
        if not due:
            return
        self._left = self._left or self.takes
        self._left -= 1
        if self._left == 0:
            _, _, what, then = due[0]
            self.timers.remove(due[0])
            self.counter += 1
            self.story.append((self.clock.now(), what))
            then(self.clock.now())

    def _report(self) -> Activity:
        at, released = self.clock.now(), self.clock.horizon.released
        later = [due for due, *_ in self.timers if due > at]
        held_back = {each for due, each, *_ in self.timers if due == at and each > released}
        return Activity(
            now=at,
            released=released,
            counter=self.counter,
            requests=int(self.ever_busy),
            timers=len(self._released()),
            next_wake=min(later, default=None),
            due_classes=tuple(sorted(held_back)),
        )


@dataclass
class FakePerson:
    """Somebody who acts at the instants on the list."""

    name: str
    story: Told
    at: list[datetime]
    precedence: Precedence = Precedence.ANSWER
    then: Happens = lambda _: None

    def next_wake(self) -> datetime | None:
        return min(self.at, default=None)

    async def act(self, now: datetime) -> int:
        self.at.remove(now)
        self.story.append((now, self.name))
        self.then(now)
        return 1


async def test_time_moves_from_one_thing_to_the_next_and_ends_where_it_was_to() -> None:
    story: Told = []
    sourcing, registry = FakeService("sourcing", story), FakeService("registry", story, takes=3)
    sourcing.arm(EIGHT + 30 * MINUTE, Precedence.EXPIRY, "expires")
    registry.arm(EIGHT + 24 * HOUR, Precedence.FACT, "a rating")
    registry.arm(EIGHT + 72 * HOUR, Precedence.FACT, "too far away")
    journey = await Driver([sourcing, registry], seed=1).advance(48 * HOUR)
    assert story == [(EIGHT + 30 * MINUTE, "expires"), (EIGHT + 24 * HOUR, "a rating")]
    assert journey.steps == 2
    assert {each.clock.now() for each in (sourcing, registry)} == {EIGHT + 48 * HOUR}
    assert sourcing.clock.horizon.released == EVERY_CLASS


async def test_what_falls_due_at_one_instant_happens_class_by_class_over_all_participants() -> None:
    story: Told = []
    ten = EIGHT + 2 * HOUR
    sourcing, registry = FakeService("sourcing", story), FakeService("registry", story)
    for precedence in reversed(Precedence):
        service = sourcing if precedence % 2 else registry
        service.arm(ten, precedence, f"{int(precedence):02} {precedence.name}")
    council = FakePerson("03 the council", story, [ten], Precedence.COUNCIL)
    provider = FakePerson("06 a provider", story, [ten], Precedence.ANSWER)
    await Driver([sourcing, registry], [provider, council], seed=1).to(ten)
    assert [what for _, what in story] == sorted(what for _, what in story)
    assert len(story) == 12


async def test_what_follows_at_once_is_done_before_the_next_class_is_let_go() -> None:
    story: Told = []
    ten = EIGHT + 2 * HOUR
    sourcing, registry = FakeService("sourcing", story), FakeService("registry", story)

    def ask_the_next(now: datetime) -> None:
        registry.arm(now, Precedence.EXPIRY, "follows from it")

    sourcing.arm(ten, Precedence.EXPIRY, "expires", ask_the_next)
    sourcing.arm(ten, Precedence.LIST_CLOSES, "a list closes")
    await Driver([sourcing, registry], seed=1).to(ten)
    assert [what for _, what in story] == ["expires", "follows from it", "a list closes"]


async def test_what_a_person_causes_of_an_earlier_class_happens_all_the_same() -> None:
    story: Told = []
    ten = EIGHT + 2 * HOUR
    sourcing = FakeService("sourcing", story)
    provider = FakePerson("a provider", story, [ten], then=lambda now: sourcing.arm(now, Precedence.FACT, "a fact"))
    await Driver([sourcing], [provider], seed=1).to(ten)
    assert [what for _, what in story] == ["a provider", "a fact"]


async def test_the_clock_stands_while_anybody_is_busy_and_the_error_says_who() -> None:
    story: Told = []
    idle, busy = FakeService("sourcing", story), FakeService("registry", story)
    driver = Driver([idle, busy], seed=1, patience=0.05)
    await driver.begin()
    busy.ever_busy = True
    with pytest.raises(NeverIdle, match=r"registry \(1 requests\)"):
        await driver.advance(HOUR)


async def test_an_instant_at_which_no_service_has_anything_to_do_costs_one_round() -> None:
    walker = FakePerson("a walker", [], [EIGHT + n * MINUTE for n in range(1, 51)])
    driver = Driver([FakeService("sourcing", []), FakeService("registry", [])], [walker], seed=1)
    await driver.begin()
    journey = await driver.advance(HOUR)
    assert journey.steps == 50
    assert journey.rounds <= 50 + 50 + 2, "one to tell the time, one after the walker's act"


async def test_a_counter_that_goes_on_counting_is_no_rest() -> None:
    class Restless(FakeService):
        async def activity(self) -> Activity:
            self.counter += 1
            return await super().activity()

    with pytest.raises(NeverIdle, match="registry"):
        await Driver([Restless("registry", [])], seed=1, patience=0.05).advance(HOUR)


async def test_a_service_that_was_away_is_waited_for_and_told_the_time() -> None:
    story: Told = []
    service = FakeService("registry", story)
    driver = Driver([service], seed=1)
    await driver.advance(HOUR)
    service.away = 3
    service.clock = SimulatedClock(EIGHT)  # started anew
    service.arm(EIGHT + 90 * MINUTE, Precedence.FACT, "a rating")
    await driver.advance(HOUR)
    assert story == [(EIGHT + 90 * MINUTE, "a rating")]


async def test_a_person_who_wakes_and_does_nothing_is_named() -> None:
    class Sleepwalker(FakePerson):
        async def act(self, now: datetime) -> int:
            return 0

    with pytest.raises(NeverIdle, match="Bill"):
        await Driver([FakeService("s", [])], [Sleepwalker("Bill", [], [EIGHT + MINUTE])], seed=1).advance(HOUR)


async def test_a_person_who_never_ends_is_named() -> None:
    class Dreamer(FakePerson):
        async def act(self, now: datetime) -> int:
            await asyncio.Event().wait()
            return 1

    dreamer = Dreamer("Bill", [], [EIGHT + MINUTE])
    with pytest.raises(NeverIdle, match="Bill"):
        await Driver([FakeService("s", [])], [dreamer], seed=1, patience=0.05).advance(HOUR)


async def test_the_same_seed_tells_the_same_story_and_nobody_is_always_first() -> None:
    async def told(seed: int) -> Told:
        story: Told = []
        at = [EIGHT + n * MINUTE for n in range(1, 6)]
        people = [FakePerson(name, story, list(at)) for name in ("Alder", "Birch", "Cedar", "Elm")]
        await Driver([FakeService("sourcing", story)], people, seed=seed).advance(HOUR)
        return story

    first, again, other = await told(7), await told(7), await told(8)
    assert first == again
    assert first != other
    assert len({name for (_, name) in first[::4]}) > 1


def test_time_does_not_go_back() -> None:
    clock = SimulatedClock(EIGHT)
    with pytest.raises(ValueError, match="does not go back"):
        clock.set_to(EIGHT - MINUTE)


async def test_a_driver_that_comes_second_is_refused() -> None:
    class Ahead(FakeService):
        async def set_clock(self, order: Order) -> Activity:
            raise InstantInPast(f"{self.name}: time does not go back")

    with pytest.raises(InstantInPast):
        await Driver([Ahead("sourcing", [])], seed=1).begin()


def test_people_act_on_whole_minutes() -> None:
    assert whole_minute(EIGHT) == EIGHT
    assert whole_minute(EIGHT + timedelta(microseconds=1)) == EIGHT + MINUTE


async def test_an_agenda_goes_on_where_it_paused_one_after_the_other() -> None:
    clock, done = SimulatedClock(EIGHT), list[str]()
    agenda = Agenda("systems", clock)

    async def answer(name: str, after: timedelta) -> None:
        async with agenda.work():
            await agenda.pause(after)
            done.append(f"{name} begins")
            await asyncio.sleep(0)
            done.append(f"{name} ends")

    works = [asyncio.create_task(answer(*each)) for each in (("Birch", MINUTE), ("Alder", MINUTE), ("Elm", HOUR))]
    await asyncio.sleep(0)
    assert (agenda.working, agenda.next_wake()) == (0, EIGHT + MINUTE)
    assert await agenda.act(EIGHT + MINUTE) == 2
    assert done == ["Birch begins", "Birch ends", "Alder begins", "Alder ends"]
    works[2].cancel()
    await asyncio.gather(*works, return_exceptions=True)
    assert (agenda.working, agenda.next_wake()) == (0, None)


async def test_a_crowd_takes_part_as_a_service_does() -> None:
    clock, story = SimulatedClock(EIGHT), list[datetime]()
    agenda = Agenda("systems", clock)

    async def answer() -> None:
        async with agenda.work():
            for _ in range(3):
                await agenda.pause(20 * MINUTE)
                story.append(clock.now())

    work = asyncio.create_task(answer())
    await asyncio.sleep(0)
    journey = await Driver([Crowd("providers", clock, [agenda])], seed=1).advance(HOUR)
    await work
    assert story == [EIGHT + n * 20 * MINUTE for n in (1, 2, 3)]
    assert journey.steps == 3


@pytest.mark.parametrize(
    ("said", "wanted"), [("90s", timedelta(seconds=90)), ("30m", 30 * MINUTE), ("1d12h", 36 * HOUR), ("1w", 168 * HOUR)]
)
def test_a_length_of_time_is_read_as_people_write_it(said: str, wanted: timedelta) -> None:
    assert the_length(said) == wanted


@pytest.mark.parametrize("said", ["", "5", "h", "5 h", "-1h", "1y"])
def test_what_is_no_length_of_time_is_refused(said: str) -> None:
    with pytest.raises(InvalidTime):
        the_length(said)


def test_an_instant_without_a_zone_is_londons() -> None:
    assert the_instant("2026-03-30T08:00") == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)
    assert the_instant("2026-03-30T08:00+00:00") == datetime(2026, 3, 30, 8, 0, tzinfo=UTC)


async def test_the_officer_looks_each_quarter_of_an_hour_of_the_working_day() -> None:
    looks: list[datetime] = []

    async def make_calls() -> int:
        return 0

    friday = datetime(2026, 3, 6, 16, 20, tzinfo=UTC)
    officer = OfficerAtWork(make_calls, begins=friday)
    for _ in range(4):
        at = officer.next_wake()
        assert at is not None
        looks.append(at)
        await officer.act(at)
    assert [f"{at:%a %H:%M}" for at in looks] == ["Fri 16:30", "Fri 16:45", "Mon 08:30", "Mon 08:45"]
