"""The search of one scenario, decided by the domain rules alone, and the time that passes in it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from contracts.errors import CallOffError
from sourcing.domain.competitions.outcomes import (
    BidAwaitsApproval,
    BidNotTaken,
    BidScored,
    BidTaken,
    BidTakenBack,
    CompetitionIsOver,
    CompetitionOutcome,
    QuestionIsAnswered,
    QuestionTaken,
)
from sourcing.domain.steps import (
    AcceptanceWaits,
    ActEnded,
    ActWaits,
    AnswerNotUsed,
    AwaitsApproval,
    AwardBarred,
    CounterOffered,
    Declined,
    Done,
    Outcome,
    Placed,
    ProposalNotUsed,
    Proposed,
    ScheduledTimer,
    Step,
    Ticked,
    TickNotUsed,
    TimerKind,
)
from sourcing.handlers import PRECEDENCE
from testkit.sourcing.builders import A_MONDAY
from testkit.sourcing.scenario_tables import InstantReader
from testkit.sourcing.search_driver import SearchDriver


@dataclass
class ScenarioSearch:
    """The search that a scenario is about. Time passes only by `advance_time`; no service and no database is used.

    `result` describes the outcome of the last step as the tables word it.
    """

    reader: InstantReader = field(default_factory=lambda: InstantReader.from_monday(A_MONDAY))
    at: datetime | None = None
    result: str = "nothing"
    _driver: SearchDriver | None = None

    @property
    def setup(self) -> object:
        """Has the Given sentences: they are methods of the runner itself."""
        return self

    @property
    def checks(self) -> object:
        """Has the Then sentences: they are methods of the runner itself."""
        return self

    async def run_check(self, check: Callable[[], Awaitable[None]]) -> None:
        await check()

    @property
    def driver(self) -> SearchDriver:
        assert self._driver is not None, "no package was requested"
        return self._driver

    def advance_time(self, until: datetime) -> None:
        """Moves the time to `until` and fires the timers that are due before it.

        Of the timers due exactly at `until`, only the expiry of an offer fires before the event at that instant.
        """
        self.at = until
        if self._driver is None:
            return
        self._fire_timers(
            lambda timer: timer.at < until or (timer.at == until and timer.kind is TimerKind.OFFER_EXPIRES)
        )
        self.driver.at = until

    def settle(self) -> None:
        """Fires every timer that is due now."""
        self._fire_timers(lambda timer: timer.at <= self.driver.at)

    def _run_step(self, act: Callable[[], Step]) -> None:
        """Runs a step, stores the description of its outcome in `result`, and fires the timers that are due now."""
        try:
            self.result = _describe_outcome(act().outcome)
        except CallOffError as refusal:
            self.result = refusal.title
        self.settle()

    def _fire_timers(self, is_due: Callable[[ScheduledTimer], bool]) -> None:
        while due := [timer for timer in self.driver.timers.values() if is_due(timer)]:
            first = min(due, key=lambda timer: (timer.at, PRECEDENCE[timer.kind]))
            self.driver.fire_timer(first.kind, at=max(first.at, self.driver.at))


def _describe_outcome(outcome: Outcome) -> str:  # noqa: C901, PLR0911, PLR0912  a line for each outcome reads best
    """Describes the outcome of a command in the words of the scenario tables."""
    match outcome:
        case Done():
            return "nothing"
        case Placed():
            return "placed"
        case AcceptanceWaits():
            return "the acceptance waits for the others"
        case Declined():
            return "declined"
        case Ticked(interested=interested):
            return "ticked" if interested else "tick taken back"
        case TickNotUsed(reason=reason):
            return reason.value
        case Proposed():
            return "the proposal stands"
        case ActWaits():
            return "the act waits"
        case ActEnded(reason=reason, passed_over=against):
            return ": ".join([reason.value, *([", ".join(against)] if against else [])])
        case CounterOffered():
            return "the counter-offer stands"
        case AwaitsApproval():
            return "a second officer has to approve the price"
        case AnswerNotUsed(reason=reason, passed_over=against):
            return ": ".join([reason.value, *([", ".join(against)] if against else [])])
        case ProposalNotUsed(reasons=reasons):
            return ", ".join(reasons)
        case AwardBarred(reasons=reasons):
            return ", ".join(reasons)
        case _:
            return _describe_competition_outcome(outcome)


def _describe_competition_outcome(outcome: CompetitionOutcome) -> str:
    match outcome:
        case BidNotTaken(reasons=reasons):
            return ", ".join(reasons)
        case BidAwaitsApproval():
            return "a second officer has to approve the award"
        case CompetitionIsOver():
            return "the competition is over"
        case QuestionTaken() | QuestionIsAnswered() | BidTaken() | BidTakenBack() | BidScored():
            return "recorded"
