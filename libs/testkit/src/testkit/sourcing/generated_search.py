"""Runs one search in a generated market, and records its events with their causes as the journal does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.errors import CallOffError
from contracts.events.base import PackageEvent
from contracts.events.packages import PackageRequested
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.ids import NewId
from sourcing.domain.decisions import decide
from sourcing.domain.replay_triggers import RecordedEvent
from sourcing.domain.search import Search, SearchStatus
from sourcing.domain.steps import ScheduledTimer, TimerKind
from sourcing.domain.triggers import (
    AnswerRecorded,
    Command,
    EventTrigger,
    Outage,
    OutageOver,
    ProjectionUpdated,
    Trigger,
    build_timer_trigger,
)
from sourcing.handlers import PRECEDENCE, RUNTIME_TIMERS
from testkit.sourcing.generated_world import World

TICK: Final = timedelta(milliseconds=1)
"""What is published counts for later instants only, so that the record tells which decisions saw it."""
_KINDS: Final = {type(trigger): kind for kind, trigger in RUNTIME_TIMERS.items()}


@dataclass(frozen=True)
class Step:
    """One decision: what it was about, the search before it, its events, and the timers after it."""

    trigger: Trigger
    at: datetime
    before: Search | None
    search: Search | None
    events: tuple[PackageEvent, ...]
    timers: tuple[ScheduledTimer, ...]


class GeneratedSearch:
    """One package's search. `record` has its events with their causes, `steps` the decisions, `refused` the errors.

    The search's own events wait in `own_events` until `handle_own_events`, as they do on Kafka.
    """

    def __init__(self, world: World, request: PackageRequested, *, at: datetime, new_id: NewId) -> None:
        self.world = world
        self.request = request
        self.at = at
        self.state: Search | None = None
        self.record: list[RecordedEvent] = []
        self.steps: list[Step] = []
        self.refused: list[CallOffError] = []
        self.own_events: list[RecordedEvent] = []
        self.timers: dict[tuple[TimerKind, str], ScheduledTimer] = {}
        self._new_id = new_id
        self._commands = 0

    @property
    def current(self) -> Search:
        assert self.state is not None, "the package is requested first"
        return self.state

    def publish(self, event: EventTrigger) -> None:
        """Handles an event of another service, which the record has as well."""
        recorded = RecordedEvent(event, self._new_id(), "another service", self.at, is_sourcing=False)
        self.record.append(recorded)
        self._handle(event, str(recorded.event_id))

    def command(self, command: Command) -> None:
        """Carries out a command; one that is refused must leave the search as it is."""
        self._commands += 1
        try:
            self._handle(command, f"command:{self._commands}")
        except CallOffError as error:
            self.refused.append(error)

    def fire(self, trigger: OutageOver | ProjectionUpdated) -> None:
        """Fires a timer of the runtime."""
        self._handle(trigger, f"timer:{_KINDS[type(trigger)]}:{self.request.package_id}")

    def handle_own_events(self) -> None:
        """Handles the answers and ends of offers that wait on Kafka, and those that follow from them."""
        while self.own_events:
            self.handle_own_event(self.own_events.pop(0))

    def handle_own_event(self, recorded: RecordedEvent) -> None:
        assert isinstance(recorded.event, AnswerRecorded), "only these are consumed again"
        self._handle(recorded.event, str(recorded.event_id))

    def advance(self, end: datetime, *, handle_own_events: bool = True) -> None:
        """Moves the time to `end`; each timer fires at its instant, several at one instant in their precedence."""
        while due := [timer for timer in self.timers.values() if timer.at <= end]:
            first = min(due, key=lambda timer: (timer.at, PRECEDENCE[timer.kind], timer.about))
            del self.timers[first.kind, first.about]
            self.at = max(self.at, first.at)
            self._handle(build_timer_trigger(first.kind, first.about), f"timer:{first.kind}:{first.about}")
            if handle_own_events:
                self.handle_own_events()
        self.at = max(self.at, end)

    def change_world(self, change: Callable[[datetime], None]) -> None:
        """Publishes something, and wakes a search that is held for it."""
        self.at += TICK
        change(self.at)
        if self.current.status is SearchStatus.HELD:
            self.fire(ProjectionUpdated())

    def simulate_outage(self, length: timedelta, *, reported: bool) -> None:
        """Moves the time over an outage, in which no timer fires; unless `reported`, others fire first after it."""
        down_from, self.at = self.at, self.at + length
        self.world.outages.append(Outage(down_from, self.at))
        if reported:
            self.fire(OutageOver())

    def _handle(self, trigger: Trigger, cause: str) -> None:
        before = self.state
        care = self.request.care if before is None else before.care
        step = decide(
            before,
            trigger,
            market=self.world.read(before, care, trigger, self.at),
            at=self.at,
            new_id=self._new_id,
            outages=self._list_outages(before),
        )
        self.state = step.search
        for timer in step.timers:
            self.timers.pop((timer.kind, timer.about), None)
            if isinstance(timer, ScheduledTimer):
                self.timers[timer.kind, timer.about] = timer
        self._record_events(step.events, cause)
        self.steps.append(Step(trigger, self.at, before, step.search, step.events, tuple(self.timers.values())))

    def _record_events(self, events: Sequence[PackageEvent], cause: str) -> None:
        for event in events:
            recorded = RecordedEvent(event, self._new_id(), cause, self.at, is_sourcing=True)
            self.record.append(recorded)
            if isinstance(event, AnswerRecorded):
                self.own_events.append(recorded)
            if isinstance(event, PackagePlaced | PlacementVoided):
                self.world.record_placement(event, self.at)

    def _list_outages(self, search: Search | None) -> Sequence[Outage]:
        running = [offer for offer in search.live_offers if offer.answer_by is not None] if search is not None else []
        if not running:
            return ()
        since = min(offer.made_at for offer in running)
        return [outage for outage in self.world.outages if outage.up_at > since]
