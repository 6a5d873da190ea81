"""A search driver that keeps what the record would have: events with ids, causes and instants, and the market."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid5

from contracts.catalogue import decode, encode
from contracts.events.base import PackageEvent
from sourcing.domain.competitions.triggers import CompetitionDue
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.replay_triggers import RecordedEvent
from sourcing.domain.steps import ScheduledTimer, Step, TimerKind
from sourcing.domain.triggers import (
    DeliveryOverdue,
    ListCloses,
    ListCutOff,
    ListGoesOut,
    ListingOverdue,
    NextOfferDue,
    OfferExpiryDue,
    OutageOver,
    ProjectionUpdated,
    TimerTrigger,
    Trigger,
)
from testkit.sourcing.builders import ID_NAMESPACE
from testkit.sourcing.market_history import MarketHistory
from testkit.sourcing.search_driver import SearchDriver

OUTAGE_OVER: Final = "outage-over"
PROJECTION_UPDATED: Final = "view-moved"
RUNTIME_TIMERS: Final[Mapping[str, TimerTrigger]] = {
    OUTAGE_OVER: OutageOver(),
    PROJECTION_UPDATED: ProjectionUpdated(),
}
_KINDS: Final[Mapping[type[object], str]] = {
    OfferExpiryDue: TimerKind.OFFER_EXPIRES,
    DeliveryOverdue: TimerKind.DELIVERY_OVERDUE,
    NextOfferDue: TimerKind.NEXT_OFFER_DUE,
    ListingOverdue: TimerKind.LISTED_TOO_LONG,
    CompetitionDue: TimerKind.COMPETITION_CLOSES,
    ListCutOff: TimerKind.LIST_CUT_OFF,
    ListCloses: TimerKind.LIST_CLOSES,
    ListGoesOut: TimerKind.LIST_GOES_OUT,
    OutageOver: OUTAGE_OVER,
    ProjectionUpdated: PROJECTION_UPDATED,
}
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class _Caused:
    event: PackageEvent
    recorded: RecordedEvent


class RecordingDriver(SearchDriver):
    """Drives a search and records it. Every trigger has an instant of its own, later than the one before.

    `record` has the package's events in the topic's order, `past` the history of the market.
    """

    def __init__(self, market: MarketSnapshot, *, at: datetime | None = None, handle_own_events: bool = True) -> None:
        super().__init__(market, at=at, handle_own_events=handle_own_events)
        self.past = MarketHistory()
        self._records: list[_Caused] = []
        self._armed_by: dict[tuple[str, str], str] = {}
        self._commands = 0
        self._last: datetime = self.at - _MICROSECOND
        self._cause = ""

    @property
    def _next(self) -> datetime:
        """The earliest instant of the next trigger."""
        return self._last + _MICROSECOND

    @property
    def record(self) -> list[RecordedEvent]:
        return [each.recorded for each in self._records]

    def handle(self, trigger: Trigger, *, at: datetime | None = None) -> Step:
        self.at = self._last = max(at or self.at, self._next)
        self.market = self.past.note(self.market, self.at)
        self._cause = self._find_cause(trigger)
        return super().handle(trigger)

    def _record_step(self, trigger: Trigger, step: Step) -> None:
        cause = self._cause
        super()._record_step(trigger, step)
        for event in step.events:
            self._add(event, cause, is_sourcing=True)
        for timer in step.timers:
            if isinstance(timer, ScheduledTimer):
                self._armed_by[timer.kind, timer.about] = cause

    def _find_cause(self, trigger: Trigger) -> str:
        """Returns the cause as the runtime writes it; an event of another service is added to the record first."""
        if isinstance(trigger, PackageEvent):
            own = next((each.recorded for each in self._records if each.event is trigger), None)
            return str((own or self._add(trigger, "command:of another service", is_sourcing=False)).event_id)
        kind = _KINDS.get(type(trigger))
        if kind is None:
            self._commands += 1
            return f"command:{uuid5(ID_NAMESPACE, f'command {self._commands}')}"
        if kind in RUNTIME_TIMERS:
            return f"timer:{kind}:{kind}"
        about = str(getattr(trigger, "offer_id", ""))
        armed_by = (by for (of_kind, of), by in self._armed_by.items() if of_kind == kind and about in {"", of})
        return f"timer:{kind}:{next(armed_by, 'unknown')}"

    def _add(self, event: PackageEvent, cause: str, *, is_sourcing: bool) -> RecordedEvent:
        """Adds an event as it is read back from its payload."""
        event_id = uuid5(ID_NAMESPACE, f"event {len(self._records)}")
        recorded = RecordedEvent(decode(type(event), encode(event)), event_id, cause, self.at, is_sourcing)
        self._records.append(_Caused(event, recorded))
        return recorded


def replace_event(record: list[RecordedEvent], kind: type[PackageEvent], **changed: object) -> list[RecordedEvent]:
    """Returns the record with other values in the fields of the first event of this kind. Raises ValueError."""
    position = next((number for number, each in enumerate(record) if isinstance(each.event, kind)), None)
    if position is None:
        message = f"the record has no {kind.__name__}"
        raise ValueError(message)
    event = record[position].event.model_copy(update=changed)
    return [*record[:position], replace(record[position], event=event), *record[position + 1 :]]
